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

    @Test("doubts are raised for lag, missed arrivals, waits and busy loops, and for nothing else")
    func validity() {
        var report = Synthetic.report(seed: 6, seconds: 10, factor: 1)
        #expect(Validity.doubts(about: report, isOpen: true).isEmpty)
        report.lag = SparseHistogram([.init(value: 10_000_000, count: 1000)])
        #expect(Validity.doubts(about: report, isOpen: true).count == 1)
        #expect(Validity.doubts(about: report, isOpen: false).isEmpty)
        report.missed = 1
        report.generator.waitedForConnection = 500
        report.generator.busy = [0.2, 0.95]
        #expect(Validity.doubts(about: report, isOpen: true).count == 4)
        #expect(Validity.doubts(about: RunReport(), isOpen: true) == ["nothing was measured"])
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

    @Test("two equal runs raise an alarm at most one time in twenty, and 5 % more time is found four times in five")
    func power() {
        var alarms = 0, found = 0
        for round in 0..<60 {
            let seed = UInt64(100 + round * 3)
            let a = Synthetic.report(seed: seed, seconds: 60, factor: 1)
            alarms += Comparison(a, Synthetic.report(seed: seed + 1, seconds: 60, factor: 1)).differs ? 1 : 0
            let slow = Comparison(a, Synthetic.report(seed: seed + 2, seconds: 60, factor: 1.05))
            found += slow.rows.first { $0.measure == "p95" }?.verdict == .worse ? 1 : 0
        }
        // 60 draws at 5 %: more than 7 would happen once in a hundred times. The seeds are fixed.
        #expect(alarms <= 7)
        #expect(found >= 48)
    }

    @Test("a few seconds are too little to tell anything")
    func shortRuns() {
        let short = Synthetic.report(seed: 1, seconds: 3, factor: 1)
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

    @Test(
        "the search finds a knee within 5 % in at most 12 probes, from far above and far below, one probe in ten spoilt"
    )
    func capacity() {
        var misses = 0
        for round in 0..<200 {
            var random = SeededRandom(seed: UInt64(round))
            let knee = 20 * pow(10, 2.5 * random.unit())
            var search = CapacitySearch(start: 5 * pow(10, 2 * random.unit()))
            while case .probe(let rate) = search.step {
                let isOver = rate > knee
                let isSpoilt = random.unit() < 0.1
                search.take(
                    ProbeResult(
                        rate: rate, outcome: isOver || isSpoilt ? .missed : .passed, isPlain: isOver,
                        throughput: min(rate, knee) * (0.97 + 0.03 * random.unit()), confidence: 1, summary: ""))
            }
            #expect(search.answer.probes.count <= CapacitySearch.mostProbes)
            if abs(search.answer.rate / knee - 1) > 0.05 { misses += 1 }
        }
        #expect(misses <= 10)
    }

    @Test("a target that keeps nothing, or everything, ends the search")
    func extremes() {
        for passes in [true, false] {
            var search = CapacitySearch(start: 10, ceiling: 1000)
            while case .probe(let rate) = search.step {
                search.take(
                    ProbeResult(
                        rate: rate, outcome: passes ? .passed : .missed, isPlain: true, throughput: passes ? rate : 0,
                        confidence: 1, summary: ""))
            }
            #expect(search.answer.rate == (passes ? 1000 : 0))
            #expect(search.answer.failedAt == nil || !passes)
        }
    }

    @Test("a queue that grows is too much even before the objective is missed")
    func rising() throws {
        let judge = ProbeJudge(objective: try Objective(parsing: "p99<200ms"))
        var steady = Synthetic.report(seed: 3, seconds: 20, factor: 1)
        #expect(judge.judge(steady, rate: 100).outcome == .passed)
        for place in steady.intervals.indices {
            steady.intervals[place] = Synthetic.interval(seed: UInt64(place), count: 100, level: 1 + Double(place))
        }
        #expect(judge.judge(steady, rate: 100).outcome == .rising)
    }

    @Test(
        "a growing queue is seen whatever the objective is about",
        arguments: ["p99<200ms", "get:p95<200ms", "errors<1%", "rate>1"])
    func risingAnyhow(objective: String) throws {
        let judge = ProbeJudge(objective: try Objective(parsing: objective), timeout: .milliseconds(500))
        var report = Synthetic.report(seed: 3, seconds: 20, factor: 1)
        report.operations["get"] = report.arrivals
        #expect(judge.judge(report, rate: 100).outcome == .passed)
        for place in report.intervals.indices {
            report.intervals[place] = Synthetic.interval(seed: UInt64(place), count: 100, level: 1 + Double(place))
        }
        let result = judge.judge(report, rate: 100)
        #expect(result.outcome == .rising && result.isPlain)
    }

    @Test("a stall near the end of a probe is no proof of a queue: the rate is tried again")
    func stall() throws {
        let judge = ProbeJudge(objective: try Objective(parsing: "p99<50ms"))
        var report = Synthetic.report(seed: 3, seconds: 50, factor: 1)
        for place in report.intervals.indices {
            // 60 ms at once, worked off within ten intervals; before it no trend but a hair's breadth of one.
            let late = place >= 38 ? max(0, 15 - 1.5 * Double(place - 38)) : 0
            report.intervals[place] = Synthetic.interval(
                seed: UInt64(place), count: 400, level: 1 + late + 0.001 * Double(place))
        }
        report.arrivals.latency = SparseHistogram([
            .init(value: 60_000_000, count: 400), .init(value: 4_000_000, count: 19_600),
        ])
        let result = judge.judge(report, rate: 400)
        #expect(result.outcome != .passed && !result.isPlain)
    }

    @Test("where the objective asks for a rate, the search begins there and looks no lower")
    func leastRate() throws {
        #expect(try Objective(parsing: "p95<50ms,rate>100,get:rate>500,rate>=200").leastRate == 200)
        #expect(try Objective(parsing: "p95<50ms,rate<100").leastRate == 0)
        for knee in [1000.0, 90] {
            var search = CapacitySearch(start: 50, floor: 105)
            while case .probe(let rate) = search.step {
                #expect(rate >= 105)
                search.take(
                    ProbeResult(
                        rate: rate, outcome: rate > knee ? .missed : .passed, isPlain: rate > knee,
                        throughput: min(rate, knee), confidence: 1, summary: ""))
            }
            #expect(knee > 105 ? abs(search.answer.rate / knee - 1) < 0.05 : search.answer.rate == 0)
        }
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

    @Test("a pass by luck is tried again, and the second probe counts")
    func luckyPass() {
        var search = CapacitySearch(start: 50)
        var isLucky = true
        while case .probe(let rate) = search.step {
            // The first rate above the knee of 500 passes once, with a chance of 60 %.
            let passesByLuck = rate > 500 && rate < 560 && isLucky
            if passesByLuck { isLucky = false }
            search.take(
                ProbeResult(
                    rate: rate, outcome: rate <= 500 || passesByLuck ? .passed : .missed, isPlain: rate > 500,
                    throughput: min(rate, 560), confidence: passesByLuck ? 0.6 : 1, summary: ""))
        }
        #expect(!isLucky)
        #expect((475...500).contains(search.answer.rate), "\(search.answer.rate)")
    }

    @Test("a bound that was set by chance, twice over, is found out by a look above it")
    func secondLook() {
        var search = CapacitySearch(start: 50)
        var spoilt = 0
        while case .probe(let rate) = search.step {
            // Two stalls in a row at the first rate within a tenth of the knee of 500.
            let isSpoilt = rate > 450 && rate <= 500 && spoilt < 2
            if isSpoilt { spoilt += 1 }
            search.take(
                ProbeResult(
                    rate: rate, outcome: rate > 500 || isSpoilt ? .missed : .passed, isPlain: rate > 510,
                    throughput: min(rate, 480), confidence: 1, summary: ""))
        }
        #expect(spoilt == 2)
        #expect(abs(search.answer.rate / 500 - 1) < 0.05, "\(search.answer.rate)")
        #expect(search.answer.failedAt ?? 0 > search.answer.rate)
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
