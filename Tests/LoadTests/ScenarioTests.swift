import Glibc
import LoadKit
import Testing

@Suite("Scenario files")
struct ScenarioTests {
    @Test("every built-in scenario is read, is named as listed and does something", arguments: BuiltIns.all.map(\.name))
    func builtIns(name: String) throws {
        let scenario = try #require(try BuiltIns.scenario(name))
        #expect(scenario.name == name)
        #expect(!scenario.about.isEmpty)
        #expect(scenario.choices.contains { $0.weight > 0 })
    }

    @Test("all keys of a file are taken over")
    func everything() throws {
        let scenario = try Scenario(
            yaml: """
                name: n
                about: a
                arrivals: [{do: pull, weight: 3}, {do: churn}]
                images: {count: 7, repositories: 2, layers: 3, size: 1KiB-2MiB, largest: 1MiB, compressibility: 0.5, dedupe: 0.25}
                zipf: 1.2
                parallel: 5
                verify: false
                ping: yes
                pause: 20ms
                think: 1s
                connection: close
                upload: put
                warm-up: 2s
                cool-down: 3s
                spacing: poisson
                schedule: [{rate: 5, for: 1s}, {from: 5, to: 10, for: 2s}, {burst: 4, every: 1s, for: 2s}]
                """, file: "x.yaml")
        #expect(
            scenario.choices == [.init(action: .client(.pull), weight: 3), .init(action: .client(.churn), weight: 1)])
        #expect(scenario.images.count == 7 && scenario.images.layers == 3 && scenario.images.repositories == 2)
        #expect(scenario.images.sizes == .between(1024, 2_097_152) && scenario.images.largest == 1_048_576)
        #expect(scenario.images.compressibility == 0.5 && scenario.images.dedupe == 0.25)
        #expect(scenario.zipf == 1.2 && scenario.parallel == 5 && !scenario.verifies && scenario.pings)
        #expect(scenario.pause == .milliseconds(20) && scenario.think == .seconds(1))
        #expect(scenario.closesConnections && scenario.putsInOne)
        #expect(scenario.warmUp == .seconds(2) && scenario.coolDown == .seconds(3) && scenario.spacing == .poisson)
        #expect(
            scenario.schedule == [
                .constant(5, lasting: .seconds(1)), .ramp(from: 5, to: 10, lasting: .seconds(2)),
                .burst(size: 4, every: .seconds(1), lasting: .seconds(2)),
            ])
    }

    @Test(
        "a mistake is told with its line and key",
        arguments: [
            ("arrivals: [{do: pull}]\nzpif: 1", ":2: unknown key 'zpif'"),
            ("arrivals: [{do: pull, wieght: 1}]", "unknown key 'wieght' in arrivals[0]; known: do, weight"),
            ("arrivals: [{do: pul}]", "'pul' is not one of"), ("name: x", "'arrivals' is missing"),
            ("arrivals: []", "must be a list"), ("arrivals: [{do: pull, weight: -1}]", "'-1' is not a number"),
            ("arrivals: [{do: pull, weight: 0}]", "at least one weight"), ("[1, 2]", "must be a mapping"),
            ("", "empty"),
            ("arrivals: [{do: pull}\n", "no YAML"),
            ("arrivals: [{do: pull}]\nimages: {layers: 0}", ":2: layers: '0' is not a whole number"),
            ("arrivals: [{do: pull}]\nimages: {size: 9MiB-1MiB}", "the smaller first"),
            ("arrivals: [{do: pull}]\nimages: {size: 31B}", "at least 32 bytes"),
            ("arrivals: [{do: pull}]\naccounts: {users: 3}", ":2: accounts: no arrival asks the management API"),
            ("arrivals: [{do: get-user}]\naccounts: {users: 0}", ":2: users: '0' is not a whole number"),
            ("arrivals: [{do: get-user}]\naccounts: {robots: 1}", "unknown key 'robots' in accounts"),
            ("arrivals: [{do: pull}]\nimages: {size: 9EiB}", "is not a size"),
            ("arrivals: [{do: pull}]\nimages: {size: 100TiB}", "at most 64 GiB"),
            ("arrivals: [{do: pull}]\nthink: soon", "think: 'soon' is not a duration"),
            ("arrivals: [{do: pull}]\nverify: perhaps", "true or false"),
            ("arrivals: [{do: pull}]\nconnection: open", "not keep-alive or close"),
            ("arrivals: [{do: pull}]\nschedule: [{rate: 1}]", "'for' is missing"),
            ("arrivals: [{do: pull}]\nschedule: [{rate: 1, burst: 2, for: 1s}]", "needs either"),
            ("arrivals: [{do: pull}]\nschedule: [{rate: 0, for: 1s}]", "no arrival at all"),
            ("arrivals: [{do: push}]\nexisting: {repository: a, references: [b]}", "cannot be done with 'existing'"),
            ("arrivals: [{do: pull}]\nexisting: {repository: a}", "needs 'repository' and a list"),
            ("arrivals: [{do: pull}]\nexisting: {repository: A, references: [b]}", ":2: existing: 'A' is no"),
            ("arrivals: [{do: pull}]\nexisting: {repository: h:5/a, references: [b]}", "'h:5/a' is no"),
            ("arrivals: [{do: pull}]\nexisting: {repository: a/, references: [b]}", "'a/' is no repository"),
            ("arrivals: [{do: pull}]\nexisting: {repository: a, references: [b, [c]]}", "'' is neither a tag nor"),
            ("arrivals: [{do: pull}]\nimages: {}\nexisting: {repository: a, references: [b]}", "one or the other"),
            ("arrivals: [{do: pull}]\nexisting: {repository: a, references: [b, c/d]}", "'c/d' is neither a tag nor"),
            ("arrivals: [{do: pull}]\nexisting: {repository: a, references: [\"b?c\"]}", "'b?c' is neither a tag nor"),
        ])
    func mistakes(yaml: String, message: String) {
        let error = #expect(throws: ScenarioError.self) { try Scenario(yaml: yaml, file: "x.yaml") }
        let description = error?.description ?? ""
        #expect(description.contains(message), "\(description)")
        #expect(description.hasPrefix("x.yaml"))
    }

    @Test("names of users and repositories are those of the seed, and no two are alike")
    func accounts() throws {
        let scenario = try Scenario(
            yaml: "arrivals: [{do: list-users}]\naccounts: {users: 300, repositories: 700}", file: "x.yaml")
        func plan(_ seed: UInt64) -> AccountPlan {
            let target = Target(endpoint: Endpoint(isTLS: false, host: "h", port: 1), path: "/")
            let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
            return RegistryWorkload(scenario: scenario, client: client, target: target, seed: seed).accounts
        }
        let names = (0..<300).map(plan(7).user) + (0..<700).map(plan(7).repository)
        #expect(Set(names).count == 1000 && names.allSatisfy { $0.hasPrefix(plan(7).organization) })
        #expect(names.allSatisfy { $0.wholeMatch(of: /[a-z0-9]+(-+[a-z0-9]+)*(\/[a-z0-9]+(-[a-z0-9]+)*)?/) != nil })
        #expect(names.first != plan(8).user(0) && plan(7).organization == "load-s00000007")
    }

    @Test("arrivals repeat with their seed, in their proportions, and leave behind what clean-up expects")
    func arrivals() {
        var scenario = Scenario()
        scenario.choices = [.init(action: .client(.manifest), weight: 3), .init(action: .client(.push), weight: 1)]
        scenario.images.sizes = .fixed(100)
        let target = Target(endpoint: Endpoint(isTLS: false, host: "h", port: 1), path: "/")
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let workload = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 77)
        let left = (0..<4000).filter { workload.leftover($0) != nil }.count
        // A quarter of 4000, five standard deviations.
        #expect(abs(left - 1000) < 137)
        let again = RegistryWorkload(scenario: scenario, client: client, target: target, seed: 77)
        #expect((0..<100).allSatisfy { workload.leftover($0)?.digest == again.leftover($0)?.digest })
    }
}

