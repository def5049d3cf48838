import CLibCrypt
import Crypto
import Glibc
import Metrics
import Model
import Runtime
import Synchronization

/// Hashes passwords by yescrypt, as Debian does its own, on two threads that run while no other wants to: a flood of logins
/// waits for itself and not for the CPU that pulls need. On a machine that has none to spare a third one takes a tenth of a core, so
/// that nobody is kept out.
///
/// A hash takes 128·32·2^(cost+7) bytes while it is computed, 16 MiB at cost 5 and twice that for each step: the threads
/// together 48 MiB.
package final class PasswordHasher: Sendable {
    /// What came of a comparison.
    package enum Outcome: Sendable, Hashable {
        case wrong
        case right
        /// Right, but its hash has another cost than new ones: make a new one.
        case outdated
    }

    /// The costs that there are: each step takes twice the time and memory of the one before.
    package static let costs = 1...11

    private static let method = "$y$"
    /// On a machine that has no core to spare a hash takes a second.
    private static let patience = Duration.seconds(15)
    private static let retryAfter = Duration.seconds(5)

    private let cost: Int
    /// What the password of nobody is hashed with, so that a name that is not there takes the time of one that is.
    private let stranger: String
    private let executor: PoliteExecutor
    private let count = Atomic(0)

    /// A hasher of this cost, one of `costs`, for which `capacity` passwords may wait. Starts its threads. Throws
    /// `.unavailable` where this libcrypt has no yescrypt.
    package init(cost: Int = 5, capacity: Int = 64, clocks: Clocks = .system) throws(StoreError) {
        self.cost = min(max(cost, Self.costs.lowerBound), Self.costs.upperBound)
        stranger = try Self.salt(self.cost)
        executor = PoliteExecutor(
            name: "passwords", threads: 2, capacity: capacity, patience: Self.patience, clocks: clocks)
    }

    /// How its threads stand.
    package var metrics: [MetricFamily] { executor.metrics }

    /// The hash to keep, with its salt and cost. Throws `.tooManyRequests` when too many wait, and `.unavailable` without
    /// memory for one.
    package func hash(_ password: Password) async throws(RegistryError) -> String {
        try await run { [cost] () throws(StoreError) in
            try Self.crypt(password, try Self.salt(cost))
        }
    }

    /// Whether the text is the password of this hash. Nil, for a name that is not there, is never right and takes as long.
    /// Throws as `hash` does.
    package func verify(_ text: String, against hash: String?) async throws(RegistryError) -> Outcome {
        let password: Password
        do throws(ParseError) {
            password = try Password.parse(text)
        } catch {
            // Nobody has such a password: that it takes no time tells nothing.
            return .wrong
        }
        // Crypt takes hashes of all ages, and some are no protection.
        if let hash, !hash.hasPrefix(Self.method) {
            throw RegistryError(.unavailable, "the password cannot be checked", cause: "its hash is not of yescrypt")
        }
        let isCurrent = hash.map { Self.parameters($0) == Self.parameters(stranger) } ?? false
        return try await run { [stranger] () throws(StoreError) in
            let computed = try Self.crypt(password, hash ?? stranger)
            guard let hash, Self.areEqual(computed, hash) else { return .wrong }
            return isCurrent ? .right : .outdated
        }
    }

    /// How many hashes were computed: what a name that is not there costs is to be what others cost, and this is how to tell.
    package var computed: Int { count.load(ordering: .relaxed) }

    /// Lets the threads end.
    package func stop() { executor.stop() }

    private func run<T: Sendable>(
        _ body: @Sendable @escaping () throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        do throws(StoreError) {
            let value = try await executor.run(body)
            count.add(1, ordering: .relaxed)
            return value
        } catch {
            guard error.code == .overloaded else {
                throw RegistryError(.unavailable, "the password could not be checked: try again", cause: error.cause)
            }
            var busy = RegistryError(
                .tooManyRequests, "too many log in at once: try again in a while", cause: error.cause)
            busy.retryAfter = Self.retryAfter
            throw busy
        }
    }

    /// The method and its cost: `$y$j9T` of `$y$j9T$salt$hash`.
    private static func parameters(_ hash: String) -> Substring {
        hash.prefix(3) + hash.dropFirst(3).prefix { $0 != "$" }
    }

    private static func salt(_ cost: Int) throws(StoreError) -> String {
        guard let text = crypt_gensalt_ra(method, UInt(cost), nil, 0) else {
            throw StoreError(.unavailable, "crypt_gensalt_ra: \(String(cString: strerror(errno)))")
        }
        defer { free(text) }
        return String(cString: text)
    }

    /// Blocks for milliseconds. Throws `.unavailable` without memory, or for a setting that is none.
    private static func crypt(_ password: Password, _ setting: String) throws(StoreError) -> String {
        var data: UnsafeMutableRawPointer?
        var size: Int32 = 0
        defer { free(data) }
        let phrase = (phrase(password) + [0]).map { CChar(bitPattern: $0) }
        guard let text = crypt_ra(phrase, setting, &data, &size) else {
            throw StoreError(.unavailable, "crypt_ra: \(String(cString: strerror(errno)))")
        }
        return String(cString: text)
    }

    /// What libcrypt is given: it takes 511 bytes at most, so that of more it gets their SHA-512.
    private static func phrase(_ password: Password) -> [UInt8] {
        guard password.bytes.count >= CRYPT_MAX_PASSPHRASE_SIZE else { return password.bytes }
        return Array(Hex.encode(Array(SHA512.hash(data: password.bytes))).utf8)
    }

    /// Compares in a time that depends on the lengths alone. The parentheses count: `|` and `^` bind alike here.
    private static func areEqual(_ a: String, _ b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return false }
        return zip(a.utf8, b.utf8).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
