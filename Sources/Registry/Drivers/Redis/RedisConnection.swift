import CLibHiredis
import Glibc
import Runtime

/// A connection of hiredis that never blocks longer than it is told to: commands go out together, and their answers come in order.
/// After a fault it cannot be used again, as answers could be taken for those of other commands.
///
/// `@unchecked`: one thread uses it at a time, that of its lane.
final class RedisConnection: @unchecked Sendable {
    private let context: UnsafeMutablePointer<redisContext>
    private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>
    private let clocks: Clocks
    /// Most bytes that wait to be read as one answer: a server that lies may not take memory without end.
    private let largest: Int

    /// Connects, logs in and asks for a sign of life. Throws `.unavailable`.
    static func open(_ settings: RedisSettings, _ clocks: Clocks) throws(StoreError) -> RedisConnection {
        let deadline = clocks.uptime() + settings.connectTime
        let connection = try RedisConnection(settings, clocks)
        try connection.awaitConnection(until: deadline)
        var greeting: [RedisCommand] = []
        if !settings.password.isEmpty {
            greeting.append(
                settings.user.isEmpty
                    ? RedisCommand("AUTH", settings.password) : RedisCommand("AUTH", settings.user, settings.password))
        }
        if settings.database != 0 { greeting.append(RedisCommand("SELECT", "\(settings.database)")) }
        var refusal: String?
        try connection.exchange(greeting + [RedisCommand("PING")], until: deadline) { reply in
            if case .error(let message) = reply { refusal = refusal ?? message }
        }
        if let refusal { throw StoreError(.unavailable, "Redis at \(settings.description): \(refusal)") }
        return connection
    }

    private init(_ settings: RedisSettings, _ clocks: Clocks) throws(StoreError) {
        self.clocks = clocks
        largest = settings.largestValue + 64 << 10
        let made =
            settings.isSocket
            ? redisConnectUnixNonBlock(settings.host) : redisConnectNonBlock(settings.host, Int32(settings.port))
        guard let made else { throw StoreError(.overloaded, "Redis: no memory") }
        context = made
        functions = .allocate(capacity: 1)
        // Nothing that is asked has a list for an answer: one would be made as long as the server says.
        if let reader = made.pointee.reader {
            functions.initialize(to: reader.pointee.fn.pointee)
            functions.pointee.createArray = { _, _ in nil }
            reader.pointee.fn = functions
        }
        guard made.pointee.err == 0 else { throw fault() }
    }

    deinit {
        redisFree(context)
        functions.deallocate()
    }

    /// Sends commands and gives each answer as it comes. Throws `.unavailable` where they do not all come in time.
    func exchange(
        _ commands: [RedisCommand], until deadline: Duration, _ take: (RedisReply) -> Void
    ) throws(StoreError) {
        for command in commands {
            let code = command.bytes.withUnsafeBytes { bytes in
                redisAppendFormattedCommand(context, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count)
            }
            guard code == REDIS_OK else { throw fault() }
        }
        var (answered, isSent) = (0, false)
        while answered < commands.count {
            var raw: UnsafeMutableRawPointer?
            guard redisGetReplyFromReader(context, &raw) == REDIS_OK else { throw fault() }
            if let raw {
                defer { freeReplyObject(raw) }
                take(Self.reply(raw.assumingMemoryBound(to: redisReply.self).pointee))
                answered += 1
                continue
            }
            if !isSent {
                var done: Int32 = 0
                guard redisBufferWrite(context, &done) == REDIS_OK else { throw fault() }
                isSent = done != 0
            }
            let events = try wait(for: isSent ? POLLIN : POLLIN | POLLOUT, until: deadline)
            if events & ~POLLOUT != 0 { try read() }
        }
    }

    private func read() throws(StoreError) {
        guard redisBufferRead(context) == REDIS_OK else { throw fault() }
        guard let reader = context.pointee.reader, reader.pointee.len - reader.pointee.pos <= largest else {
            throw StoreError(.unavailable, "Redis sends more than was asked for")
        }
    }

    private func awaitConnection(until deadline: Duration) throws(StoreError) {
        _ = try wait(for: POLLOUT, until: deadline)
        var (code, size): (Int32, socklen_t) = (0, socklen_t(MemoryLayout<Int32>.size))
        guard getsockopt(context.pointee.fd, SOL_SOCKET, SO_ERROR, &code, &size) == 0, code == 0 else {
            throw StoreError(.unavailable, "Redis: \(String(cString: strerror(code)))")
        }
    }

    /// Waits for one of these events; gives those that came.
    private func wait(for events: Int32, until deadline: Duration) throws(StoreError) -> Int32 {
        while true {
            let left = deadline - clocks.uptime()
            guard left > .zero else { throw StoreError(.unavailable, "Redis does not answer in time") }
            var entry = pollfd(fd: context.pointee.fd, events: Int16(events), revents: 0)
            let count = poll(&entry, 1, Int32(min(left.wholeMilliseconds + 1, 60_000)))
            if count > 0 { return Int32(entry.revents) }
            guard count == 0 || errno == EINTR else {
                throw StoreError(.unavailable, "Redis: \(String(cString: strerror(errno)))")
            }
        }
    }

    private func fault() -> StoreError {
        let message = withUnsafeBytes(of: &context.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return StoreError(.unavailable, "Redis: \(message.isEmpty ? "the connection was lost" : message)")
    }

    private static func reply(_ raw: redisReply) -> RedisReply {
        let bytes = UnsafeRawBufferPointer(start: raw.str, count: raw.str == nil ? 0 : Int(raw.len))
        return switch raw.type {
        case REDIS_REPLY_STRING: .bytes(Array(bytes))
        case REDIS_REPLY_INTEGER: .integer(raw.integer)
        case REDIS_REPLY_STATUS: .status(String(decoding: bytes, as: UTF8.self))
        case REDIS_REPLY_NIL: .nothing
        default: .error(String(decoding: bytes.prefix(200), as: UTF8.self))
        }
    }
}
