import Synchronization

/// A number that only grows, from any thread: what happens seldom enough to be counted where it happens. What happens with every
/// request is counted by each event loop for itself (`RequestCounts`).
package final class Counter: Sendable {
    private let count = Atomic(0)

    /// At zero.
    package init() {}

    /// So many more, none of them fewer than none.
    package func add(_ more: Int = 1) { count.wrappingAdd(more, ordering: .relaxed) }

    /// How many so far.
    package var value: Int { count.load(ordering: .relaxed) }
}
