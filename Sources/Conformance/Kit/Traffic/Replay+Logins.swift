import Foundation

/// Recorded logins, done again with the run's own credentials: what was given out when a session was recorded is masked,
/// and would open nothing elsewhere.
extension Replay {
    /// A token that the registry gave in answer to a recorded request for one.
    struct Pass: Sendable {
        /// What was asked for, in the names of this run.
        let scopes: [String]
        let token: String

        /// Whether a client would take it for a request of this kind: clients go by what they asked for.
        func covers(_ repository: String, _ action: String) -> Bool {
            scopes.contains { scope in
                let parts = scope.split(separator: ":").map(String.init)
                guard parts.count == 3, parts[0] == "repository", parts[1] == repository else { return false }
                return parts[2] == "*" || parts[2].split(separator: ",").contains { $0 == action }
            }
        }
    }

    /// Where the recorded registry gave out tokens: paths.
    static func realms(_ recording: Recording) -> Set<String> {
        Set(
            recording.exchanges.compactMap { exchange in
                let lines = (exchange.answerHeaders["www-authenticate"] ?? []).map { ("WWW-Authenticate", $0) }
                guard let challenge = Challenge(Headers(lines)), challenge.scheme == "bearer" else { return nil }
                return challenge.parameters["realm"].flatMap { Address($0) }.map {
                    String($0.target.prefix { $0 != "?" })
                }
            })
    }

    /// As whom a recorded request goes out: with the token that this run got where that one had a token.
    func access(of exchange: RecordedExchange) -> Request.Access {
        guard exchange.headers["authorization"]?.first?.lowercased().hasPrefix("bearer") == true else { return .usual }
        let token: String?
        if let name = home(of: exchange.url) {
            let isUpload = exchange.url.hasPrefix("@")
            let action =
                switch exchange.method {
                case "GET", "HEAD": isUpload ? "push" : "pull"
                case "DELETE": isUpload ? "push" : "delete"
                default: "push"
                }
            token = passes.last { $0.covers(repository(name), action) }?.token
        } else {
            token = passes.last?.token
        }
        return token.map { .identity(Identity(name: "a token of the replay", proof: .token($0))) } ?? .usual
    }

    /// The recorded repository that a request goes to; nil where it goes to none.
    private func home(of url: String) -> String? {
        url.hasPrefix("@") ? homes[String(url.prefix { $0 != "?" })] : Target(url)?.repository
    }

    // MARK: Challenges

    /// A request that was answered 401: it has to be here, with a challenge that a client can answer.
    func challenged(_ exchange: RecordedExchange) throws -> ReplayStep.Verdict {
        guard exchange.headers["authorization"] == nil else { return .left("credentials that were refused on the way") }
        if case .anonymous = probe.run.target.identity.proof { return .left(Replay.nobody) }
        var path = exchange.url
        if let target = Target(path) { path = self.path(target) }
        let answer = try send(exchange, .path(path), body: nil, access: Request.Access.none)
        if answer.status != 401, try isOpen() { return .left("the registry asks nobody who reads") }
        try answer.expect(anyOf: [401], "without credentials")
        let line = try answer.expectHeader("WWW-Authenticate")
        let challenge = Challenge(answer.headers)
        try require(
            challenge.map { ["bearer", "basic"].contains($0.scheme) && $0.parameters["realm"] != nil } ?? false,
            "Bearer realm=\"…\" or Basic realm=\"…\"", line, answer)
        return .good
    }

    private func isOpen() throws -> Bool {
        var request = Request("GET", .path("/v2/"))
        request.access = .none
        return try probe.send(request).status == 200
    }

    // MARK: Tokens

    static let nobody = "a login, and the replay has no credentials: --user and --password"

