import Access
import Model
import Service

/// A request that found its route: what the path said, parsed, and what the caller may do there.
package struct Call: Sendable {
    /// What the route's right was asked of, and what was decided.
    enum Access: Sendable {
        case none
        case registry(Decision<WholeRegistry>)
        case repository(RepositoryName, Decision<Repository>)
    }

    package let request: Request
    package let registry: Registry
    package let settings: HTTPSettings
    let authorizer: Authorizer
    let caller: Caller
    let manifestMemory: MemoryBudget
    let answerMemory: AnswerMemory
    /// The path's last segment, decoded.
    let parameter: String
    private let access: Access

    init(
        _ request: Request, _ application: Application, _ match: Route.Match, _ caller: Caller, _ access: Access
    ) {
        self.request = request
        registry = application.registry
        settings = application.settings
        authorizer = application.authorizer
        manifestMemory = application.manifestMemory
        answerMemory = application.answerMemory
        self.caller = caller
        self.access = access
        parameter = match.parameter
    }

    /// The grant for the registry. Throws `.unauthorized`, `.denied`.
    func registryGrant() throws(RegistryError) -> RegistryGrant {
        guard case .registry(let decision) = access else {
            throw RegistryError(.internalError, "the route has no right on the registry")
        }
        guard let grant = try decision.grant() else {
            throw RegistryError(.notFound, "there is nothing at this path for you")
        }
        return grant
    }

    /// The grant for the path's repository, nil where there is none that the caller may know of. Throws `.unauthorized`, `.denied`.
    func grantIfThere() throws(RegistryError) -> RepositoryGrant? {
        guard case .repository(_, let decision) = access else {
            throw RegistryError(.internalError, "the route has no repository")
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
            return RegistryError(.internalError, "the route has no repository")
        }
        return RegistryError(
            code, "there is no repository \(name): check the name, or push to it first",
            detail: ["name": name.description])
    }
}

/// One operation of the API. The table of them is what dispatch, 405 answers and tests are read from.
package final class Route: Sendable {
    typealias Handler = @Sendable (Call) async throws(RegistryError) -> Response
    typealias QuickHandler = @Sendable (Call) throws(RegistryError) -> Response?

    package let method: Method
    /// Literal segments, `{name}` for a repository (one segment or more), `{…}` for one segment.
    package let template: String
    /// What the caller must be allowed; nil for anybody.
    package let right: Right?
    /// The endpoint's id in the distribution-spec, or what else defines it.
    package let spec: String
    /// Asked first: the answer, if it is there without waiting.
    let atOnce: QuickHandler?
    let handler: Handler

    init(
        _ method: Method, _ template: String, _ right: Right?, _ spec: String,
        atOnce: QuickHandler? = nil, _ handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.right = right
        self.spec = spec
        self.atOnce = atOnce
        self.handler = handler
    }

    /// What a path says to a route that fits it.
    struct Match {
        let name: String?
        let parameter: String
    }
}
