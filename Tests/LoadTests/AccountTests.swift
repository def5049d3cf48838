import Foundation
import LoadKit
import Synchronization
import Testing

@Suite("Every arrival of the schedule is accounted for")
struct AccountTests {
    /// A way in which a run can end.
    struct End: CustomTestStringConvertible, Sendable {
        let testDescription: String
        var rate = 200.0
        var spacing = Schedule.Spacing.poisson
        var reply = TestServer.Reply.answer(200, [], "")
        /// So many requests seen end it.
        var stopsAt = Int.max
        /// So many lines of progress end it.
        var tells = Int.max
        /// Some of the schedule is then never begun; absent where chance decides it.
        var leavesSome: Bool? = false
        /// Each arrival holds its loop for a millisecond: no machine begins more than a thousand a second and loop.
        var isSlowToBegin = false
        var change: @Sendable (inout RunSettings) -> Void = { _ in }
    }

    static let ends = [
        End(testDescription: "at its end"),
        End(testDescription: "at its end, with warm-up and cool-down, on three loops") {
            ($0.threads, $0.warmUp, $0.coolDown) = (3, .milliseconds(300), .milliseconds(200))
        },
        End(testDescription: "one share of three") { ($0.share, $0.shares) = (1, 3) },
        End(testDescription: "every answer a 503", reply: .answer(503, [], "")),
        End(testDescription: "no answer at all", reply: .silence) { $0.requestTimeout = .milliseconds(300) },
        End(testDescription: "connections cut", reply: .hangUp),
        End(testDescription: "no room to wait", reply: .silence) {
            ($0.connections.limit, $0.connections.waitingLimit, $0.requestTimeout) = (1, 4, .milliseconds(300))
        },
        End(testDescription: "too many under way", reply: .silence) {
            ($0.activeLimit, $0.requestTimeout) = (20, .milliseconds(1500))
        },
        End(
            testDescription: "far behind, until it is given up", rate: 20_000, spacing: .constant, leavesSome: true,
            isSlowToBegin: true
        ) { $0.requestTimeout = .milliseconds(100) },
        End(testDescription: "stopped", stopsAt: 50, leavesSome: nil) { $0.threads = 2 },
        End(testDescription: "stopped while nothing is answered", reply: .silence, stopsAt: 50, leavesSome: nil) {
            $0.threads = 2
        },
        End(
            testDescription: "stopped far behind", rate: 20_000, spacing: .constant, stopsAt: 50, leavesSome: true,
            isSlowToBegin: true
        ) { ($0.threads, $0.requestTimeout) = (2, .milliseconds(200)) },
        End(testDescription: "seen enough", tells: 1, leavesSome: nil),
    ]

    private struct Gets: Workload {
        let request: Request
        let isSlow: Bool

        func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork {
            if isSlow { usleep(1000) }
            return .request(request)
        }
    }

    private struct Stops: StopSignal {
        let server: TestServer
        let count: Int
        var isStopped: Bool { server.asked.count >= count }
    }

    @Test("asked is what the schedule says, and sent, missed and given up make it up", arguments: ends)
    func sum(end: End) async throws {
        let server = try await TestServer { _ in end.reply }
        let target = try Target(parsing: server.url)
        let schedule = try Schedule(
            stages: [.constant(end.rate, lasting: .seconds(2))], spacing: end.spacing, seed: 9)
        var settings = RunSettings(profile: .open(schedule))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        end.change(&settings)
        var lines = 0
        let report = try await Generator.with(settings) { generator in
            try await generator.run(
                Gets(request: Request(.get, "GET", target.endpoint, "/"), isSlow: end.isSlowToBegin),
                stop: Stops(server: server, count: end.stopsAt)
            ) { _ in
                lines += 1
                return lines < end.tells
            }
        }
        #expect(report.asked == report.sent + report.missed + report.givenUp)
        #expect(report.asked == report.arrivals.total, "\(report.arrivals)")
        #expect(report.intervals.reduce(0) { $0 + $1.asked } == report.asked)
        #expect(report.intervals.reduce(0) { $0 + $1.succeeded + $1.failed } == report.asked)
        #expect(report.lag.count == UInt64(report.sent))
        let whole = try schedule.surrounded(before: settings.warmUp, after: settings.coolDown)
        let first = settings.warmUp.inSeconds
        let wanted = ArrivalSequence(whole, share: settings.share, of: settings.shares).count {
            (first..<(first + report.seconds)).contains(Double($0.offset) / 1e9)
        }
        // The end of an early one is told in seconds: one arrival may lie on the edge of its last digit.
        #expect(abs(report.asked - wanted) <= (report.isInterrupted ? 1 : 0), "\(report.asked), not \(wanted)")
        if let leavesSome = end.leavesSome { #expect((report.givenUp > 0) == leavesSome, "\(report.givenUp)") }
        #expect((report.missed > 0) == (end.testDescription == "too many under way"))
        try await server.stop()
    }

    @Test("in a closed loop all that is asked is sent, however it ends", arguments: [Int.max, 20])
    func closed(stopsAt: Int) async throws {
        let server = try await TestServer { _ in .late(.milliseconds(5), .answer(200, [], "")) }
        let target = try Target(parsing: server.url)
        var settings = RunSettings(profile: .closed(clients: 4, lasting: .seconds(1)))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let report = try await Generator.with(settings) {
            try await $0.run(
                SingleRequest(Request(.get, "GET", target.endpoint, "/")), stop: Stops(server: server, count: stopsAt))
        }
        #expect(report.asked > 0 && report.asked == report.sent && report.missed == 0 && report.givenUp == 0)
        #expect(report.asked == report.arrivals.total)
        try await server.stop()
    }

    @Test("agents' parts add up to the whole")
    func parts() {
        var (first, second) = (RunReport(), RunReport())
        (first.asked, first.sent, first.missed, first.givenUp) = (10, 6, 3, 1)
        (second.asked, second.sent, second.missed, second.givenUp) = (20, 15, 0, 5)
        first.add(second)
        #expect((first.asked, first.sent, first.missed, first.givenUp) == (30, 21, 3, 6))
    }

    @Test("a target that goes away in mid-run is known to be gone, one that stumbles is not", arguments: [true, false])
    func gone(forGood: Bool) async throws {
        let seen = Atomic<Int>(0)
        let server = try await TestServer { _ in
            let place = seen.add(1, ordering: .relaxed).newValue
            return place > 40 && (forGood || place < 80) ? .hangUp : .answer(200, [], "")
        }
        let target = try Target(parsing: server.url)
        let schedule = try Schedule(stages: [.constant(100, lasting: .seconds(1))])
        var settings = RunSettings(profile: .open(schedule))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        settings.connections.closesAfterEach = true
        let report = try await Generator.with(settings) {
            try await $0.run(SingleRequest(Request(.get, "POST", target.endpoint, "/", closes: true)))
        }
        #expect(report.arrivals.succeeded > 0 && report.arrivals.failed > 0)
        #expect(report.isTargetGone == forGood)
        try await server.stop()
    }

    @Test(
        "a few losses at the end of a run that had many before are chance",
        arguments: [(100, 0, 3, true), (100, 0, 2, false), (50, 50, 5, false), (50, 50, 40, true), (0, 0, 9, true)])
    func chance(succeeded: Int, lostBefore: Int, inARow: Int, isGone: Bool) {
        var report = RunReport()
        report.arrivals.succeeded = succeeded
        report.arrivals.failures = ["closed-early": lostBefore + inARow]
        report.lostInARow = inARow
        #expect(report.isTargetGone == isGone)
    }
}
