import Runtime
import Synchronization

/// Slows down who guesses passwords, by what they guess at and by where they come from.
///
/// Three things are counted: failures of an account from one address, of an address at any account, and of an account from
/// addresses that never logged in to it. An address that has logged in to the account before answers for itself alone: no
/// stranger, not a thousand of them, can lock an owner out of there. The memory is bounded; what falls out of it first is
/// what was tried least lately.
package final class LoginThrottle: Sendable {
    /// An attempt that may go on: hand it back by `end`, whatever comes of it.
    package struct Attempt: Sendable {
        fileprivate let account: String
        fileprivate let address: AddressBlock
        /// Whether the address was known when it began; so it ends as it began.
        fileprivate let isKnown: Bool
    }

    /// What `begin` says.
    package enum Answer: Sendable {
        case go(Attempt)
        /// To be refused, with how long to wait.
        case wait(Duration)
    }

    /// What came of an attempt.
    package enum Outcome: Sendable, Hashable {
        case succeeded, failed
        /// It was not found out.
        case abandoned
    }

    private struct Pair: Hashable, Sendable {
        let account: String
        let address: AddressBlock
    }

    private struct State: Sendable {
        var pairs: GenerationTable<Pair, FailureCount>
        var addresses: GenerationTable<AddressBlock, FailureCount>
        var strangers: GenerationTable<String, FailureCount>
        /// When an address logged in to an account last.
        var known: GenerationTable<Pair, Duration>
    }

    private static let pair = FailureCount.Rule(free: 5, leak: .seconds(900))
    private static let address = FailureCount.Rule(free: 20, leak: .seconds(60))
    private static let stranger = FailureCount.Rule(free: 30, leak: .seconds(300))
    /// How long an address stays known.
    private static let memory = Duration.seconds(30 * 24 * 3600)

    private let clocks: Clocks
    private let state: Mutex<State>

    /// A throttle that remembers `capacity` of each of the four things that it counts, of 100 bytes or so.
    package init(capacity: Int = 50_000, clocks: Clocks = .system) {
        self.clocks = clocks
        state = Mutex(
            State(
                pairs: GenerationTable(capacity: capacity), addresses: GenerationTable(capacity: capacity),
                strangers: GenerationTable(capacity: capacity), known: GenerationTable(capacity: capacity)))
    }

    /// Asks for an attempt to log in to an account, there or not, from an address. The answer is the same for both.
    package func begin(_ account: String, from address: String) -> Answer {
        let now = clocks.uptime()
        // Names that are longer than any account's are not kept.
        let pair = Pair(account: String(account.prefix(64)), address: AddressBlock(address))
        return state.withLock { state in
            let isKnown = state.known[pair].map { now - $0 < Self.memory } ?? false
            var own = state.pairs[pair] ?? FailureCount()
            var waits = [own.wait(now, Self.pair)]
            var others = (
                state.addresses[pair.address] ?? FailureCount(), state.strangers[pair.account] ?? FailureCount()
            )
            if !isKnown { waits += [others.0.wait(now, Self.address), others.1.wait(now, Self.stranger)] }
            if let wait = waits.compactMap(\.self).max() { return .wait(wait) }
            own.begin()
            state.pairs[pair] = own
            if !isKnown {
                others.0.begin()
                others.1.begin()
                state.addresses[pair.address] = others.0
                state.strangers[pair.account] = others.1
            }
            return .go(Attempt(account: pair.account, address: pair.address, isKnown: isKnown))
        }
    }

    /// Says what came of an attempt. A success clears what the address has done to this account, and nothing else: who has an
    /// account of their own gets no further guesses at others by it.
    package func end(_ attempt: Attempt, _ outcome: Outcome) {
        let now = clocks.uptime()
        let pair = Pair(account: attempt.account, address: attempt.address)
        let failed = outcome == .failed
        state.withLock { state in
            state.pairs[pair]?.end(failed: failed, now, Self.pair)
            if outcome == .succeeded {
                state.pairs[pair]?.clear()
                state.known[pair] = now
            }
            guard !attempt.isKnown else { return }
            state.addresses[pair.address]?.end(failed: failed, now, Self.address)
            state.strangers[pair.account]?.end(failed: failed, now, Self.stranger)
        }
    }
}
