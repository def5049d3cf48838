import Model
import Runtime
import Synchronization

/// Hands out credentials that hold for a while yet, and has them renewed before they end: by one who asks for all others.
package final class CredentialKeeper: Sendable {
    /// Credentials that end sooner than this are not used any more.
    private static let margin = Duration.seconds(60)
    /// How long before their end they are renewed, while they are still used.
    private static let ahead = Duration.seconds(300)
    /// How long those without an end are taken for unchanged: a file may be written anew.
    private static let lasting = Duration.seconds(60)
    /// Between two attempts that fail while there are some that hold.
    private static let pause = Duration.seconds(10)

    private typealias Renewal = Task<Result<S3Credentials, StoreError>, Never>

    private struct State {
        var current: S3Credentials?
        /// The uptime when they are to be renewed.
        var due = Duration.zero
        var renewal: Renewal?
    }

    private enum Step {
        case use(S3Credentials)
        case wait(Renewal)
    }

    private let sources: [any CredentialSource]
    private let clocks: Clocks
    private let state = Mutex(State())

    /// Credentials of the first source that has some.
    package init(_ sources: [any CredentialSource], clocks: Clocks = .system) {
        self.sources = sources
        self.clocks = clocks
    }

    /// Credentials for a request that begins now. Throws `.unavailable` when there are none to be had.
    package func current() async throws(StoreError) -> S3Credentials {
        let (now, uptime) = (clocks.wall(), clocks.uptime())
        let step: Step = state.withLock { state in
            if let current = state.current, current.holds(at: now + Self.margin) {
                // They are renewed while they are used: nobody waits.
                if uptime >= state.due, state.renewal == nil { state.renewal = renewal() }
                return .use(current)
            }
            let running = state.renewal ?? renewal()
            state.renewal = running
            return .wait(running)
        }
        switch step {
        case .use(let credentials): return credentials
        case .wait(let renewal): return try await renewal.value.get()
        }
    }

    /// Notes that a server has refused these credentials themselves: they are asked for anew. False when that was done a
    /// moment ago, so that there is nothing to try again with.
    package func distrust(_ credentials: S3Credentials) -> Bool {
        state.withLock { state in
            guard state.current == credentials else { return true }
            guard state.due - clocks.uptime() < Self.lasting - Self.pause || credentials.expiry != nil else {
                return false
            }
            state.current = nil
            return true
        }
    }

    private func renewal() -> Renewal {
        Task { [self] in
            let result = await fetch()
            let uptime = clocks.uptime()
            state.withLock { state in
                state.renewal = nil
                switch result {
                case .success(let credentials):
                    state.current = credentials
                    state.due = uptime + life(of: credentials)
                case .failure: state.due = uptime + Self.pause
                }
            }
            return result
        }
    }

    /// How long from now on they need not be renewed.
    private func life(of credentials: S3Credentials) -> Duration {
        guard let expiry = credentials.expiry else { return Self.lasting }
        let left = expiry - clocks.wall()
        return max(Self.pause, left > Self.ahead * 2 ? left - Self.ahead : left / 2)
    }

    private func fetch() async -> Result<S3Credentials, StoreError> {
        do throws(StoreError) {
            for source in sources {
                guard let found = try await source.fetch() else { continue }
                guard found.holds(at: clocks.wall() + Self.margin) else {
                    throw StoreError(.unavailable, "\(source.description): the credentials given have ended already")
                }
                return .success(found)
            }
            let names = sources.map(\.description).joined(separator: ", ")
            return .failure(StoreError(.unavailable, "there are no credentials for S3; asked: \(names)"))
        } catch {
            return .failure(error)
        }
    }
}

extension S3Credentials {
    fileprivate func holds(at moment: Timestamp) -> Bool { expiry.map { $0 > moment } ?? true }
}
