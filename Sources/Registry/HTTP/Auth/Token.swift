import Access
import Model
import Service

/// `/auth/token`, where clients get what `/v2/` asks for (distribution, "Token Authentication Specification" and "OAuth2 Token
/// Authentication"), and the keys that it is signed with.
enum TokenOperations {
    static let operations = [
        Operation(
            .get, "/auth/token", .anybody, answers: [200], failures: failures, rate: .token, spec: "token", get),
        Operation(
            .post, "/auth/token", .anybody, body: .form, answers: [200], failures: failures, rate: .token,
            spec: "oauth", post),
        Operation(
            .post, "/auth/logout", .anybody, body: .form, answers: [204], rate: .token, spec: "RFC 7009"
        ) { call throws(RegistryError) in
            let form = Query(form: try await call.smallBody())
            if let token = form["token"] ?? form["refresh_token"] {
                try await call.accounts.logins.end(refreshing: token, from: call.request.sender)
            }
            return Response(204)
        },
        Operation(
            .get, "/auth/keys", .anybody, answers: [200], rate: .read, spec: "RFC 7517"
        ) { call throws(RegistryError) in
            Response(
                200, [("Content-Type", "application/jwk-set+json")], .bytes(Array(call.accounts.tokens.keySet.utf8)))
        },
    ]

    private static let failures: [RegistryError.Code] = [
        .credentialsInvalid, .tooManyRequests, .badRequest, .unauthorized,
    ]

    /// With Basic credentials or none. `offline_token` asks for a refresh token, which is what `docker login` does.
    @Sendable private static func get(_ call: Call) async throws(RegistryError) -> Response {
        let query = call.request.query
        try check(query["service"], call)
        let requests = try scopes(query.all("scope"))
        let identity = try await call.accounts.logins.identifyForToken(
            call.request.presented, from: call.request.sender)
        return try await answer(
            call, identity, requests, isOffline: query["offline_token"] == "true", query["client_id"])
    }

    /// With a form: `grant_type=password` or `refresh_token`.
    @Sendable private static func post(_ call: Call) async throws(RegistryError) -> Response {
        let form = Query(form: try await call.smallBody())
        try check(form["service"], call)
        let requests = try scopes(form.all("scope"))
        let logins = call.accounts.logins
        switch form["grant_type"] {
        case "password":
            guard let name = form["username"], let password = form["password"] else {
                throw RegistryError(.badRequest, "grant_type=password needs username and password")
            }
            let identity = try await logins.logIn(name, password, from: call.request.sender)
            return try await answer(
                call, identity, requests, isOffline: form["access_type"] == "offline", form["client_id"])
        case "refresh_token":
            guard let token = form["refresh_token"] else {
                throw RegistryError(.badRequest, "grant_type=refresh_token needs refresh_token")
            }
            return try await answer(
                call, try await logins.logIn(refreshing: token), requests, isOffline: false, nil, refreshToken: token)
        default:
            throw RegistryError(.badRequest, "grant_type must be password or refresh_token")
        }
    }

    /// There is one service: a token for another would open nothing here.
    private static func check(_ service: String?, _ call: Call) throws(RegistryError) {
        guard let service, !service.isEmpty, service != call.accounts.tokens.service else { return }
        throw RegistryError(
            .badRequest, "this is the token service of '\(call.accounts.tokens.service)', not of '\(service.excerpt)'")
    }

    private static func scopes(_ texts: [String]) throws(RegistryError) -> [ScopeRequest] {
        try parsing { () throws(ParseError) in try ScopeRequest.parse(texts) }
    }

    private static func answer(
        _ call: Call, _ identity: Identity, _ requests: [ScopeRequest], isOffline: Bool, _ client: String?,
        refreshToken: String? = nil
    ) async throws(RegistryError) -> Response {
        let caller = Caller(identity, call.request.sender)
        let scope = try await call.authorizer.scope(for: requests, caller)
        let token = try call.accounts.tokens.issue(identity, scope)
        var kept = refreshToken
        if isOffline { kept = try await call.accounts.logins.keep(caller, client: client ?? "") }
        var json = JSONObject()
        json.put("token", token)
        json.put("access_token", token)
        json.put("expires_in", call.accounts.tokens.life.components.seconds)
        if !scope.text.isEmpty { json.put("scope", scope.text) }
        if let kept { json.put("refresh_token", kept) }
        return .json(200, json.text, [("Cache-Control", "no-store")])
    }
}

extension Query {
    /// A body of `application/x-www-form-urlencoded`, where a plus sign is a blank.
    init(form: [UInt8]) {
        let text = String(decoding: form.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: " ") : $0 }, as: UTF8.self)
        self.init(text[...])
    }
}
