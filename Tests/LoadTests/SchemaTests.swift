import Foundation
import LoadKit
import Testing

@Suite("Reports as files")
struct SchemaTests {
    private func report() throws -> RunReport {
        var report = Synthetic.report(seed: 1, seconds: 6, factor: 1)
        (report.scenario, report.target, report.program) = ("pull", "http://h/", Program.name)
        report.operations["get"] = report.arrivals
        report.parts = ["login": report.arrivals]
        report.arrivals.failures = ["timeout": 3]
        report.generator.busiestSecond = 0.5
        report.samples = [TargetSample(at: 1, cpu: 0.5, memory: 1 << 20)]
        report.verdicts = try Objective(parsing: "p99<1ms,errors<50%,rate>1,blob.get:p95<1s").judge(report)
            .map(VerdictReport.init)
        return report
    }

    @Test("a run's report and a search's are what the schema in docs/ says")
    func schema() async throws {
        let schema = try Schema("docs/load-report.schema.json")
        let run = try report()
        #expect(try schema.complaints(ReportFile.json(run)) == [])
        #expect(try schema.complaints(ReportFile.json(RunReport())) == [])
        for queue in [Queue.cliff(300, bound: 0.05), .exponential(300, bound: 0.05)] {
            let search = CapacityReport(objective: queue.objective, answer: try await queue.search(seed: 1), run: run)
            #expect(try schema.complaints(ReportFile.json(search)) == [])
        }
    }

    @Test(
        "what differs from it is found",
        arguments: [
            ("\"asked\" :", "\"askd\" :"), ("\"sent\" : ", "\"sent\" : -"), ("\"p99_ms\"", "\"p99\""),
            ("\"cannot tell\"", "\"invalid\""), ("\"version\" : 2", "\"version\" : 1"),
            ("\"isPartial\" : false", "\"isPartial\" : 0"), ("\"target\" : \"http://h/\"", "\"target\" : 5"),
        ])
    func differences(from: String, to: String) throws {
        let text = try ReportFile.json(report())
        #expect(text.contains(from))
        let changed = text.replacingOccurrences(of: from, with: to)
        #expect(try Schema("docs/load-report.schema.json").complaints(changed, definition: "run") != [])
    }

    @Test("every histogram tells count, mean, percentiles and max, with a unit")
    func histograms() throws {
        let times = SparseHistogram((1...1000).map { .init(value: UInt64($0) * 1_000_000, count: 1) })
        let json = try JSONSerialization.jsonObject(with: Data(ReportFile.json(times).utf8)) as? [String: Any] ?? [:]
        let wanted = [
            "count": 1000, "mean_ms": 500.5, "p50_ms": 500, "p90_ms": 900, "p95_ms": 950, "p99_ms": 990, "p999_ms": 999,
            "max_ms": 1000,
        ]
        for (key, value) in wanted { #expect(json[key] as? Double == value, "\(key)") }
        #expect(Set(json.keys) == Set(wanted.keys).union(["buckets_ns"]))
    }

    @Test("what was not measured is no 0: null in files, a dash in lines and on the page")
    func nothing() throws {
        let empty = SparseHistogram()
        let json = try JSONSerialization.jsonObject(with: Data(ReportFile.json(empty).utf8)) as? [String: Any] ?? [:]
        for (key, value) in json where key.hasSuffix("_ms") { #expect(value is NSNull, "\(key)") }
        #expect(json["count"] as? Int == 0 && json.count == 9)
        #expect(try ReportFile.decode(SparseHistogram.self, Array(ReportFile.json(empty).utf8), "").count == 0)
        var failed = RunReport()
        failed.arrivals.failures = ["connection-refused": 9]
        failed.operations["get"] = failed.arrivals
        #expect(Summary.lines(failed).allSatisfy { !$0.contains(" 0 ms") })
        #expect(!HTMLReport.page(failed).contains("0 ms"))
    }

    @Test("a report of an earlier or a later format is refused by its number", arguments: [1, 99])
    func version(_ version: Int) throws {
        let error = #expect(throws: FileError.self) {
            try ReportFile.decode(RunReport.self, Array("{\"version\":\(version)}".utf8), "old.json")
        }
        #expect(error?.description.contains("version \(version)") == true)
    }
}
