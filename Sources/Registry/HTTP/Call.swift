import Access
import Model
import Service

/// A request that found its operation: what the path said, parsed, and what the caller may do there.
package struct Call: Sendable {
    /// What the operation's right was asked of, and what was decided.
    enum Access: Sendable {
        case none
        case registry(Decision<WholeRegistry>)
        case repository(RepositoryName, Decision<Repository>)
        case namespace(Decision<Namespace>)
    }

    package let request: Request
    package let registry: Registry
    /// Who there is; there is nobody on an open registry, whose table has no operation that asks.
    let accounts: Accounts
    package let settings: HTTPSettings
    let authorizer: Authorizer
    let caller: Caller
    let manifestMemory: MemoryBudget
    let answerMemory: AnswerMemory
    let operation: Operation
    let parameters: PathParameters
    let access: Access
    let answers: PreparedAnswers
    let metrics: MetricsPage?
    /// What it is known by when its client sends it again, and its body, which was read for that; see `once`.
    var repeated: RepeatableRequest?
    var readBody: [UInt8]?

    init(
        _ request: Request, _ application: Application, _ operation: Operation, _ parameters: PathParameters,
        _ caller: Caller, _ access: Access
    ) {
        self.request = request
        registry = application.registry
        accounts = application.accounts
        settings = application.settings
        authorizer = application.authorizer
        manifestMemory = application.manifestMemory
        answerMemory = application.answerMemory
        answers = application.answers
        metrics = application.metrics
        self.caller = caller
        self.access = access
        self.operation = operation
        self.parameters = parameters
    }

    /// Throws what the decision refuses, before anything of the request is read: `.unauthorized`, `.denied`, `.accountUnknown`.
    /// What may be absent or hidden is the handler's.
    func demand() throws(RegistryError) {
        switch access {
        case .none: break
        case .registry: _ = try registryGrant()
        case .repository: _ = try grantIfThere()
        case .namespace: _ = try namespaceGrant()
        }
    }

    /// The grant for the registry. Throws `.unauthorized`, `.denied`.
    func registryGrant() throws(RegistryError) -> RegistryGrant {
        guard case .registry(let decision) = access else {
            throw RegistryError(.internalError, "the operation has no right on the registry")
        }
        guard let grant = try decision.grant() else {
            throw RegistryError(.notFound, "there is nothing at this path for you")
        }
        return grant
    }

    /// The grant for the path's organization. Throws `.unauthorized`, `.denied`, `.accountUnknown`.
    func namespaceGrant() throws(RegistryError) -> NamespaceGrant {
        guard case .namespace(let decision) = access else {
            throw RegistryError(.internalError, "the operation has no organization")
        }
        guard let grant = try decision.grant(), grant.target.kind == .organization else {
            throw RegistryError(
                .accountUnknown, "there is no organization '\(parameters[.organization].excerpt)' for you")
        }
        return grant
    }

    /// The grant for the path's repository, nil where there is none that the caller may know of. Throws `.unauthorized`, `.denied`.
    func grantIfThere() throws(RegistryError) -> RepositoryGrant? {
        guard case .repository(_, let decision) = access else {
            throw RegistryError(.internalError, "the operation has no repository")
        }
        return try decision.grant()
    }

    /// The grant for the path's repository; without one that the caller may know of the error of this code.
    func grant(absent code: RegistryError.Code = .nameUnknown) throws(RegistryError) -> RepositoryGrant {
        guard let grant = try grantIfThere() else { throw absent(code) }
        return grant
    }

    /// The grant for the path's repository, which is made where it is not there and the caller may.
    func grantMaking() async throws(RegistryError) -> RepositoryGrant {
        guard case .repository(let name, .absent(let making)) = access else { return try grant() }
        try await registry.repositories.make(making)
        guard let grant = try await authorizer.authorize(making.right, on: name, caller).grant() else {
            throw absent(.nameUnknown)
        }
        return grant
    }

    private func absent(_ code: RegistryError.Code) -> RegistryError {
        guard case .repository(let name, _) = access else {
            return RegistryError(.internalError, "the operation has no repository")
        }
        return RegistryError(
            code, "there is no repository \(name): check the name, or push to it first",
            detail: ["name": name.description])
    }
}
