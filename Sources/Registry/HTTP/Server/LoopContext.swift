import Glibc
import Model
import NIOCore
import Store

/// What the connections of one event loop share. Used on that loop alone: hence `@unchecked`.
final class LoopContext: @unchecked Sendable {
    let executor: EventLoopExecutor
    let loop: any EventLoop
    let pieces: BodyPieces
    private(set) var connections: [ObjectIdentifier: Connection] = [:]
    private let idPrefix: String
    private var requests: UInt64 = 0
    private var date = ""
    private var dateSecond = -1

    /// `bodyBudget`: bytes of bodies that may wait in memory on this loop, more or less.
    init(_ loop: any EventLoop, bodyBudget: Int) {
        self.loop = loop
        pieces = BodyPieces(budget: bodyBudget)
        executor = EventLoopExecutor(loop)
        idPrefix = String(MetadataStore.newID().prefix(8))
    }

    /// Begins to look after connections that wait too long.
    func startClock() {
        loop.scheduleRepeatedTask(initialDelay: .seconds(1), delay: .seconds(1)) { [self] _ in
            let now = NIODeadline.now()
            for connection in connections.values { connection.tick(now) }
        }
    }

    /// Ends idle connections now and the others behind their answers.
    func shutDown() {
        for connection in connections.values { connection.shutDown() }
    }

    func add(_ connection: Connection) { connections[ObjectIdentifier(connection)] = connection }

    func remove(_ connection: Connection) { connections[ObjectIdentifier(connection)] = nil }

    /// An id that no other request of this process, and hardly one of another, has.
    func newRequestID() -> String {
        requests &+= 1
        let number = String(requests, radix: 16)
        return idPrefix + String(repeating: "0", count: max(0, 8 - number.utf8.count)) + number
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
