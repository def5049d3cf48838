import Model
import Synchronization

/// The memory of answers from when they are made until they are read: a process that makes them for clients who do not
/// read them would else grow without end. Content that the cache has too counts once, whatever the number of readers.
package final class AnswerMemory: Sendable {
    private struct Known {
        weak var share: MemoryShare?
    }

    /// Answers up to so many bytes go out with their head, and are not counted.
    static let small = 16 << 10

    private let budget: MemoryBudget
    private let shared = Mutex<[UInt: Known]>([:])

    /// `capacity` in bytes.
    package init(capacity: Int) { budget = MemoryBudget(capacity: capacity) }

    /// Bytes that are held, and how many answers wait for some.
    package var usage: (held: Int, waiting: Int) { budget.usage }

    /// Room for an answer that is still to be made, once there is some. Throws `.unavailable`.
    func room(for bytes: Int, _ remote: String) async throws(RegistryError) -> MemoryShare? {
        guard bytes > Self.small else { return nil }
        let share = budget.share(for: remote)
        try await share.grow(to: bytes)
        return share
    }

    /// What an answer holds; nil when there is no room for it now.
    func hold(_ bytes: [UInt8], _ remote: String) -> MemoryShare? {
        known(bytes) ?? budget.takeNow(bytes.count, for: remote).map { remember($0, bytes) }
    }

    /// The same, once there is room. Throws `.unavailable`.
    func hold(waitingFor bytes: [UInt8], _ remote: String) async throws(RegistryError) -> MemoryShare {
        if let known = hold(bytes, remote) { return known }
        let share = budget.share(for: remote)
        try await share.grow(to: bytes.count)
        return remember(share, bytes)
    }

    /// An array's bytes have one address as long as anybody holds them, and an answer holds its share no longer.
    private func address(_ bytes: [UInt8]) -> UInt {
        bytes.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) }
    }

    private func known(_ bytes: [UInt8]) -> MemoryShare? {
        shared.withLock { $0[address(bytes)]?.share }
    }

    private func remember(_ share: MemoryShare, _ bytes: [UInt8]) -> MemoryShare {
        shared.withLock { shared in
            if shared.count > 256 { shared = shared.filter { $0.value.share != nil } }
            shared[address(bytes)] = Known(share: share)
        }
        return share
    }
}
