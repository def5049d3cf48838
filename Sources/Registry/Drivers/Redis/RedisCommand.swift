import Runtime

/// A command as it goes over the wire (RESP2): an array of strings.
struct RedisCommand: Sendable {
    let bytes: [UInt8]

    /// A command of these words.
    init(_ words: String...) { self.init(words: words.map { Array($0.utf8) }) }

    /// A command of words that may be any bytes.
    init(words: [[UInt8]]) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(words.reduce(16) { $0 + $1.count + 16 })
        bytes += "*\(words.count)\r\n".utf8
        for word in words {
            bytes += "$\(word.count)\r\n".utf8
            bytes += word
            bytes += "\r\n".utf8
        }
        self.bytes = bytes
    }

    /// Keeps a value for a time.
    static func set(_ key: String, _ value: [UInt8], life: Duration) -> RedisCommand {
        RedisCommand(words: [word("SET"), word(key), value, word("PX"), word("\(max(1, life.wholeMilliseconds))")])
    }

    /// Pours into a bucket. Its key has the moment at which it will be empty, in microseconds of the server's clock: all nodes
    /// count by that one. What is no such moment, or lies further away than the bucket is large, is bounded.
    static func pour(_ portion: BucketPortionWords, _ key: String) -> RedisCommand {
        RedisCommand("EVAL", script, "1", key, portion.size, portion.capacity)
    }

    private static func word(_ text: String) -> [UInt8] { Array(text.utf8) }

    private static let script = """
        local t = redis.call('TIME')
        local now = t[1] * 1000000 + t[2]
        local size, capacity = tonumber(ARGV[1]), tonumber(ARGV[2])
        local empty = tonumber(redis.call('GET', KEYS[1]))
        if not empty or empty ~= empty or empty < now then empty = now end
        if empty > now + capacity then empty = now + capacity end
        local taken = '0'
        if empty + size <= now + capacity then
            taken, empty = '1', empty + size
            redis.call('SET', KEYS[1], string.format('%.0f', empty), 'PX', math.ceil((empty - now) / 1000) + 1)
        end
        return taken .. string.format('%.0f', empty - now)
        """
}

/// A portion in whole microseconds, as text.
struct BucketPortionWords {
    let size: String
    let capacity: String
}

/// What the server says to a command.
enum RedisReply: Sendable, Equatable {
    case bytes([UInt8])
    case integer(Int64)
    /// A word such as `OK`.
    case status(String)
    /// There is nothing.
    case nothing
    /// It does not do that.
    case error(String)
}

extension Duration {
    var wholeMilliseconds: Int64 { wholeMicroseconds / 1000 }

    /// Of durations beyond 10,000 years as many as those have.
    var wholeMicroseconds: Int64 {
        let (seconds, rest) = components
        return min(max(0, seconds), 315_576_000_000) * 1_000_000 + rest / 1_000_000_000_000
    }
}
