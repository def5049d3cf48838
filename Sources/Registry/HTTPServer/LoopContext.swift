import CLinux
import Glibc
import Metrics
import Model
import NIOCore

/// What the connections of one event loop share. Used on that loop alone: hence `@unchecked`.
final class LoopContext: @unchecked Sendable {
    let executor: EventLoopExecutor
    let loop: any EventLoop
    let pieces: BodyPieces
    /// The body of a request that has none.
    let noBody: IncomingBody
    let timeouts: ServerSettings.Timeouts
    let admission: Admission
    /// What it has answered.
    var counts = RequestCounts()
    /// Lines of the access log; nil where there is none.
    let access: AccessLines?
    /// Nanoseconds that a request may take, beside its client's, without being told of.
    let slow: Int64
    /// Bytes that wait in sockets whose peers take nothing.
    var stalled = 0
    /// Nanoseconds.
    private static let turn: UInt64 = 100_000
    private let stallBudget: Int
    /// There is one while the server shuts down.
    private var drained: EventLoopPromise<Void>?
    private(set) var connections: [ObjectIdentifier: Connection] = [:]
    /// Handlers that run, some of them for connections that are gone: they still have to keep what arrived.
    private var handlers = 0
    private let idSeed = UInt64.random(in: 0...UInt64.max) & ~0xffff_ffff
    private var requests: UInt64 = 0
    private var date = ""
    private var output = ByteBuffer()
    private var dateSecond = -1

    /// One of `count` that share what the settings allow.
    init(_ loop: any EventLoop, _ settings: ServerSettings, _ admission: Admission, count: Int) {
        self.loop = loop
        timeouts = settings.timeouts
        self.admission = admission
        access = settings.accessLog.map { AccessLines($0) }
        slow = settings.slow?.nanoseconds ?? .max
        stallBudget = settings.sendBudget / count
        pieces = BodyPieces(budget: settings.bodyBudget / count)
        noBody = IncomingBody(length: 0, pieces: pieces, connection: nil)
        noBody.complete()
        executor = EventLoopExecutor(loop)
    }

    /// Begins: with short turns, so that the loop is not kept waiting by a thread that computes (`Self.turn`), and looks
    /// after connections that wait too long.
    func start() {
        // A kernel or a container that refuses leaves it the turns of all.
        loop.execute { _ = aerugo_take_turns(0, Self.turn) }
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [self] _ in
            let now = NIODeadline.now()
            for connection in connections.values { connection.tick(now) }
            access?.flush()
        }
    }

    /// Ends idle connections now, the others behind their answers, and what is left when `grace` is over. Done when
    /// there are none and what they sent has been kept, for which there are ten seconds.
    func shutDown(within grace: TimeAmount) -> EventLoopFuture<Void> {
        let drained = loop.makePromise(of: Void.self)
        self.drained = drained
        for connection in connections.values { connection.shutDown() }
        leave()
        loop.scheduleTask(in: grace) { [self] in
            for connection in connections.values { connection.cut() }
        }
        loop.scheduleTask(in: grace + .seconds(10)) { drained.succeed() }
        return drained.futureResult
    }

    func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        admission.leave(connection.remote)
        leave()
    }

    func handlerBegan() { handlers += 1 }

    func handlerEnded() {
        handlers -= 1
        leave()
    }

    private func leave() {
        guard connections.isEmpty, handlers == 0, let drained else { return }
        access?.flush()
        drained.succeed()
    }

    /// Whether anybody wants to know where a request's time goes.
    var timesStages: Bool { access != nil || slow != .max }

    /// Bytes of a large answer to give to a socket at once: many while there is room, few when many peers take nothing.
    var window: Int { stalled < stallBudget ? 64 << 10 : 8 << 10 }

    /// An id that no other request of this process, and hardly one of another, has: 15 digits, which a String holds
    /// without memory of its own.
    func newRequestID() -> String {
        requests &+= 1
        let number = requests ^ idSeed
        return String(unsafeUninitializedCapacity: 15) { digits in
            for at in 0..<15 {
                let nibble = UInt8(truncatingIfNeeded: number >> UInt64(56 - 4 * at)) & 15
                digits[at] = nibble < 10 ? 0x30 + nibble : 0x57 + nibble
            }
            return 15
        }
    }

    /// An empty buffer for an answer: the last one's memory, if that has gone out already.
    func takeOutput(capacity: Int) -> ByteBuffer {
        var buffer = ByteBuffer()
        swap(&buffer, &output)
        buffer.clear(minimumCapacity: capacity)
        return buffer
    }

    /// Takes a buffer that was written to the socket, for the next answer.
    func giveOutput(_ buffer: ByteBuffer) {
        if buffer.storageCapacity <= 16 << 10 { output = buffer }
    }

    /// The value of a `Date` header, made once a second.
    func currentDate() -> String {
        let now = time(nil)
        guard now != dateSecond else { return date }
        dateSecond = now
        var (seconds, parts) = (now, tm())
        gmtime_r(&seconds, &parts)
        var text = [CChar](repeating: 0, count: 40)
        let count = strftime(&text, text.count, "%a, %d %b %Y %H:%M:%S GMT", &parts)
        date = String(decoding: text[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return date
    }
}
