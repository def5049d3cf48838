import LoadKit
import Testing

@Suite("Capacity of queues that are known")
struct CapacityTests {
    static let queues = [
        Queue.exponential(100, bound: 0.2), .constant(100, bound: 0.2), .exponential(300, bound: 0.2),
        .constant(300, bound: 0.2), .exponential(300, bound: 0.05), .constant(500, bound: 0.05, percentile: 95),
        .cliff(700, bound: 0.05),
    ]

    @Test("arithmetic agrees with a long run of the queue", arguments: queues.filter { $0.spacing == .poisson })
    func arithmetic(queue: Queue) throws {
        let judge = ProbeJudge(objective: try Objective(parsing: queue.objective))
        // At the capacity the bound is broken by just what the percentile allows; a tenth less, or more, of it comes at a rate
        // that is some parts in a thousand off.
        for (factor, isBroken) in [(0.985, false), (1.012, true)] {
            let report = try queue.probe(rate: queue.capacity * factor, length: .seconds(20_000), seed: 5)
            let seen = judge.judge(report, wanted: queue.capacity).evidence[0]
            #expect((seen.bad > seen.allowed * seen.total) == isBroken, "\(factor): \(seen)")
        }
    }

    @Test("19 of 20 searches come within 5 %, each with seeds of its own, and 14 intervals hold it", arguments: queues)
    func searches(queue: Queue) async throws {
        var (hits, held) = (0, 0)
        for seed in 1...20 {
            let answer = try await queue.search(seed: UInt64(seed))
            if abs(answer.rate / queue.capacity - 1) <= 0.05 { hits += 1 }
            if answer.low <= queue.capacity, queue.capacity <= answer.high ?? 0 { held += 1 }
            #expect(answer.probes.count <= CapacitySearch.mostProbes)
            #expect(answer.low <= answer.rate && answer.rate <= answer.high ?? 0)
        }
        #expect(hits >= 19, "\(hits)")
        #expect(held >= 14, "\(held)")
    }

    @Test("what is judged and told is the rate that was sent, not the one that was wanted")
    func sentRate() throws {
        let queue = Queue.exponential(300, bound: 0.2)
        let report = try queue.probe(rate: 100, length: .seconds(10), seed: 3)
        let result = ProbeJudge(objective: try Objective(parsing: queue.objective)).judge(report, wanted: 100)
        #expect(result.rate == Double(report.asked) / 10 && result.rate != 100 && result.wanted == 100)
    }

    @Test("no two probes of a search send the same arrivals")
    func seeds() async throws {
        let probes = try await Queue.exponential(300, bound: 0.2).search(seed: 1).probes
        #expect(Set(probes.map(\.arrivals)).count > probes.count / 2)
    }

    @Test(
        "a probe has arrivals enough for its percentile",
        arguments: [("p99<200ms", 1000.0), ("p99.9<1s", 10_000), ("p50<1s,errors<0.1%", 1000), ("mean<1s", 100)])
    func enough(objective: String, arrivals: Double) throws {
        let judge = ProbeJudge(objective: try Objective(parsing: objective))
        #expect(abs(judge.leastArrivals / arrivals - 1) < 1e-6)
        let length = judge.length(at: 20, wanted: .seconds(1), isFine: false)
        #expect(length.inSeconds * 20 >= min(arrivals * (1 - 1e-6), 12_000))
        #expect(judge.length(at: 1e6, wanted: .seconds(7), isFine: false) == .seconds(7))
        #expect(judge.length(at: 1e-9, wanted: .seconds(7), isFine: true) == ProbeJudge.longest)
    }

    @Test("a target that keeps nothing, or everything, ends the search")
    func extremes() {
        for passes in [true, false] {
            var search = CapacitySearch(start: 10, ceiling: 1000)
            while case .probe(let rate) = search.step {
                search.take(
                    ProbeResult(
                        rate: rate, outcome: passes ? .passed : .missed,
                        evidence: [Evidence(bad: passes ? 0 : 100, total: 100, allowed: 0.01)],
                        throughput: passes ? rate : 0))
            }
            #expect(search.answer.rate == (passes ? 1000 : 0))
            #expect((search.answer.high == nil) == passes)
            #expect(search.answer.probes.count < CapacitySearch.mostProbes)
        }
    }

