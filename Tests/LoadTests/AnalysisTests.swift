import FoundationEssentials
import Glibc
import LoadKit
import Testing

@Suite("Figures and what is made of them")
struct AnalysisTests {
    @Test("buckets keep a value within 0.4 % and are their own inverse")
    func buckets() {
        var random = SeededRandom(seed: 1)
        for _ in 0..<100_000 {
            let value = random.next() >> (random.next() % 60)
            let index = LatencyBucket.index(of: value)
            let middle = LatencyBucket.value(of: index)
            #expect(LatencyBucket.index(of: middle) == index)
            guard value < 1 << 60 else { continue }
            #expect(abs(Double(middle) - Double(value)) <= Double(value) * 0.004)
        }
    }

    @Test("percentiles are those of the sorted values")
    func percentiles() {
        var random = SeededRandom(seed: 2)
        let values = (0..<1001).map { _ in random.next() % 1_000_000 }
        let histogram = SparseHistogram(values.map { .init(value: $0, count: 1) })
        let sorted = values.sorted()
        for percent in [0.1, 1, 50, 90, 99, 99.9, 100] {
            #expect(histogram.percentile(percent) == sorted[max(0, Int((1001 * percent / 100).rounded(.up)) - 1)])
        }
        #expect(SparseHistogram().percentile(99) == 0)
    }

    @Test("merged histograms have every count of their parts")
    func merge() throws {
        var random = SeededRandom(seed: 3)
        var whole = LatencyHistogram.latencies()
        var parts = [LatencyHistogram.latencies(), .latencies(), .latencies()]
        for place in 0..<30_000 {
            let value = random.next() >> (20 + random.next() % 40)
            whole.recordCapped(value)
            parts[place % 3].recordCapped(value)
        }
        var merged = SparseHistogram()
        for part in parts {
            let text = try JSONEncoder().encode(SparseHistogram(part))
            merged.add(try JSONDecoder().decode(SparseHistogram.self, from: text))
        }
        #expect(merged == SparseHistogram(whole))
        #expect(merged.count == 30_000)
    }

    @Test("a report survives its file, and an odd list of counts is refused")
    func file() throws {
        let report = Synthetic.report(seed: 4, seconds: 10, factor: 1)
        let text = try ReportFile.json(report)
        #expect(try ReportFile.decode(RunReport.self, Array(text.utf8), "x") == report)
        #expect(throws: FileError.self) { try ReportFile.decode(SparseHistogram.self, Array("[1,2,3]".utf8), "x") }
        #expect(throws: FileError.self) { try ReportFile.decode(RunReport.self, Array("{}".utf8), "x") }
    }

    @Test("reports whose intervals differ in length are merged at the longer")
    func lengths() {
        func report(_ asked: [Int], seconds: Double) -> RunReport {
            var report = RunReport()
            report.intervalSeconds = seconds
            for count in asked {
                report.intervals.append(Interval())
                report.intervals[report.intervals.count - 1].asked = count
            }
            return report
        }
        let long = report([10, 20], seconds: 2)
        for (short, wanted) in [([1, 2, 3, 4, 5], [13, 27, 5]), ([1, 2, 3, 4], [13, 27])] {
            for var sum in [long, report(short, seconds: 1)] {
                sum.add(sum.intervalSeconds == 2 ? report(short, seconds: 1) : long)
                #expect(sum.intervalSeconds == 2 && sum.intervals.map(\.asked) == wanted)
            }
        }
    }

    @Test(
        "conditions are read and judged",
        arguments: [
            ("p50<5ms", true), ("p50<3ms", false), ("p99<1s,errors<0.1%", true), ("errors<0", false), ("rate>90", true),
            ("rate>1000/s", false), ("mean<10ms,max<1h", true), ("get:p50<5ms", false), ("errors<=0%", true),
            ("errors>=0%,rate<=1000/s", true),
        ])
    func objectives(text: String, isMet: Bool) throws {
        let report = Synthetic.report(seed: 5, seconds: 10, factor: 1)
        #expect(try Objective(parsing: text).judge(report).allSatisfy { $0.isMet } == isMet)
    }

