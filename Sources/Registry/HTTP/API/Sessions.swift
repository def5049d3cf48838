import Access
import Model
import Service

/// `/api/v1/auth`: logging in, staying so, and out.
enum SessionOperations {
    static let operations: [Operation] = [
        .api(
            "auth.login", .post, "/api/v1/auth/login", .anybody,
            "Begins a session, by name or e-mail address and password.", takes: .credentials,
            gives: .init(200, .session), failures: failures + [.denied], rate: .token
        ) { call throws(RegistryError) in
            let fields = try await call.fields()
            return session(
                try await call.accounts.logins.begin(
                    fields.required("name"), fields.required("password"), client: fields.text("client") ?? "api",
                    from: call.request.sender))
        },
        .api(
            "auth.refresh", .post, "/api/v1/auth/refresh", .anybody,
            "Renews a session by its refresh token, which is over then, as the session is.", takes: .refreshToken,
            gives: .init(200, .session), failures: failures, rate: .token
        ) { call throws(RegistryError) in
            session(try await call.accounts.logins.renew(call.fields().required("refresh_token")))
        },
        .api(
            "auth.logout", .post, "/api/v1/auth/logout", .anybody,
            "Ends a session by its refresh token. One that is over already is no error.", takes: .refreshToken,
            gives: 204, failures: [.tooManyRequests], rate: .token
        ) { call throws(RegistryError) in
            try await call.accounts.logins.end(
                refreshing: call.fields().required("refresh_token"), from: call.request.sender)
            return Response(204)
        },
    ]

    private static let failures: [RegistryError.Code] = [.credentialsInvalid, .tooManyRequests]

    private static func session(_ session: LoginSession) -> Response {
        var json = JSONObject()
        json.put("access_token", session.accessToken)
        json.put("token_type", "Bearer")
        json.put("expires_in", session.life.components.seconds)
        json.put("refresh_token", session.refreshToken)
        json.put("user", session.user.json)
        return .json(200, json.text, type: "application/json", [("Cache-Control", "no-store")])
    }
}
