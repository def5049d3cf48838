import Metrics
import Runtime
import Store
import Synchronization

/// Redis (5 or later) through hiredis 0.14: RESP2, without TLS, one server or what looks like one; no cluster.
///
/// What is asked for has a thread and a connection, what is only told another one, so that nobody waits behind long values.
package final class RedisCache: SharedCache {
    /// Most bytes of values that wait to be told; those beyond are not kept.
    private static let told = 16 << 20
    /// Most bytes of questions that wait.
    private static let asked = 4 << 20

    package let engine = "redis"
    package let largestValue: Int
    private let questions: RedisLane
    private let statements: RedisLane
    private let (hits, misses) = (Counter(), Counter())
    private let asking = Mutex<[String: [CheckedContinuation<[UInt8]?, Never>]]>([:])

    /// Connects, or goes on trying where that cannot be done now. `changed` is told when the server is lost, and when it is there
    /// again (nil).
    package static func open(
        _ settings: RedisSettings, clocks: Clocks = .system,
        changed: @escaping @Sendable (StoreError?) -> Void = { _ in }
    ) async -> RedisCache {
        let cache = RedisCache(settings, clocks, changed)
        async let questions: Void = cache.questions.start()
        async let statements: Void = cache.statements.start()
        _ = await (questions, statements)
        return cache
    }

    private init(_ settings: RedisSettings, _ clocks: Clocks, _ changed: @escaping @Sendable (StoreError?) -> Void) {
        largestValue = settings.largestValue
        questions = RedisLane("asking", settings, clocks, capacity: Self.asked, changed: changed)
        statements = RedisLane("telling", settings, clocks, capacity: Self.told) { _ in }
    }

    deinit {
        questions.stop()
        statements.stop()
    }

    /// What is wrong; nil while it works.
    package var fault: StoreError? { questions.fault }

    package func value(for key: String) async -> [UInt8]? {
        await withCheckedContinuation { continuation in
            let isFirst = asking.withLock { asking in
                defer { asking[key, default: []].append(continuation) }
                return asking[key] == nil
            }
            guard isFirst else { return }
            questions.send(RedisCommand("GET", key)) { [self] reply in
                var value: [UInt8]?
                if case .bytes(let bytes)? = reply, bytes.count <= largestValue { value = bytes }
                (value == nil ? misses : hits).add()
                for one in asking.withLock({ $0.removeValue(forKey: key) }) ?? [] { one.resume(returning: value) }
            }
        }
    }

    package func keep(_ value: [UInt8], for key: String, life: Duration) {
        guard value.count <= largestValue else { return }
        statements.send(.set(key, value, life: life)) { _ in }
    }

    package func pour(_ portion: BucketPortion, into key: String) async -> BucketLevel? {
        let (size, capacity) = (max(1, portion.size.wholeMicroseconds), portion.capacity.wholeMicroseconds)
        let words = BucketPortionWords(size: "\(size)", capacity: "\(capacity)")
        guard case .bytes(let bytes)? = await questions.ask(.pour(words, key)), let first = bytes.first,
            first == UInt8(ascii: "0") || first == UInt8(ascii: "1"),
            let level = Int64(String(decoding: bytes.dropFirst(), as: UTF8.self)),
            (0...max(0, capacity)).contains(level)
        else { return nil }
        return BucketLevel(isTaken: first == UInt8(ascii: "1"), level: .microseconds(level))
    }

    package func mark(_ marks: [(key: String, life: Duration?)]) async {
        await withTaskGroup(of: Void.self) { group in
            for (key, life) in marks {
                let command = life.map { RedisCommand.set(key, [UInt8(ascii: "1")], life: $0) }
                group.addTask { [questions] in _ = await questions.ask(command ?? RedisCommand("DEL", key)) }
            }
        }
    }

    package func lives(of keys: [String]) async -> [Duration]? {
        await withTaskGroup(of: (Int, Duration)?.self) { group in
            for (index, key) in keys.enumerated() {
                group.addTask { [questions] in
                    guard case .integer(let left)? = await questions.ask(RedisCommand("PTTL", key)) else { return nil }
                    // Below zero it is not there, or was not set by us: ours all end.
                    return (index, .milliseconds(max(0, left)))
                }
            }
            var lives = [Duration](repeating: .zero, count: keys.count)
            for await found in group {
                guard let (index, life) = found else { return nil }
                lives[index] = life
            }
            return lives
        }
    }

    package func metrics() -> [MetricFamily] {
        var (found, missed) = (
            MetricFamily("aerugo_cache_hits_total", .counter, "How often what was looked for was in the cache."),
            MetricFamily("aerugo_cache_misses_total", .counter, "How often it was not.")
        )
        found.add(Double(hits.value), ("cache", engine))
        missed.add(Double(misses.value), ("cache", engine))
        let up = fault == nil ? 1 : 0
        return [found, missed, MetricFamily("aerugo_redis_up", .gauge, "Whether Redis answers.", up)]
    }

    package func check() async throws(StoreError) {
        guard await questions.ask(RedisCommand("PING")) == .status("PONG") else {
            throw questions.fault ?? StoreError(.unavailable, "Redis does not answer as it should")
        }
    }
}
