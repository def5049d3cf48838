import LoadKit
import Testing

@Suite("What a run says of a requirement")
struct VerdictTests {
    /// 1,000 arrivals of 4 ms, sent `lag` late.
    private func report(lag: UInt64 = 0, answer: UInt64 = 4_000_000, failures: [String: Int] = [:]) -> RunReport {
        var report = RunReport()
        (report.mode, report.seconds) = ("open loop", 10)
        report.arrivals.succeeded = 1000
        report.arrivals.failures = failures
        report.arrivals.latency = SparseHistogram([.init(value: answer + lag, count: 1000)])
        report.arrivals.service = SparseHistogram([.init(value: answer, count: 1000)])
        report.lag = SparseHistogram([.init(value: lag, count: 1000)])
        report.asked = report.arrivals.total
        report.missed = failures["not-sent"] ?? 0
        report.sent = report.asked - report.missed
        return report
    }

    private func outcome(_ condition: String, _ report: RunReport) throws -> Outcome {
        try #require(try Objective(parsing: condition).judge(report).first).outcome
    }

    @Test("lag is part of latency: met with it is met, missed without it is missed, between them nobody can tell")
    func lag() throws {
        #expect(try outcome("p99<20ms", report(lag: 10_000_000)) == .met)
        #expect(try outcome("p99<3ms", report(lag: 10_000_000)) == .missed)
        #expect(try outcome("p99<10ms", report(lag: 10_000_000)) == .unknown)
        #expect(try outcome("mean<10ms", report(lag: 10_000_000)) == .unknown)
        #expect(try outcome("max>10ms", report(lag: 10_000_000)) == .unknown)
    }

    @Test("a requirement that lag has nothing to do with is judged whatever the lag")
    func others() throws {
        let bad = report(lag: 900_000_000, failures: ["status-503": 1000])
        #expect(try outcome("errors<1%", bad) == .missed)
        #expect(try outcome("rate>10", bad) == .met)
        let verdicts = try Objective(parsing: "errors<1%,p99<20ms").judge(bad)
        #expect(verdicts.map(\.outcome) == [.missed, .unknown])
        #expect(verdicts[1].reason?.contains("lag") == true)
    }

    @Test(
        "what was never sent could have been good or bad",
        arguments: [
            ("errors<50%", Outcome.met), ("errors<1%", .unknown), ("p99<20ms", .unknown), ("p50<20ms", .met),
            ("p50<1ms", .missed), ("rate>90", .met), ("rate>105", .unknown), ("rate>200", .missed),
        ])
    func unsent(condition: String, wanted: Outcome) throws {
        #expect(try outcome(condition, report(failures: ["not-sent": 100])) == wanted)
    }

    @Test("what a busy loop read late cannot be missed for sure, but met it can be")
    func busy() throws {
        var busy = report()
        busy.generator.busy = [0.97]
        #expect(try outcome("p99<20ms", busy) == .met)
        #expect(try outcome("p99<1ms", busy) == .unknown)
        #expect(try outcome("errors<1%", busy) == .met)
        busy.mode = "closed loop"
        #expect(try outcome("p99<1ms", busy) == .missed)
    }

    @Test("of a part of a run nothing is told, and of what never happened neither")
    func partial() throws {
        var part = report()
        part.isPartial = true
        #expect(try outcome("p99<20ms", part) == .unknown)
        #expect(try outcome("p99<20ms", RunReport()) == .unknown)
        #expect(try outcome("blob.get:p99<20ms", report()) == .unknown)
        var failed = RunReport()
        failed.arrivals.failures = ["status-500": 9]
        #expect(try outcome("p99<20ms", failed) == .missed)
    }

    @Test(
        "quick targets raise no doubt by a lag that is small in itself",
        arguments: [(100_000, true), (900_000, true), (1_500_000, false), (50_000_000, false)])
    func floor(lag: UInt64, isValid: Bool) {
        // A p99 of 1.2 ms, of which lag may be much.
        #expect(Validity.doubts(about: report(lag: lag, answer: 1_200_000)).isEmpty == isValid)
    }

    @Test("a lag of a twentieth of what is told is none, however long")
    func share() {
        #expect(Validity.doubts(about: report(lag: 40_000_000, answer: 900_000_000)).isEmpty)
    }
}
