import Access
import Model
import Service

/// A request that found its route: what the path said, parsed, and the grant for it.
package struct Call: Sendable {
    package let request: Request
    package let registry: Registry
    package let settings: HTTPSettings
    let authorizer: Authorizer
    let grant: Grant
    let manifestMemory: MemoryBudget
    let answerMemory: AnswerMemory
    /// The repository of the path; of routes without one nobody asks.
    private let name: RepositoryName?
    /// The path's last segment, decoded.
    let parameter: String

    init(_ request: Request, _ application: Application, _ match: Route.Match, _ name: RepositoryName?, _ grant: Grant)
    {
        self.request = request
        registry = application.registry
        settings = application.settings
        authorizer = application.authorizer
        manifestMemory = application.manifestMemory
        answerMemory = application.answerMemory
        self.grant = grant
        self.name = name
        parameter = match.parameter
    }

    /// The repository that the path names.
    func repository() throws(RegistryError) -> RepositoryName {
        guard let name else { throw RegistryError(.internalError, "the route has no repository") }
        return name
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
    package let permission: Permission?
    /// The endpoint's id in the distribution-spec, or what else defines it.
    package let spec: String
    /// Asked first: the answer, if it is there without waiting.
    let atOnce: QuickHandler?
    let handler: Handler

    init(
        _ method: Method, _ template: String, _ permission: Permission?, _ spec: String,
        atOnce: QuickHandler? = nil, _ handler: @escaping Handler
    ) {
        self.method = method
        self.template = template
        self.permission = permission
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
