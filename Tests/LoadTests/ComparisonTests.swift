import LoadKit
import Testing

@Suite("Comparisons of runs whose law is known")
struct ComparisonTests {
    /// Of `pairs` comparisons of a run with another of the same law, those that call anything different, and of as many with one
    /// whose times are longer by a twentieth, those that find it in p95.
    private func tally(_ pairs: Int, seconds: Int, memory: Double) async -> (alarms: Int, found: Int) {
        var (alarms, found) = (0, 0)
        for round in 0..<pairs {
            // Others have their turn: tests share few threads.
            await Task.yield()
            let seed = UInt64(1000 + round * 3)
            func run(_ place: UInt64, _ factor: Double) -> RunReport {
                Synthetic.report(
                    seed: seed + place, seconds: seconds, factor: factor, rate: seconds == 60 ? 400 : 200,
                    memory: memory)
            }
            let a = run(0, 1)
            alarms += Comparison(a, run(1, 1)).differs ? 1 : 0
            found += Comparison(a, run(2, 1.05)).rows.first { $0.measure == "p95" }?.verdict == .worse ? 1 : 0
        }
        return (alarms, found)
    }

    @Test(
        "one comparison of equal runs in twenty raises an alarm, however short they are", arguments: [5, 8, 12, 20, 60])
    func alarms(seconds: Int) async {
        let (alarms, found) = await tally(300, seconds: seconds, memory: 0)
        #expect(alarms <= 15, "\(alarms)")
        // Five per cent are little beside what seconds of few arrivals differ by; a minute of 400/s finds them.
        if seconds == 60 { #expect(found >= 240, "\(found)") }
    }

    @Test(
        "seconds that take after the one before them raise no more alarms, where there are enough to tell",
        arguments: [20, 60])
    func moods(seconds: Int) async {
        #expect(await tally(300, seconds: seconds, memory: 0.4).alarms <= 15)
    }

    @Test("of a percentile that has too few arrivals beyond it nothing is told")
    func fewArrivals() {
        let report = Synthetic.report(seed: 1, seconds: 20, factor: 1, rate: 20)
        let verdicts = Comparison(report, report).rows.map { ($0.measure, $0.verdict) }
        #expect(verdicts.first { $0.0 == "p99" }?.1 == .unknown && verdicts.first { $0.0 == "p95" }?.1 == .same)
    }

    /// A run of one scenario whose times are all `milliseconds`.
    private func run(_ milliseconds: UInt64, failed: Int = 0) -> RunReport {
        var report = RunReport()
        report.scenario = "push"
        report.arrivals.succeeded = 100
        if failed > 0 { report.arrivals.failures = ["timeout": failed] }
        report.arrivals.latency = SparseHistogram([.init(value: milliseconds * 1_000_000, count: 100)])
        return report
    }

    @Test("rounds: the best decides, against the baseline's median and only where that is passed by far")
    func rounds() {
        let baseline = Rounds.Baseline(date: "", machine: "", ratios: ["push.p50": 0.5, "push.p95": 0.5])
        func rows(_ times: [UInt64]) -> [Bool] {
            Rounds(times.map { (run(100), run($0)) }, baseline: baseline).rows.map(\.isSlower)
        }
        #expect(rows([500, 60, 900]) == [false, false])
        #expect(rows([500, 110, 900]) == [true, false])
        #expect(rows([500, 160, 900]) == [true, true])
        let row = Rounds([(run(100), run(500)), (run(100), run(60)), (run(50), run(45))], baseline: nil).rows[0]
        #expect(row.key == "push.p50" && row.a == 100 && row.b == 60)
        #expect(abs(row.ratio - 0.9) < 1e-9 && abs(row.best - 0.6) < 1e-9 && !row.isSlower)
        #expect(!Rounds([(run(100), run(10, failed: 1))], baseline: baseline).isFine)
        #expect(Rounds([(run(100, failed: 1), run(10))], baseline: baseline).isFine)
    }
}
