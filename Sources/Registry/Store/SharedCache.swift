import Metrics
import Runtime

/// What the nodes of a registry share beside the truth, for speed and to count together: any of it may be lost, late or wrong at
/// any moment, and none of it is ever needed.
///
/// Whoever reads a value checks it against what it has to be; what is counted is bounded by its rule. Nobody waits longer than
/// twice the driver's deadline, and nobody at all while it is known to be away: no function throws but `check`. Keys can be read by
/// whoever can look into the cache: a secret is never part of one.
package protocol SharedCache: Sendable {
    /// What it is, for people: `redis`.
    var engine: String { get }
    /// Most bytes of a value: longer ones are not kept.
    var largestValue: Int { get }
    /// The value of a key, asked for once for all who want it at once; nil where there is none, or none can be had now.
    func value(for key: String) async -> [UInt8]?
    /// Keeps a value for as long as `life`: soon, or not at all. Does not wait.
    func keep(_ value: [UInt8], for key: String, life: Duration)
    /// Pours into the leaking bucket of a key, if it has room; nil where nobody can tell.
    func pour(_ portion: BucketPortion, into key: String) async -> BucketLevel?
    /// Sets marks that are there for as long as `life`; nil takes away whatever the key has.
    func mark(_ marks: [(key: String, life: Duration?)]) async
    /// For how long each of these marks will be there, zero where it is not; nil where nobody can tell.
    func lives(of keys: [String]) async -> [Duration]?
    /// Throws `.unavailable`, with what is wrong, unless it answers.
    func check() async throws(StoreError)
    /// Whether it is there, and what was found in it.
    func metrics() -> [MetricFamily]
}

extension SharedCache {
    /// Nothing.
    package func metrics() -> [MetricFamily] { [] }
}

/// What is poured into a bucket that leaks steadily, measured by the time that it takes to leak.
package struct BucketPortion: Sendable, Hashable {
    /// Of this portion; microseconds count.
    package let size: Duration
    /// Of all that the bucket holds.
    package let capacity: Duration

    /// A portion for a bucket.
    package init(size: Duration, capacity: Duration) {
        self.size = size
        self.capacity = capacity
    }
}

/// How full a bucket is.
package struct BucketLevel: Sendable, Hashable {
    /// Whether there was room for the portion.
    package let isTaken: Bool
    /// Until it will be empty; the portion counts if it was taken.
    package let level: Duration

    /// A level.
    package init(isTaken: Bool, level: Duration) {
        self.isTaken = isTaken
        self.level = level
    }
}