    /// A request for a token.
    func login(_ exchange: RecordedExchange) throws -> ReplayStep.Verdict {
        guard case .password = probe.run.target.identity.proof else { return .left(Replay.nobody) }
        let service = try tokenService()
        let isWrong = exchange.status == 401
        let fields = try fields(of: exchange, service, isWrong)
        var answer = try ask(exchange, service, fields, isWrong)
        if isWrong {
            try answer.expect(anyOf: [400, 401, 403], "for a wrong password")
            return .good
        }
        let isAnonymous = exchange.method == "GET" && exchange.headers["authorization"] == nil
        if isAnonymous, answer.status == 401 { return .left("the registry gives nobody a token without credentials") }
        let isGrant = fields.contains { $0.0 == "grant_type" && $0.1 == "password" }
        if isGrant, [400, 401, 404, 405].contains(answer.status) {
            // As containerd does where a service knows no POST.
            let asked = fields.filter { ["scope", "service"].contains($0.0) }
            answer = try ask(method: "GET", service, asked, basic: probe.run.target.identity.basic)
        }
        try ReplayJudge(exchange, answer).status()
        let scopes = fields.filter { $0.0 == "scope" }.flatMap { $0.1.split(separator: " ").map(String.init) }
        passes.append(Pass(scopes: scopes, token: try probe.token(in: answer)))
        if let fresh = try answer.json()["refresh_token"]?.string {
            probe.run.masker.learn(fresh)
            refresh = fresh
        }
        return .good
    }

    private func tokenService() throws -> TokenService {
        if let known = service { return known }
        let found = try probe.tokenService()
        service = found
        return found
    }

    /// The recorded parameters with this run's names and secrets in place of those of then.
    private func fields(
        of exchange: RecordedExchange, _ service: TokenService, _ isWrong: Bool
    ) throws -> [(String, String)] {
        guard case .password(let user, let password) = probe.run.target.identity.proof else { return [] }
        let text =
            exchange.method == "POST" ? exchange.body?.text ?? "" : String(exchange.url.drop { $0 != "?" }.dropFirst())
        return try text.split(separator: "&").compactMap { pair in
            let name = String(pair.prefix { $0 != "=" })
            let raw = String(pair.dropFirst(name.count + 1)).replacing("+", with: " ")
            switch name {
            case "service": return (name, service.service)
            case "account", "username": return (name, user)
            case "password": return (name, isWrong ? try probe.word("wrong-") : password)
            case "refresh_token":
                if isWrong { throw Skip("a refresh token that was refused") }
                guard let refresh else { throw Skip("the registry gives no refresh token") }
                return (name, refresh)
            case "offline_token": return (name, "true")
            case "scope":
                let scopes = (raw.removingPercentEncoding ?? raw).split(separator: " ")
                return (name, scopes.map { renamed(String($0)) }.joined(separator: " "))
            default: return raw.contains(Masker.mask) ? nil : (name, raw.removingPercentEncoding ?? raw)
            }
        }
    }

    /// A recorded scope with the repository of this run.
    private func renamed(_ scope: String) -> String {
        let parts = scope.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, parts[0] == "repository" else { return scope }
        return "repository:\(repository(parts[1])):\(parts[2])"
    }

    private func ask(
        _ exchange: RecordedExchange, _ service: TokenService, _ fields: [(String, String)], _ isWrong: Bool
    ) throws -> Answer {
        var basic: String?
        if exchange.headers["authorization"] != nil, case .password(let user, _) = probe.run.target.identity.proof {
            let wrong = Identity(name: "wrong", proof: .password(user: user, password: try probe.word("wrong-")))
            basic = (isWrong ? wrong : probe.run.target.identity).basic
        }
        return try ask(method: exchange.method, service, fields, basic: basic)
    }

    private func ask(
        method: String, _ service: TokenService, _ fields: [(String, String)], basic: String?
    ) throws -> Answer {
        let form = fields.map { $0.0 + "=" + queryEscaped($0.1) }.joined(separator: "&")
        var request = Request(method, .url(method == "POST" ? service.realm : Address.adding(form, to: service.realm)))
        request.access = .none
        if let basic { request.headers.append(("Authorization", basic)) }
        if method == "POST" {
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
            request.body = Content(form)
        }
        return try probe.send(request)
    }
}
