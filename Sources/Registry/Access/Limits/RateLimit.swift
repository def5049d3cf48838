import Model
import Runtime
import Synchronization

/// Kinds of requests that are limited apart.
package enum RateClass: Int, Sendable, Hashable, CaseIterable {
    case login, token, read, list, write, registration
}

/// Who is limited: somebody, wherever they are, or anybody at an address.
package enum RateSubject: Hashable, Sendable {
    case principal(PrincipalID)
    case address(AddressBlock)
}

extension RateSubject {
    /// A text that no other subject has.
    package var text: String {
        switch self {
        case .principal(let id): "principal:\(id.value)"
        case .address(let block): "address:\(block.text)"
        }
    }
}

/// How requests of a class are limited: by a bucket of tokens, measured by the time that it takes to fill.
package struct RateRule: Sendable, Hashable {
    package let kind: RateClass
    /// Requests that may come at once, and in each window.
    package let limit: Int
    /// What one token takes.
    package let each: Duration
    /// What all of them take.
    package var room: Duration { each * limit }

    /// What is said of a request; `debt`: until the bucket is full again, no more than `room`.
    package func decision(isAllowed: Bool, debt: Duration) -> RateDecision {
        let debt = min(max(.zero, debt), room)
        return RateDecision(
            isAllowed: isAllowed, limit: limit, remaining: Int(((room - debt) / each).rounded(.down)), reset: debt,
            retryAfter: isAllowed ? .zero : max(debt + each - room, .nanoseconds(1)))
    }
}

/// What is said of a request, for `RateLimit-*` fields (draft-ietf-httpapi-ratelimit-headers-03) and `Retry-After`.
package struct RateDecision: Sendable, Hashable {
    package let isAllowed: Bool
    /// Requests that may come at once, and in each window.
    package let limit: Int
    /// Requests that may come at once now.
    package let remaining: Int
    /// Until as many as `limit` may come at once again.
    package let reset: Duration
    /// Until the next one may come; zero when it may.
    package let retryAfter: Duration
}

/// Buckets of tokens, one for each class and subject: as many as its limit at once, and as many in each minute in the long
/// run. The memory is bounded; a bucket that falls out of it is full again.
package final class RateLimit: Sendable {
    private struct Key: Hashable, Sendable {
        let kind: RateClass
        let subject: RateSubject
    }

    /// A time in which `limit` requests may come.
    package static let window = Duration.seconds(60)

    private let limits: [Int]
    private let clocks: Clocks
    /// When each bucket will be full again, in nanoseconds: all that there is to know of it.
    private let buckets: Mutex<GenerationTable<Key, Int64>>

    /// Limits a minute by class; one that is not there, or not above 0, is off.
    package init(_ limits: [RateClass: Int], capacity: Int = 100_000, clocks: Clocks = .system) {
        self.limits = RateClass.allCases.map { min(max(0, limits[$0] ?? 0), 1_000_000_000) }
        self.clocks = clocks
        buckets = Mutex(GenerationTable(capacity: capacity))
    }

    /// Whether requests of this class are limited at all.
    package func limits(_ kind: RateClass) -> Bool { limits[kind.rawValue] > 0 }

    /// Takes one token for a request, or none where it may not come yet; nil where the class is not limited.
    package func take(_ kind: RateClass, _ subject: @autoclosure () -> RateSubject) -> RateDecision? {
        let limit = limits[kind.rawValue]
        guard limit > 0 else { return nil }
        let now = Self.nanoseconds(clocks.uptime())
        let whole = Self.nanoseconds(Self.window)
        let each = whole / Int64(limit)
        let key = Key(kind: kind, subject: subject())
        return buckets.withLock { buckets in
            let full = max(now, buckets[key] ?? now)
            // What a full bucket holds, as time to fill it.
            let room = each * Int64(limit)
            let excess = full + each - now - room
            guard excess <= 0 else { return Self.decision(false, limit, each, full - now, excess) }
            buckets[key] = full + each
            return Self.decision(true, limit, each, full + each - now, 0)
        }
    }

    /// How requests of this class are limited; nil where they are not.
    package func rule(_ kind: RateClass) -> RateRule? {
        let limit = limits[kind.rawValue]
        guard limit > 0 else { return nil }
        let each = Self.nanoseconds(Self.window) / Int64(limit)
        return RateRule(kind: kind, limit: limit, each: .nanoseconds(each))
    }

    /// Gives a token back that was taken for a request which was refused after all.
    package func giveBack(_ kind: RateClass, _ subject: RateSubject) {
        guard let rule = rule(kind) else { return }
        let key = Key(kind: kind, subject: subject)
        buckets.withLock { buckets in
            if let full = buckets[key] { buckets[key] = full - Self.nanoseconds(rule.each) }
        }
    }

    private static func decision(
        _ isAllowed: Bool, _ limit: Int, _ each: Int64, _ debt: Int64, _ excess: Int64
    ) -> RateDecision {
        RateDecision(
            isAllowed: isAllowed, limit: limit, remaining: Int((each * Int64(limit) - debt) / each),
            reset: .nanoseconds(debt), retryAfter: .nanoseconds(excess))
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, rest) = duration.components
        return seconds * 1_000_000_000 + rest / 1_000_000_000
    }
}
