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
        package let subject: Subject
        /// Whether the address was known when it began; so it ends as it began.
        fileprivate let isKnown: Bool

        /// What its failure counts against.
        package var counts: [Count] { isKnown ? [.pair] : Count.allCases }
    }

    /// What is counted.
    package enum Count: Sendable, Hashable, CaseIterable {
        /// Failures of an account from one address.
        case pair
        /// Failures of an address at any account.
        case address
        /// Failures of an account from addresses that it does not know.
        case stranger
    }

    /// An account, there or not, and where somebody tries to log in to it from.
    package struct Subject: Hashable, Sendable {
        fileprivate let account: String
        fileprivate let address: AddressBlock

        /// Names that are longer than any account's are cut: they are not kept.
        package init(_ account: String, from address: String) {
            self.account = String(account.prefix(64))
            self.address = AddressBlock(address)
        }

        /// What a count is about, as a text that no other one has.
        package func text(of count: Count) -> String {
            switch count {
            case .pair: "\(address.text) \(account)"
            case .address: address.text
            case .stranger: account
            }
        }
    }

    /// What other processes have counted, and know: they are believed as far as they ask for more patience, and no longer than
    /// the longest wait; and that an address is known.
    package struct Elsewhere: Sendable {
        let isKnown: Bool
        let waits: [Count: Duration]

        /// Waits of no time are none.
        package init(isKnown: Bool, waits: [Count: Duration]) {
            self.isKnown = isKnown
            self.waits = waits.filter { $0.value > .zero }.mapValues { min($0, FailureCount.longestWait) }
        }

        /// There is nobody else.
        package static let nothing = Elsewhere(isKnown: false, waits: [:])
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

    private struct State: Sendable {
        var pairs: GenerationTable<Subject, FailureCount>
        var addresses: GenerationTable<AddressBlock, FailureCount>
        var strangers: GenerationTable<String, FailureCount>
        /// When an address logged in to an account last.
        var known: GenerationTable<Subject, Duration>
    }

    /// Failures of an account from one address before it has to wait.
    package static let usual = 5

    private let pair: FailureCount.Rule
    private let address: FailureCount.Rule
    private let stranger: FailureCount.Rule
    /// How long an address stays known.
    package static let memory = Duration.seconds(30 * 24 * 3600)

    private let clocks: Clocks
    private let state: Mutex<State>

    /// A throttle that remembers `capacity` of each of the four things that it counts, of 100 bytes or so. `free`: failures of
    /// an account from one address before it has to wait; an address may have four times as many, and an account six times
    /// from strangers.
    package init(free: Int = LoginThrottle.usual, capacity: Int = 50_000, clocks: Clocks = .system) {
        self.clocks = clocks
        pair = FailureCount.Rule(free: free, leak: .seconds(900))
        address = FailureCount.Rule(free: 4 * free, leak: .seconds(60))
        stranger = FailureCount.Rule(free: 6 * free, leak: .seconds(300))
        state = Mutex(
            State(
                pairs: GenerationTable(capacity: capacity), addresses: GenerationTable(capacity: capacity),
                strangers: GenerationTable(capacity: capacity), known: GenerationTable(capacity: capacity)))
    }

    /// How failures of a kind are counted.
    package func rule(_ count: Count) -> FailureCount.Rule {
        switch count {
        case .pair: pair
        case .address: address
        case .stranger: stranger
        }
    }

    /// Asks for an attempt to log in. The answer is the same for accounts that are there and others.
    package func begin(_ pair: Subject, _ elsewhere: Elsewhere = .nothing) -> Answer {
        let now = clocks.uptime()
        return state.withLock { state in
            let isKnown = elsewhere.isKnown || state.known[pair].map { now - $0 < Self.memory } ?? false
            var own = state.pairs[pair] ?? FailureCount()
            var waits = [own.wait(now, self.pair), elsewhere.waits[.pair]]
            var others = (
                state.addresses[pair.address] ?? FailureCount(), state.strangers[pair.account] ?? FailureCount()
            )
            if !isKnown {
                waits += [others.0.wait(now, self.address), others.1.wait(now, self.stranger)]
                waits += [elsewhere.waits[.address], elsewhere.waits[.stranger]]
            }
            if let wait = waits.compactMap(\.self).max() { return .wait(wait) }
            own.begin()
            state.pairs[pair] = own
            if !isKnown {
                others.0.begin()
                others.1.begin()
                state.addresses[pair.address] = others.0
                state.strangers[pair.account] = others.1
            }
            return .go(Attempt(subject: pair, isKnown: isKnown))
        }
    }

    /// Says what came of an attempt. A success clears what the address has done to this account, and nothing else: who has an
    /// account of their own gets no further guesses at others by it.
    package func end(_ attempt: Attempt, _ outcome: Outcome) {
        let now = clocks.uptime()
        let pair = attempt.subject
        let failed = outcome == .failed
        state.withLock { state in
            state.pairs[pair]?.end(failed: failed, now, self.pair)
            if outcome == .succeeded {
                state.pairs[pair]?.clear()
                state.known[pair] = now
            }
            guard !attempt.isKnown else { return }
            state.addresses[pair.address]?.end(failed: failed, now, self.address)
            state.strangers[pair.account]?.end(failed: failed, now, self.stranger)
        }
    }
}
