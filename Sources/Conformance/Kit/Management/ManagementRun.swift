import Synchronization

/// What the checks of a management API share: whose API it is, what it says of itself, and the accounts that are made.
package final class ManagementRun: Sendable {
    /// What the API says of itself.
    package let document: APIDocument
    /// Who administers the registry.
    package let administrator: Identity
    /// The beginning of every name that the run makes.
    package let prefix: String
    /// The password of every account that the run makes.
    let password: String
    /// Whether every check is tried.
    let isWhole: Bool
    private let state = Mutex(State())

    private struct State {
        var cast: Result<Household, CheckFailure>?
        var setUp: [Exchange] = []
        var borrowed: [Borrowed] = []
        var seen: Set<Provocation> = []
        var users: [String] = []
        var organizations: [String] = []
        var keys: [String] = []
        var made = 0
    }

    private let making = Mutex(())

    /// A run of names that begin with `prefix`.
    init(document: APIDocument, administrator: Identity, prefix: String, password: String, isWhole: Bool) {
        (self.document, self.administrator) = (document, administrator)
        (self.prefix, self.password, self.isWhole) = (prefix, password, isWhole)
    }

    /// A name that nobody else of the run has.
    package func name(_ word: String) -> String {
        let number = state.withLock { state in
            state.made += 1
            return state.made
        }
        return "\(prefix)-\(word)\(number)"
    }

    /// The accounts, made by the first who asks, with the exchanges that made them. Throws what went wrong then.
    func cast(_ make: () throws -> (Household, Probe)) throws -> Household {
        try making.withLock { _ in
            if let known = state.withLock({ $0.cast }) { return try known.get() }
            do {
                let (cast, probe) = try make()
                state.withLock { state in
                    state.cast = .success(cast)
                    (state.setUp, state.borrowed) = (probe.recorder.all, probe.borrowed)
                }
                return cast
            } catch let failure as CheckFailure {
                state.withLock { $0.cast = .failure(failure) }
                throw failure
            }
        }
    }

    /// The exchanges that made the accounts, and what later requests take from them.
    var setUp: (exchanges: [Exchange], borrowed: [Borrowed]) { state.withLock { ($0.setUp, $0.borrowed) } }

    /// Notes what an answer was, and what a request made.
    func note(_ look: ContractLook) {
        _ = state.withLock { $0.seen.insert(Provocation(look.operation, look.status)) }
    }

    /// Whether the status was seen of the operation.
    func hasSeen(_ provocation: Provocation) -> Bool { state.withLock { $0.seen.contains(provocation) } }

    /// Notes an account that has to go again.
    func noteUser(_ name: String) { state.withLock { $0.users.append(name) } }
    /// The same of an organization.
    func noteOrganization(_ name: String) { state.withLock { $0.organizations.append(name) } }

    /// The same of a key of the administrator's.
    func noteKey(_ id: String) { state.withLock { $0.keys.append(id) } }

    /// The administrator's keys, from now on forgotten.
    func takeKeys() -> [String] {
        state.withLock { state in
            defer { state.keys = [] }
            return state.keys
        }
    }

    /// What was made and is not known to be gone: organizations, users.
    var remains: (organizations: [String], users: [String]) {
        state.withLock { (Array($0.organizations.reversed()).uniqued, Array($0.users.reversed()).uniqued) }
    }

    /// Forgets what is gone.
    func forget(organizations: Set<String>, users: Set<String>) {
        state.withLock { state in
            state.organizations.removeAll { organizations.contains($0) }
            state.users.removeAll { users.contains($0) }
        }
    }
}

/// A status of an operation.
package struct Provocation: Sendable, Hashable, Comparable {
    /// The operation's id.
    package let operation: String
    /// The status.
    package let status: Int

    /// Names a status of an operation.
    package init(_ operation: String, _ status: Int) {
        (self.operation, self.status) = (operation, status)
    }

    package static func < (left: Provocation, right: Provocation) -> Bool {
        (left.operation, left.status) < (right.operation, right.status)
    }
}
