import HTTPServer
import NIOCore
import Testing

@Suite("A connection's state, without sockets")
struct ConnectionStateTests {
    typealias State = ConnectionState
    private static let start = NIODeadline.uptimeNanoseconds(1_000_000_000_000)

    private static func framing(_ set: (inout State.Framing) -> Void = { _ in }) -> State.Framing {
        var framing = State.Framing()
        set(&framing)
        return framing
    }

    private static let plain = State.Event.head(framing())
    private static let push = State.Event.head(framing { $0.hasBody = true })
    private static let held = State.Event.head(framing { ($0.hasBody, $0.expectsContinue) = (true, true) })
    private static let last = State.Event.head(framing { $0.keepsAlive = false })
    private static let answer = State.Event.answered(closes: false)

    /// What happens in turn, and what is to be done about each.
    struct Story: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let steps: [(State.Event, State.Action)]
    }

    private static let stories: [Story] = [
        Story(
            testDescription: "requests one after the other",
            steps: [
                (plain, .handle), (answer, .send(keepsAlive: true)), (.sent, .proceed),
                (plain, .handle), (answer, .send(keepsAlive: true)), (.sent, .proceed), (.inputEnded, .closeWhenSent),
                (.gone, .none),
            ]),
        Story(
            testDescription: "Connection: close",
            steps: [(last, .handle), (answer, .send(keepsAlive: false)), (.sent, .closeWhenSent), (.gone, .none)]),
        Story(
            testDescription: "a body that comes",
            steps: [
                (push, .handle), (.bodyWanted, .none), (.part(5), .deliver), (.bodyTaken, .none),
                (.bodyEnded, .deliver),
                (answer, .send(keepsAlive: true)), (.sent, .proceed),
            ]),
        Story(
            testDescription: "a body that waits to be asked for",
            steps: [
                (held, .handle), (.bodyWanted, .askForBody), (.bodyWanted, .none), (.part(1), .deliver),
                (.bodyEnded, .deliver), (answer, .send(keepsAlive: true)), (.sent, .proceed),
            ]),
        Story(
            testDescription: "a body that waits to be asked for and never is",
            steps: [(held, .handle), (answer, .send(keepsAlive: false)), (.sent, .closeOutput), (.gone, .none)]),
        Story(
            testDescription: "an answer before the end of the body waits for it",
            steps: [
                (push, .handle), (.part(5), .deliver), (answer, .proceed), (.part(5), .none),
                (.bodyEnded, .send(keepsAlive: true)), (.sent, .proceed),
            ]),
        Story(
            testDescription: "an answer before the end of an endless body does not",
            steps: [
                (push, .handle), (answer, .proceed), (.part(64 << 20), .none), (.part(1), .send(keepsAlive: false)),
                (.sent, .closeOutput), (.part(1), .none), (.bodyEnded, .closeWhenSent),
            ]),
        Story(
            testDescription: "a body that is cut",
            steps: [
                (push, .handle), (.part(5), .deliver), (.inputEnded, .failBody(.cut)), (.part(5), .none),
                (answer, .send(keepsAlive: false)), (.sent, .closeOutput), (.inputEnded, .closeWhenSent),
            ]),
        Story(
            testDescription: "a body that turns out malformed",
            steps: [
                (push, .handle), (.malformed, .failBody(.malformed)), (answer, .send(keepsAlive: false)),
                (.sent, .closeOutput),
            ]),
        Story(
            testDescription: "what is no request",
            steps: [(.malformed, .refuse(.malformed)), (.sent, .closeOutput), (.inputEnded, .closeWhenSent)]),
        Story(
            testDescription: "what comes behind a request and cannot be taken",
            steps: [(plain, .handle), (.malformed, .none), (answer, .send(keepsAlive: false)), (.sent, .closeWhenSent)]),
        Story(
            testDescription: "a client that goes while its handler works",
            steps: [(push, .handle), (.gone, .failBody(.cut)), (answer, .none), (.sent, .none), (plain, .none)]),
        Story(
            testDescription: "a server that stops",
            steps: [(plain, .handle), (.stopping, .none), (answer, .send(keepsAlive: false)), (.sent, .closeWhenSent)]),
        Story(testDescription: "a server that stops while nobody asks", steps: [(.stopping, .closeWhenSent)]),
        Story(
            testDescription: "a handler that wants the connection to end",
            steps: [(plain, .handle), (.answered(closes: true), .send(keepsAlive: false)), (.sent, .closeWhenSent)]),
    ]

    @Test("what happens leads to what is to be done", arguments: stories)
    func told(story: Story) {
        var state = State(.init(), at: Self.start)
        for (index, (event, action)) in story.steps.enumerated() {
            #expect(state.handle(event, at: Self.start) == action, "step \(index): \(event)")
        }
    }

    @Test(
        "whatever is waited for ends after its time",
        arguments: [
            ([], 10, .refuse(.late)), ([plain, answer, .sent], 60, .closeWhenSent), ([push], 30, .failBody(.late)),
            ([plain, answer, .sent, .headBegan], 10, .refuse(.late)),
            ([held], 30, .failBody(.late)), ([push, answer], 30, .send(keepsAlive: false)),
            ([plain, answer], 30, .abort), ([.malformed, .sent], 5, .abort), ([.stopping], 30, .abort),
        ] as [([State.Event], Int64, State.Action)])
    func deadlines(events: [State.Event], seconds: Int64, action: State.Action) {
        var state = State(.init(), at: Self.start)
        for event in events { _ = state.handle(event, at: Self.start) }
        let tick = State.Event.tick(taken: 0, bodyIsLate: false)
        #expect(state.handle(tick, at: Self.start + .seconds(seconds)) == .none)
        #expect(state.handle(tick, at: Self.start + .seconds(seconds) + .nanoseconds(1)) == action)
    }

    @Test("a body that goes on has time, one that trickles has not; the handler's own slowness is not the client's")
    func trickles() {
        let tick = State.Event.tick(taken: nil, bodyIsLate: false)
        for (count, isLate) in [(4096, false), (1, true)] {
            var state = State(.init(), at: Self.start)
            _ = state.handle(Self.push, at: Self.start)
            for second in 1...100 {
                _ = state.handle(.part(count), at: Self.start + .seconds(Int64(second)))
                _ = state.handle(.bodyTaken, at: Self.start + .seconds(Int64(second)))
            }
            #expect((state.handle(tick, at: Self.start + .seconds(101)) == .failBody(.late)) == isLate)
        }
        var state = State(.init(), at: Self.start)
        _ = state.handle(Self.push, at: Self.start)
        _ = state.handle(.part(10), at: Self.start)
        for second in 1...100 { #expect(state.handle(tick, at: Self.start + .seconds(Int64(second))) == .none) }
        #expect(state.handle(.tick(taken: nil, bodyIsLate: true), at: Self.start) == .failBody(.late))
    }

    @Test("a reader of an answer that goes on has time, one of single bytes has not", arguments: [true, false])
    func readers(isSteady: Bool) {
        var state = State(.init(), at: Self.start)
        for event in [Self.plain, Self.answer] { _ = state.handle(event, at: Self.start) }
        var ends = false
        for second in 1...200 where !ends {
            let taken = UInt64(second) * (isSteady ? 2048 : 100)
            ends =
                state.handle(.tick(taken: taken, bodyIsLate: false), at: Self.start + .seconds(Int64(second))) == .abort
        }
        #expect(ends != isSteady)
    }

    /// What a connection that obeys the state has done so far, and what may never be.
    private struct Player {
        var state: State
        var now = ConnectionStateTests.start
        var handled = 0
        var sent = 0
        var isAnswering = false
        var hasClosed = false
        var hasRefused = false
        var bodyIsOpen = false
        var handlerWorks = false
        var problem: String?

        mutating func play(_ event: State.Event) {
            let wasClosed = hasClosed
            let action = state.handle(event, at: now)
            if case .tick = event, let deadline = state.deadline, deadline < now {
                problem = "\(event): a deadline that has passed is still armed"
            }
            switch action {
            case .none, .proceed, .closeOutput, .askForBody: break
            case .handle:
                if isAnswering || hasRefused { problem = "a request is handled while another is answered" }
                (isAnswering, handlerWorks) = (true, true)
                handled += 1
                if case .head(let framing) = event { bodyIsOpen = framing.hasBody }
            case .deliver: if !bodyIsOpen { problem = "a part of no body is delivered" }
            case .failBody:
                if !bodyIsOpen { problem = "a body fails that is not open" }
                bodyIsOpen = false
            case .send:
                if !isAnswering || handlerWorks { problem = "an answer without a request, or before there is one" }
                isAnswering = false
                sent += 1
            case .refuse: hasRefused = true
            case .closeWhenSent, .abort: hasClosed = true
            }
            if case .bodyEnded = event, action == .deliver { bodyIsOpen = false }
            if wasClosed, action != .none, action != .abort { problem = "\(action) after the end" }
            if state.deadline == nil, !wasClosed, !hasClosed, !handlerWorks, !isAnswering {
                if case .gone = event {} else { problem = "\(event): nothing is armed" }
            }
            if state.deadline == nil, handlerWorks, bodyIsOpen { problem = "a body without deadline" }
            if sent > handled { problem = "more answers than requests" }
        }
    }

    @Test("whatever happens in whatever order: one answer a request, in order, nothing after the end, deadlines armed")
    func random() {
        for seed in UInt64(1)...3000 {
            var random = Xorshift(seed: seed)
            var player = Player(state: State(.init(), at: Self.start))
            var history: [State.Event] = []
            for _ in 0..<60 {
                player.now = player.now + .milliseconds(Int64.random(in: 0...9000, using: &random))
                // What can happen at all: a parser gives parts of a body only behind a head, a handler answers once.
                let isTaking = player.state.takesMore(isWritable: true)
                let event: State.Event
                switch Int.random(in: 0..<12, using: &random) {
                case 0, 1:
                    event =
                        isTaking
                        ? [Self.plain, Self.push, Self.held, Self.last][Int.random(in: 0..<4, using: &random)] : .sent
                case 2: event = isTaking ? .part(Int.random(in: 1...9000, using: &random)) : .bodyTaken
                case 3: event = isTaking ? .bodyEnded : .bodyTaken
                case 4: event = isTaking ? .malformed : .sent
                case 5: event = .bodyWanted
                case 6, 7:
                    guard player.handlerWorks else { continue }
                    player.handlerWorks = false
                    event = .answered(closes: Bool.random(using: &random))
                case 8: event = isTaking ? .inputEnded : .sent
                case 9:
                    event = .tick(
                        taken: UInt64.random(in: 0...100_000, using: &random), bodyIsLate: Bool.random(using: &random))
                case 10: event = Int.random(in: 0..<10, using: &random) == 0 ? .gone : .sent
                default: event = Int.random(in: 0..<10, using: &random) == 0 ? .stopping : .sent
                }
                history.append(event)
                player.play(event)
                guard player.problem == nil else { break }
                if case .gone = event { break }
            }
            #expect(player.problem == nil, "seed \(seed): \(player.problem ?? "") after \(history)")
        }
    }
}

/// Random numbers that are the same in every run.
struct Xorshift: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_f491_4f6c_dd1d
    }
}