@Suite("Reports for people and programs")
struct OutputTests {
    private func report() -> RunReport {
        var report = Synthetic.report(seed: 1, seconds: 20, factor: 1)
        report.scenario = "<script>alert(1)</script>"
        report.target = "http://h/?a=\"b\"&c"
        report.arrivals.failures = ["timeout": 3, "status-500": 1]
        report.operations["get"] = report.arrivals
        report.samples = [
            TargetSample(at: 1, cpu: 0.5, memory: 1 << 20), TargetSample(at: 2, cpu: 0.6, memory: 1 << 21),
        ]
        report.doubts = ["a & b"]
        return report
    }

    @Test("the page is one file that asks nothing of the network and lets nothing in")
    func page() throws {
        let page = HTMLReport.page(report())
        #expect(!page.contains("<script"))
        #expect(!page.contains("src=") && !page.contains("@import") && !page.contains("url("))
        #expect(page.contains("&lt;script&gt;") && page.contains("a &amp; b") && page.contains("status-500"))
        #expect(page.components(separatedBy: "<svg").count - 1 == 6)
        #expect(page.contains("prefers-color-scheme"))
        #expect(!page.contains("nan") && !page.contains("inf,"))
    }

    @Test("an empty run makes a page too")
    func emptyPage() {
        #expect(HTMLReport.page(RunReport()).contains("nothing was measured"))
    }