    @Test("where the objective asks for a rate, the search begins there and looks no lower")
    func leastRate() throws {
        #expect(try Objective(parsing: "p95<50ms,rate>100,get:rate>500,rate>=200").leastRate == 200)
        #expect(try Objective(parsing: "p95<50ms,rate<100").leastRate == 0)
        for knee in [1000.0, 90] {
            var search = CapacitySearch(start: 50, floor: 105)
            while case .probe(let rate) = search.step {
                #expect(rate >= 105)
                let isOver = rate > knee
                search.take(
                    ProbeResult(
                        rate: rate, outcome: isOver ? .missed : .passed,
                        evidence: [Evidence(bad: isOver ? 1000 : 0, total: 1000, allowed: 0.01)],
                        throughput: min(rate, knee)))
            }
            #expect(knee > 105 ? abs(search.answer.rate / knee - 1) < 0.05 : search.answer.rate == 0)
        }
    }

    @Test(
        "the generator ends a search where it is what gives way, not by one moment far below", arguments: [true, false])
    func generatorsLimit(isItsOwn: Bool) {
        var search = CapacitySearch(start: 100)
        var isSpoiled = true
        while case .probe(let rate) = search.step {
            let isOver = rate > 600
            let outcome: ProbeResult.Outcome =
                isOver ? (isItsOwn ? .generator : .missed) : isSpoiled && rate > 150 ? .generator : .passed
            if outcome == .generator { isSpoiled = false }
            search.take(
                ProbeResult(
                    rate: rate, outcome: outcome,
                    evidence: [Evidence(bad: outcome == .passed ? 0 : isOver ? 1000 : 15, total: 1000, allowed: 0.01)],
                    throughput: min(rate, 600)))
        }
        #expect(search.answer.isGeneratorBound == isItsOwn)
        #expect(abs(search.answer.rate / 600 - 1) < 0.1)
    }

    /// A report whose latency climbs.
    private func climbing(_ seconds: Int, _ level: (Int) -> Double) -> RunReport {
        var report = Synthetic.report(seed: 3, seconds: seconds, factor: 1)
        report.operations["get"] = report.arrivals
        for place in report.intervals.indices {
            report.intervals[place] = Synthetic.interval(seed: UInt64(place), count: 100, level: level(place))
        }
        return report
    }

    @Test(
        "a growing queue is too much before the objective is missed, whatever that is about",
        arguments: ["p99<200ms", "get:p95<200ms", "errors<1%", "rate>1"])
    func rising(objective: String) throws {
        let judge = ProbeJudge(objective: try Objective(parsing: objective), timeout: .milliseconds(500))
        #expect(judge.judge(climbing(20) { _ in 1 }, wanted: 100).outcome == .passed)
        #expect(judge.judge(climbing(20) { 1 + Double($0) }, wanted: 100).outcome == .rising)
    }

    @Test("a stall is no growing queue, wherever in a probe it comes", arguments: [5, 20, 38, 45])
    func stall(at moment: Int) throws {
        let judge = ProbeJudge(objective: try Objective(parsing: "p99<500ms"))
        // 60 ms at once, worked off within ten intervals; else no trend but a hair's breadth of one.
        let report = climbing(50) { place in
            1 + (place >= moment ? max(0, 15 - 1.5 * Double(place - moment)) : 0) + 0.001 * Double(place)
        }
        #expect(judge.judge(report, wanted: 400).outcome == .passed)
    }

    @Test("what the generator's own lag may have missed is the generator's limit, not the target's")
    func lag() throws {
        let judge = ProbeJudge(objective: try Objective(parsing: "p99<50ms"))
        var report = Synthetic.report(seed: 3, seconds: 20, factor: 1)
        report.arrivals.latency = SparseHistogram([.init(value: 80_000_000, count: 8000)])
        report.arrivals.service = SparseHistogram([.init(value: 4_000_000, count: 8000)])
        #expect(judge.judge(report, wanted: 400).outcome == .generator)
        report.arrivals.service = report.arrivals.latency
        #expect(judge.judge(report, wanted: 400).outcome == .missed)
    }
}
