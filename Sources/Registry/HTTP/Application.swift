import Access
import Logging
import Model
import Service
import Vocabulary

/// How answers are to look; what an operator may set about HTTP.
package struct HTTPSettings: Sendable {
    /// Whether Locations carry scheme and host.
    package var absoluteLocations = false
    /// Proxies whose Forwarded and X-Forwarded-* headers are believed.
    package var trustedProxies: [AddressBlock] = []
    /// Clients that get blobs from here, and are not sent to the store that has them.
    package var unredirected: [AddressBlock] = []
    /// How clients reach the registry, such as `https://registry.example.com`; empty for what their requests say.
    package var url = ""
    /// Most requests a minute of one account, or of one address where nobody is known, by class; 0 for any.
    package var rates: [RateClass: Int] = [:]
    /// Origins whose pages may use the API, or `*`.
    package var corsOrigins: Set<String> = []
    /// Of the program.
    package var version = ""
    /// What an operator has set, as far as administrators may see it.
    package var shown: [(key: String, value: String)] = []
    /// Whether a 401 of `/v2/` asks for Basic credentials, not for a token.
    package var challengesBasic = false

    /// Relative Locations, no proxies.
    package init() {}
}

/// From request to answer: finds the operation, asks for the grant, runs the handler, turns errors into answers, logs.
package final class Application: Sendable {
    let registry: Registry
    let accounts: Accounts
    let authenticator: any Authenticator
    let authorizer: Authorizer
    package let settings: HTTPSettings
    let rates: RateLimit
    let log: Logger
    /// For manifests that are being pushed: 32 MiB, or one of the largest.
    package let manifestMemory: MemoryBudget
    package let answerMemory = AnswerMemory(capacity: 32 << 20)
    let answers = PreparedAnswers()
    let table: OperationTable
    /// All that is measured, where this is for who watches.
    let metrics: MetricsPage?
    /// Where the operation of prepared answers stands.
    let pulls: Int

    /// An application over a registry and those who use it. The operations on accounts are there where the policy is about
    /// accounts: on an open registry they would be open too. With `metrics` it answers who asks for these, and nothing else.
    package init(
        registry: Registry, accounts: Accounts, authenticator: any Authenticator, policy: Policy,
        settings: HTTPSettings, metrics: MetricsPage? = nil, log: Logger
    ) {
        table = metrics != nil ? .watching : policy.needsStanding ? .all : .open
        self.metrics = metrics
        pulls = OperationTable.pulls
        self.registry = registry
        self.accounts = accounts
        self.authenticator = authenticator
        authorizer = Authorizer(policy: policy, source: registry.repositories)
        self.settings = settings
        rates = RateLimit(settings.rates)
        self.log = log
        manifestMemory = MemoryBudget(capacity: max(32 << 20, registry.limits.manifest / 7 * 8 + 8))
    }

    func carryOut(
        _ request: Request, _ work: () async throws(RegistryError) -> Response
    ) async -> Response {
        do throws(RegistryError) {
            var response = try await work()
            if let bytes = largeBody(response, request) {
                response.memory = try await answerMemory.hold(waitingFor: bytes, request.remote)
            }
            return done(response, request)
        } catch {
            return failed(error, request)
        }
    }

    /// With the memory that it takes until it is sent; nil when that is not to be had at once.
    func heldNow(_ response: Response, _ request: Request) -> Response? {
        guard let bytes = largeBody(response, request) else { return response }
        guard let memory = answerMemory.hold(bytes, request.remote) else { return nil }
        var response = response
        response.memory = memory
        return response
    }

    /// The bytes of a body that is counted and was not counted yet.
    private func largeBody(_ response: Response, _ request: Request) -> [UInt8]? {
        guard case .bytes(let bytes) = response.body, bytes.count > AnswerMemory.small else { return nil }
        return response.memory == nil && request.method != .head ? bytes : nil
    }

    func find(_ request: Request) throws(RegistryError) -> (Operation, PathParameters) {
        guard request.path.utf8.count <= 2048 else {
            throw RegistryError(.uriTooLong, "the path has over 2048 bytes")
        }
        switch table.find(request.method, request.path) {
        case .found(let operation, let parameters):
            request.findings.note(operation.place)
            // Who watches has to see it.
            let isForced = operation.access == .anybody || operation.rate == .health
            guard isForced || registry.isServing else {
                throw RegistryError(
                    .unavailable, "the registry's data is not there: try again once its operator has mounted it")
            }
            let limit = operation.body.limit(registry.limits)
            guard request.body.length ?? 0 <= limit.bytes else {
                throw RegistryError(limit.error, "at most \(limit.bytes) bytes are taken here")
            }
            return (operation, parameters)
        case .wrongMethod:
            throw RegistryError(.methodNotAllowed, "\(request.method.name.excerpt) is not possible here")
        case .notFound:
            throw RegistryError(.notFound, "there is nothing at this path: the registry's API is below /v2/")
        }
    }

    /// The request with what its caller may do, if all of that is known without waiting.
    func callAtOnce(
        _ request: Request, _ operation: Operation, _ parameters: PathParameters
    ) throws(RegistryError) -> Call? {
        if operation.access == .anybody {
            let caller = Caller(.anonymous, request.sender)
            return Call(request, self, operation, parameters, caller, .none)
        }
        let name = try repository(parameters)
        guard let identity = try identityAtOnce(request) else { return nil }
        request.findings.note(identity.principal)
        let caller = Caller(identity, request.sender)
        switch operation.access {
        case .anybody: return Call(request, self, operation, parameters, caller, .none)
        case .registry(let right):
            guard let decision = authorizer.atOnce(right, caller) else { return nil }
            return Call(request, self, operation, parameters, caller, .registry(decision))
        case .repository(let right):
            guard let name, let decision = authorizer.atOnce(right, on: name, caller) else { return nil }
            return Call(request, self, operation, parameters, caller, .repository(name, decision))
        case .namespace: return nil
        }
    }

    /// The same, with whatever has to be waited for.
    func call(
        _ request: Request, _ operation: Operation, _ parameters: PathParameters
    ) async throws(RegistryError) -> Call {
        // Where a token is made the handler asks who it is for.
        let identity =
            operation.access == .anybody
            ? .anonymous : try await authenticator.identify(request.presented, from: request.sender)
        request.findings.note(identity.principal)
        let caller = Caller(identity, request.sender)
        switch operation.access {
        case .anybody: return Call(request, self, operation, parameters, caller, .none)
        case .registry(let right):
            return Call(
                request, self, operation, parameters, caller, .registry(try await authorizer.authorize(right, caller)))
        case .repository(let right):
            guard let name = try repository(parameters) else {
                throw RegistryError(.internalError, "the operation has no repository")
            }
            let decision = try await authorizer.authorize(right, on: name, caller)
            return Call(request, self, operation, parameters, caller, .repository(name, decision))
        case .namespace(let right):
            let text = parameters[.organization]
            let name = try parsing { () throws(ParseError) in try AccountName.parse(text) }
            let namespace = try await accounts.organizations.namespace(name)
            let decision = try await authorizer.authorize(right, in: namespace, caller)
            return Call(request, self, operation, parameters, caller, .namespace(decision))
        }
    }

    private func repository(_ parameters: PathParameters) throws(RegistryError) -> RepositoryName? {
        guard let name = parameters.name ?? parameters.encodedName else { return nil }
        return try parsing { () throws(ParseError) in try RepositoryName.parse(name) }
    }

    func done(_ response: Response, _ request: Request) -> Response {
        // Reads are many and dull.
        note(request, response.status, request.method == .get || request.method == .head ? .debug : .info)
        var response = response
        response.requestID = request.id
        share(&response, request)
        return response
    }

    func failed(_ error: RegistryError, _ request: Request) -> Response {
        var (operation, name): (Operation?, RepositoryName?) = (nil, nil)
        if case .found(let found, let parameters) = table.find(request.method, request.path) {
            operation = found
            do throws(RegistryError) { name = try repository(parameters) } catch { name = nil }
        }
        let style = operation?.errorStyle ?? (request.path.hasPrefix("/api/") ? .problem : .docker)
        var response = ErrorResponse.response(
            error, style, failureHeaders(error, request) + challenge(error, request, operation, name))
        note(request, response.status, response.status >= 500 ? .error : .info, error)
        response.requestID = request.id
        share(&response, request)
        return response
    }

    /// The answer to what cannot be read as a request.
    package func refusal(_ error: RegistryError, id: String, remote: String) -> Response {
        var response = ErrorResponse.response(error)
        response.requestID = id
        let metadata: Logger.Metadata = ["request-id": "\(id)", "status": "\(response.status)", "remote": "\(remote)"]
        log.info("request", metadata: metadata.merging(Self.metadata(error)) { $1 })
        return response
    }

    /// A request took long: how long, and what of it is known, in nanoseconds.
    package func noteSlow(_ request: Request, _ status: Int, _ time: Int64, _ stages: [(name: String, time: Int64)]) {
        let longest = stages.max { $0.time < $1.time }
        var metadata: Logger.Metadata = [
            "request-id": "\(request.id)", "method": "\(request.method.name.excerpt)",
            "path": "\(request.path.excerpt)", "status": "\(status)", "remote": "\(request.remote)",
            "milliseconds": "\(time / 1_000_000)", "stage": "\(longest?.name ?? "other")",
        ]
        for (name, time) in stages { metadata[name] = "\(time / 1_000_000)" }
        log.warning("slow request", metadata: metadata)
    }

    /// A connection that failed on the way.
    package func noteConnectionError(_ cause: String, remote: String) {
        log.debug("connection failed", metadata: ["cause": "\(cause)", "remote": "\(remote)"])
    }

    private static func metadata(_ error: RegistryError) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "error": "\(ErrorResponse.table(error.code).code)", "reason": "\(error.message)",
        ]
        metadata["cause"] = error.cause.map { "\($0)" }
        return metadata
    }

    private func failureHeaders(_ error: RegistryError, _ request: Request) -> [(name: String, value: String)] {
        // Content takes what leaves it there as long as it is in use (RFC 9110 section 15.5.6).
        let isKept = error.code == .contentInUse
        if error.code == .tooManyRequests { return RateDecision.headers(error) }
        guard isKept || error.code == .methodNotAllowed else { return [] }
        let allowed = table.allowed(request.path, removing: registry.limits.deletes && !isKept)
        return [("Allow", allowed.joined(separator: ", "))]
    }

    private func note(_ request: Request, _ status: Int, _ level: Logger.Level, _ error: RegistryError? = nil) {
        guard log.logLevel <= level else { return }
        var metadata: Logger.Metadata = [
            "request-id": "\(request.id)", "method": "\(request.method.name.excerpt)",
            "path": "\(request.path.excerpt)", "status": "\(status)", "remote": "\(request.remote)",
        ]
        if let error { metadata.merge(Self.metadata(error)) { $1 } }
        log.log(level: level, "request", metadata: metadata)
    }
}

/// Runs `body` and turns what text from outside had wrong into the API's error.
func parsing<T>(_ body: () throws(ParseError) -> T) throws(RegistryError) -> T {
    do throws(ParseError) {
        return try body()
    } catch {
        throw RegistryError(error)
    }
}
