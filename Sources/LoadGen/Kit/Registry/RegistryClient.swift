import FoundationEssentials
import Harness
import NIOCore

/// Who asks.
package enum Credentials: Sendable {
    case none
    case basic(user: String, password: String)
    case token(String)
}

/// Speaks to one registry as clients do: logs in when asked, follows redirects of blobs. Never to another host with credentials.
package struct RegistryClient: Sendable {
    /// The registry.
    package let endpoint: Endpoint
    /// Who asks.
    package let credentials: Credentials
    /// Hosts besides the target that a token may be fetched from.
    package let tokenHosts: [HostRule]
    /// Each request asks for the connection to be closed.
    package let closes: Bool

    /// Nothing is sent yet.
    package init(endpoint: Endpoint, credentials: Credentials, tokenHosts: [HostRule] = [], closes: Bool = false) {
        self.endpoint = endpoint
        self.credentials = credentials
        self.tokenHosts = tokenHosts
        self.closes = closes
    }

    /// A call of the API before login and redirects.
    struct Call {
        var operation: Operation
        var method: String
        var path: String
        /// What a token must allow, `repository:NAME:ACTIONS`.
        var scope: String
        var fields: [String] = []
        var body = Request.Body.none
        var keeping = Request.Keeping.nothing
        var keepsHeaders = false
        var accepts = [200]
        var length: Int?
        var digest: String?
    }

    /// Sends a call, with a login when the registry asks for one, and blob redirects followed.
    func send(_ call: Call, _ session: Session) async throws(Failure) -> Answer {
        var answer = await session.send(try await request(call, session))
        if answer.status == 401, credentials.canLogIn,
            let way = LoginWay(answer.head.values("WWW-Authenticate"))
        {
            session.logins.way = way
            session.logins.forget(call.scope)
            answer = await session.send(try await request(call, session))
        }
        if [301, 302, 303, 307, 308].contains(answer.status) { answer = try await follow(answer, call, session) }
        if let failure = answer.failure { throw failure }
        guard call.accepts.contains(answer.status) else { throw .status(answer.status) }
        if let length = call.length, answer.received != length { throw .wrongLength }
        if let digest = call.digest, let found = answer.digest, digest != found { throw .digestMismatch }
        return answer
    }

    /// What clients do before their first pull: ask how the registry wants to know who they are, and get a token for `scope` where
    /// it wants one. What others of this event loop know is not used.
    func logIn(for scope: String, _ session: Session) async throws(Failure) {
        session.logins = LoginCache()
        let answer = try await session.expect(
            Request(
                .ping, "GET", endpoint, "/v2/", keepsHeaders: true, closes: closes, accepts: [200, 401]))
        guard let way = LoginWay(answer.head.values("WWW-Authenticate")) else { throw .loginUnasked }
        session.logins.way = way
        _ = try await authorization(scope, session)
    }

    private func request(_ call: Call, _ session: Session) async throws(Failure) -> Request {
        var fields = call.fields
        if let authorization = try await authorization(call.scope, session) { fields.append(authorization) }
        var request = Request(
            call.operation, call.method, endpoint, call.path, fields: fields, body: call.body, keeping: call.keeping,
            keepsHeaders: true, closes: closes,
            accepts: call.accepts + (call.operation.mayRedirect ? [301, 302, 303, 307, 308] : []))
        if !call.operation.mayRedirect {
            (request.expectedLength, request.expectedDigest) = (call.length, call.digest)
        }
        return request
    }

    private func follow(_ answer: Answer, _ call: Call, _ session: Session) async throws(Failure) -> Answer {
        guard call.operation.mayRedirect else { throw .status(answer.status) }
        var answer = answer
        var place = Target(endpoint: endpoint, path: call.path)
        for _ in 0..<5 {
            guard let reference = answer.head.value("Location"),
                let next = Location.resolve(reference, against: place.endpoint, path: place.path)
            else { throw .unusable }
            place = next
            var fields = call.fields
            if place.endpoint == endpoint, let authorization = try await authorization(call.scope, session) {
                fields.append(authorization)
            }
            var request = Request(
                .redirected, call.method, place.endpoint, place.path, fields: fields, keeping: call.keeping,
                keepsHeaders: true, closes: closes, accepts: call.accepts + [301, 302, 303, 307, 308])
            (request.expectedLength, request.expectedDigest) = (call.length, call.digest)
            answer = await session.send(request)
            guard [301, 302, 303, 307, 308].contains(answer.status) else { return answer }
        }
        throw .unusable
    }

    private func authorization(_ scope: String, _ session: Session) async throws(Failure) -> String? {
        switch (credentials, session.logins.way) {
        case (.token(let token), _): return "Authorization: Bearer " + token
        case (.none, nil), (.none, .basic), (.basic, nil): return nil
        case (.basic(let user, let password), .basic): return Self.basic(user, password)
        case (.basic, .bearer(let realm, let service)), (.none, .bearer(let realm, let service)):
            if let token = session.logins.token(for: scope) { return "Authorization: Bearer " + token }
            let token = try await fetchToken(realm, service, scope, session)
            session.logins.keep(token.value, for: scope, lifetime: token.lifetime)
            return "Authorization: Bearer " + token.value
        }
    }

    static func basic(_ user: String, _ password: String) -> String {
        "Authorization: Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }

    /// Docker's token GET: Basic credentials, a `scope` for each of those in `scope`, which stand with blanks between.
    private func fetchToken(
        _ realm: String, _ service: String?, _ scope: String, _ session: Session
    ) async throws(Failure) -> (value: String, lifetime: Duration) {
        guard let place = Location.resolve(realm, against: endpoint, path: "/") else { throw .unusable }
        let mayAsk = place.endpoint == endpoint || tokenHosts.contains { $0.allows(place.endpoint) }
        guard mayAsk else { throw .foreignHost }
        var path = place.path
        if let service { path = Address.adding("service=" + queryEscaped(service), to: path) }
        for one in scope.split(separator: " ") {
            path = Address.adding("scope=" + queryEscaped(String(one)), to: path)
        }
        var fields: [String] = []
        if case .basic(let user, let password) = credentials { fields.append(Self.basic(user, password)) }
        let answer = await session.send(
            Request(.token, "GET", place.endpoint, path, fields: fields, keeping: .bytes(limit: 65_536), closes: closes)
        )
        if let failure = answer.failure { throw failure }
        guard answer.status == 200 else { throw credentials.isNone ? .loginWanted : .loginRefused }
        guard let token = TokenAnswer(json: answer.body) else { throw .unusable }
        return (token.value, token.lifetime)
    }
}

extension Credentials {
    /// The header field that says it without being asked, for a plain GET.
    package var fields: [String] {
        switch self {
        case .none: []
        case .basic(let user, let password): [RegistryClient.basic(user, password)]
        case .token(let token): ["Authorization: Bearer " + token]
        }
    }

    var isNone: Bool {
        if case .none = self { true } else { false }
    }

    /// Another attempt with a token makes sense.
    var canLogIn: Bool {
        if case .token = self { false } else { true }
    }
}

extension Operation {
    /// Redirects are followed for these alone.
    var mayRedirect: Bool { self == .blobGet || self == .blobHead }
}