    @Test(
        "what is no condition is refused",
        arguments: ["", "p99", "p99<", "p101<1s", "p99<5", "q<1s", "errors<200%", "x:p99<1s", "p99<1s,"])
    func badObjectives(text: String) {
        #expect(throws: QuantityError.self) { try Objective(parsing: text) }
    }

    @Test("doubts are raised for lag, unsent arrivals, waits and busy loops, and for nothing else")
    func validity() {
        var report = Synthetic.report(seed: 6, seconds: 10, factor: 1)
        #expect(Validity.doubts(about: report).isEmpty)
        report.lag = SparseHistogram([.init(value: 10_000_000, count: 1000)])
        #expect(Validity.doubts(about: report).count == 1)
        report.mode = "closed loop"
        #expect(Validity.doubts(about: report).isEmpty)
        report.mode = "open loop"
        report.missed = 1
        report.generator.waitedForConnection = 500
        report.generator.busy = [0.2, 0.95]
        #expect(Validity.doubts(about: report).count == 4)
        #expect(Validity.doubts(about: RunReport()) == ["nothing was measured"])
    }

    @Test("a run compared with itself differs in nothing, and a slower one is worse")
    func compare() {
        let a = Synthetic.report(seed: 7, seconds: 60, factor: 1)
        #expect(!Comparison(a, a).differs)
        let slow = Comparison(a, Synthetic.report(seed: 8, seconds: 60, factor: 1.2))
        #expect(slow.isWorse)
        #expect(slow.rows.first { $0.measure == "p95" }?.verdict == .worse)
        let quick = Comparison(a, Synthetic.report(seed: 9, seconds: 60, factor: 0.8))
        #expect(quick.differs && !quick.isWorse)
    }

    @Test("a few seconds are too little to tell anything")
    func shortRuns() {
        let short = Synthetic.report(seed: 1, seconds: 4, factor: 1)
        #expect(Comparison(short, short).rows.first?.verdict == .unknown)
    }

    @Test("errors are compared as shares")
    func errors() {
        let a = Synthetic.report(seed: 1, seconds: 30, factor: 1)
        var b = a
        b.arrivals.failures = ["timeout": 30]
        #expect(Comparison(a, b).rows.first { $0.measure == "errors" }?.verdict == .worse)
        #expect(Comparison(b, b).rows.first { $0.measure == "errors" }?.verdict == .same)
    }

    @Test("against a run that measured nothing there is nothing to tell")
    func nothingToCompare() {
        let a = Synthetic.report(seed: 1, seconds: 30, factor: 1)
        var b = a
        for place in b.intervals.indices { b.intervals[place] = Interval() }
        b.arrivals = FiguresReport()
        b.arrivals.failures = ["timeout": 9]
        for row in Comparison(b, a).rows where row.measure != "errors" { #expect(row.verdict == .unknown) }
    }

    @Test("a plan multiplies out")
    func plan() throws {
        let work = SizingPlan.Work(
            name: "pulls", perDay: 864_000, capacity: 50, bytesOut: 1e6, bytesIn: 0, stored: 2e6, source: "test")
        var plan = SizingPlan(work: [work])
        plan.peak = 5
        plan.filling = 0.5
        plan.spares = 1
        plan.keptDays = 10
        plan.copies = 2
        #expect(plan.nodes == 3)
        #expect(plan.bitsOut == 4e8)
        #expect(plan.storage == 864_000 * 2e6 * 20)
        #expect(plan.lines.contains("Assumptions"))
        #expect(throws: RunError.self) { try SizingPlan.Work("pulls", perDay: 1, from: RunReport(), stores: false) }
    }
}
