import LoadKit
import Testing

@Suite("Schedules")
struct TimingTests {
    @Test(
        "durations read as written",
        arguments: [
            ("40s", 40e9), ("200ms", 2e8), ("1m30s", 9e10), ("500us", 5e5), ("1.5h", 5.4e12), ("0", 0),
            ("2d", 172_800e9),
        ])
    func durations(text: String, nanoseconds: Double) throws {
        #expect(try Quantity.duration(text).nanoseconds == UInt64(nanoseconds))
    }

    @Test(
        "text that is no duration is refused",
        arguments: ["", "5", "s", "-1s", "1x", "1s2", "1e3s", "99999999d", "1..5s"])
    func badDurations(text: String) {
        #expect(throws: QuantityError.self) { try Quantity.duration(text) }
    }

    @Test(
        "sizes read with decimal and binary units",
        arguments: [("4096", 4096), ("64KiB", 65_536), ("1.5GB", 1_500_000_000)])
    func sizes(text: String, bytes: Int) throws {
        #expect(try Quantity.bytes(text) == bytes)
    }

    @Test("text that is no size is refused", arguments: ["", "-1", "1PiBB", "KiB", "1e400", "nan", "9999999PB"])
    func badSizes(text: String) {
        #expect(throws: QuantityError.self) { try Quantity.bytes(text) }
    }

    @Test("a constant rate has each arrival at its exact moment, after a million too")
    func constant() throws {
        let schedule = try Schedule(stages: [.constant(3000, lasting: .seconds(400))])
        var count: UInt64 = 0
        var worst: UInt64 = 0
        for arrival in ArrivalSequence(schedule) {
            let exact = UInt64(Double(count) * 1e9 / 3000)
            worst = max(worst, arrival.offset > exact ? arrival.offset - exact : exact - arrival.offset)
            count += 1
        }
        #expect(count == 1_200_000)
        #expect(worst <= 1000)
    }

    @Test("shares of a schedule are disjoint and together the whole", arguments: Schedule.Spacing.allCases)
    func shares(spacing: Schedule.Spacing) throws {
        let stages: [Stage] = [
            .ramp(from: 10, to: 300, lasting: .seconds(3)),
            .burst(size: 7, every: .milliseconds(500), lasting: .seconds(2)),
            .constant(100, lasting: .seconds(1)),
        ]
        let schedule = try Schedule(stages: stages, spacing: spacing, seed: 9)
        let whole = Array(ArrivalSequence(schedule))
        let parts = (0..<3).flatMap { Array(ArrivalSequence(schedule, share: $0, of: 3)) }
        #expect(parts.sorted { $0.index < $1.index } == whole)
        #expect(whole.map(\.index) == Array(0..<UInt64(whole.count)))
    }

    @Test("a ramp asks for the area under its line, more densely towards its end")
    func ramp() throws {
        let schedule = try Schedule(stages: [.ramp(from: 0, to: 200, lasting: .seconds(10))])
        let offsets = ArrivalSequence(schedule).map { Double($0.offset) / 1e9 }
        #expect(offsets.count == 1000)
        // N(t) = 10 t^2: half of the time has a quarter of the arrivals.
        #expect(offsets.filter { $0 < 5 }.count == 250)
        #expect(offsets == offsets.sorted())
    }

    @Test("a ramp that rises by next to nothing has its arrivals too")
    func slowRamp() throws {
        let schedule = try Schedule(stages: [.ramp(from: 0, to: 1e-5, lasting: .seconds(20_000_000))])
        let offsets = ArrivalSequence(schedule).map { Double($0.offset) / 1e9 }
        // N(t) = t^2 / 4e12
        #expect(offsets.count == 100)
        #expect(offsets.enumerated().allSatisfy { abs($1 * $1 / 4e12 - Double($0)) < 1e-6 })
    }

    @Test("bursts come whole and on time")
    func bursts() throws {
        let schedule = try Schedule(stages: [.burst(size: 5, every: .seconds(2), lasting: .seconds(5))])
        let offsets = ArrivalSequence(schedule).map(\.offset)
        #expect(offsets == [0, 2, 4].flatMap { Array(repeating: UInt64($0) * 1_000_000_000, count: 5) })
    }

    @Test("Poisson arrivals repeat with their seed, keep their rate and have exponential gaps")
    func poisson() throws {
        func offsets(_ seed: UInt64) throws -> [UInt64] {
            let stages = [Stage.constant(1000, lasting: .seconds(50))]
            return ArrivalSequence(try Schedule(stages: stages, spacing: .poisson, seed: seed)).map(\.offset)
        }
        let first = try offsets(4)
        #expect(try first == offsets(4))
        #expect(try first != offsets(5))
        // 50,000 arrivals: five standard deviations are 2.2 %.
        #expect(abs(Double(first.count) / 50_000 - 1) < 0.0224)
        let gaps = zip(first, first.dropFirst()).map { Double($1 - $0) }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let deviation = (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot()
        #expect(abs(deviation / mean - 1) < 0.05)
    }

    @Test(
        "impossible schedules are refused",
        arguments: [
            [Stage.constant(-1, lasting: .seconds(1))], [.constant(.infinity, lasting: .seconds(1))],
            [.constant(.nan, lasting: .seconds(1))], [.constant(1e12, lasting: .seconds(1))],
            [.constant(0, lasting: .seconds(1))], [.constant(5, lasting: .zero)], [.constant(5, lasting: .seconds(-3))],
            [.burst(size: 0, every: .seconds(1), lasting: .seconds(1))],
            [.burst(size: 5, every: .zero, lasting: .seconds(1))],
            [.burst(size: 5, every: Duration.seconds(Int64.max) * 4, lasting: .seconds(1))],
            Array(repeating: .constant(1, lasting: .seconds(31_000_000)), count: 11),
            [],
        ])
    func impossible(stages: [Stage]) {
        #expect(throws: ScheduleError.self) { try Schedule(stages: stages) }
    }

    @Test("warm-up and cool-down keep the rates of the ends")
    func surrounded() throws {
        let schedule = try Schedule(stages: [.ramp(from: 10, to: 30, lasting: .seconds(10))])
        let whole = try schedule.surrounded(before: .seconds(2), after: .seconds(1))
        #expect(whole.arrivals == 20 + 200 + 30)
        #expect(whole.length == .seconds(13))
    }

    @Test(
        "dates come out right",
        arguments: [
            (0.0, "1970-01-01 00:00:00 UTC"), (951_782_400, "2000-02-29 00:00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59:59 UTC"),
        ])
    func dates(seconds: Double, text: String) {
        #expect(CivilTime.text(seconds) == text)
    }
}