    @Test("the numbers of an axis differ, also where a run has one second")
    func axes() {
        let page = HTMLReport.page(Synthetic.report(seed: 1, seconds: 1, factor: 1))
        for chart in page.components(separatedBy: "<svg").dropFirst() {
            let labels = chart.matches(of: /y="224\.0" text-anchor="middle">([^<]*)</).map { String($0.1) }
            #expect(labels.count > 1 && Set(labels).count == labels.count, "\(labels)")
        }
    }

    @Test("every table scrolls on a narrow screen, and shows by a shadow that it does")
    func tables() {
        let page = HTMLReport.page(report())
        let tables = page.components(separatedBy: "<table").count
        #expect(tables > 3 && page.components(separatedBy: "<div class=\"wide\"><table").count == tables)
        #expect(page.contains("no-repeat local"))
    }

    @Test("CSV has a line an interval and a cell a column")
    func csv() {
        let lines = TextOutputs.csv(report()).split(separator: "\n")
        #expect(lines.count == 21)
        #expect(Set(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }) == [13])
    }

    @Test("JUnit counts missed conditions, and without any the doubts")
    func junit() throws {
        var report = report()
        #expect(TextOutputs.junit(report).contains("tests=\"4\" failures=\"1\""))
        report.verdicts = try Objective(parsing: "p99<1ns,errors<90%").judge(report).map(VerdictReport.init)
        let text = TextOutputs.junit(report)
        // A doubt about nothing that was asked for is no failure.
        #expect(text.contains("tests=\"6\" failures=\"1\""))
        #expect(text.components(separatedBy: "<failure").count - 1 == 1)
        #expect(text.contains("p99&lt;1ns"))
    }

    @Test("a run that was interrupted, or in which nothing succeeded, is not green")
    func notGreen() throws {
        var bad = report()
        bad.doubts = []
        #expect(TextOutputs.junit(bad).contains("tests=\"4\" failures=\"0\""))
        bad.isInterrupted = true
        bad.arrivals = FiguresReport()
        bad.arrivals.failures = ["connection-refused": 9]
        let text = TextOutputs.junit(bad)
        #expect(text.contains("failures=\"2\"") && text.contains("none: connection-refused 9"))
        let page = TextOutputs.prometheus(bad)
        #expect(page.contains("operation=\"arrivals\",quantile=\"0.99\"} NaN\n"))
        #expect(page.contains("aerugo_load_succeeded_total{") && page.contains("operation=\"arrivals\"} 0\n"))
        #expect(page.contains("aerugo_load_interrupted{") && page.hasSuffix(" 1\n"))
    }

    @Test("a report of a version to come is refused")
    func version() throws {
        var other = report()
        other.version = 99
        let bytes = Array(try ReportFile.json(other).utf8)
        let error = #expect(throws: FileError.self) { try ReportFile.decode(RunReport.self, bytes, "new.json") }
        #expect(error?.description.contains("version 99") == true)
    }

    @Test("Prometheus labels are escaped and each line has a value")
    func prometheus() {
        let text = TextOutputs.prometheus(report())
        #expect(text.contains("target=\"http://h/?a=\\\"b\\\"&c\""))
        #expect(text.contains("aerugo_load_valid{"))
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(Double(line.split(separator: " ").last ?? "") != nil)
        }
    }

    @Test("a report with a count that no run can have is refused, not added up")
    func outOfBounds() throws {
        var good = report()
        #expect(try ReportFile.decode(RunReport.self, Array(try ReportFile.json(good).utf8), "good") == good)
        good.arrivals.succeeded = .max
        let bytes = Array(try ReportFile.json(good).utf8)
        #expect(throws: FileError.self) { try ReportFile.decode(RunReport.self, bytes, "bad") }
    }

    @Test("a file that cannot be written is told, and no half of it is left")
    func unwritable() throws {
        #expect(throws: FileError.self) { try ReportFile.write("x", to: "/nowhere/at/all") }
        let error = #expect(throws: FileError.self) { try ReportFile.write("x", to: "/dev/full") }
        #expect(error?.description.contains("/dev/full") == true)
        // It is written beside the directory, and cannot take its place.
        let folder = "/tmp/aerugo-load-test-\(UInt64.random(in: 0 ... .max))"
        try #require(mkdir(folder, 0o700) == 0)
        defer { rmdir(folder) }
        #expect(throws: FileError.self) { try ReportFile.write("x", to: folder) }
        #expect(access(folder + ".part", F_OK) != 0)
    }

    @Test(
        "numbers read well",
        arguments: [
            (0.0, "0"), (0.12345, "0.123"), (5.678, "5.68"), (56.78, "56.8"), (5678, "5678"), (-0.0001, "0.000"),
            (.infinity, "–"), (.nan, "–"),
        ])
    func numbers(value: Double, text: String) {
        #expect(Text.significant(value) == text)
    }
}
