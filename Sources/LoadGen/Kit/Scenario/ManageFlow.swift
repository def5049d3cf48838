import Harness

/// What an arrival can ask of a registry's management API.
package enum ManagementQuestion: String, CaseIterable, Sendable {
    /// A page of an organization's repositories, from a random one on.
    case listRepositories = "list-repositories"
    /// Repositories with a word in their names.
    case searchRepositories = "search-repositories"
    /// One repository, with its figures.
    case getRepository = "get-repository"
    /// A page of the users, from a random one on.
    case listUsers = "list-users"
    /// Users with a word in their names.
    case searchUsers = "search-users"
    /// One user.
    case getUser = "get-user"
    /// The latest page of the audit.
    case listAudit = "list-audit"

    /// The row of reports that it counts in, and what stands behind `/api/v1/`.
    func request(_ drawn: AccountPlan.Drawn) -> (operation: Operation, target: String) {
        let (repository, user) = (queryEscaped(drawn.repository), queryEscaped(drawn.user))
        return switch self {
        case .listRepositories:
            (.apiRepositories, "repositories?namespace=\(drawn.organization)&n=100&after=\(repository)")
        case .searchRepositories: (.apiRepositorySearch, "repositories?q=\(drawn.word)&n=20")
        case .getRepository: (.apiRepository, "repositories/\(repository)")
        case .listUsers: (.apiUsers, "users?n=100&after=\(user)")
        case .searchUsers: (.apiUserSearch, "users?q=\(drawn.word)&n=20")
        case .getUser: (.apiUser, "users/\(user)")
        case .listAudit: (.apiAudit, "audit?n=100")
        }
    }
}

/// One question to a registry's management API.
struct ManageFlow: Flow {
    let workload: RegistryWorkload
    let question: ManagementQuestion

    func run(_ session: Session) async throws(Failure) {
        if workload.scenario.pings { try await workload.client.ping(session) }
        guard let drawn = workload.accounts.draw(&session.random) else { throw .unusable }
        let (operation, target) = question.request(drawn)
        _ = try await workload.client.manage(operation, "GET", target, session)
    }
}

/// Makes what a plan says, a few at a time: each user costs the registry a password's hash.
struct AccountSetUp: Flow {
    let plan: AccountPlan
    let client: RegistryClient

    func run(_ session: Session) async throws(Failure) {
        guard let counts = plan.counts else { return }
        try await make("organizations", plan.organization, session)
        try await session.parallel(counts.repositories, width: 16) { [self] (session, place) throws(Failure) in
            try await make("repositories", plan.repository(place), session)
        }
        try await session.parallel(counts.users, width: 4) { [self] (session, place) throws(Failure) in
            try await make("users", plan.user(place), session)
        }
    }

    /// One that is there has been made by an earlier run with the same seed.
    private func make(_ kind: String, _ name: String, _ session: Session) async throws(Failure) {
        _ = try await client.manage(
            .apiMake, "POST", kind, body: "{\"name\":\"\(name)\"}", accepts: [201, 409], session)
        session.uploads.stored()
    }
}
