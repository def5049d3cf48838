import Access
import Model
import Service

/// What nobody has to be known for: registering, and a new password by mail.
enum RegistrationOperations {
    static let operations: [Operation] = [
        .api(
            "auth.register", .post, "/api/v1/auth/register", .anybody,
            """
            Makes a user, where the operator lets anybody register. Where mail is sent, 202 says that a code is on its way to the \
            address, which confirms it.
            """,
            takes: .registration, gives: .init(201, .user), or: [202],
            failures: [.denied, .nameTaken, .accountNameInvalid, .tooManyRequests], rate: .registration, register),
        .api(
            "auth.confirm", .post, "/api/v1/auth/register/confirm", .anybody,
            "Makes the user whose address the code confirms that was sent to it.", takes: .code,
            gives: .init(201, .user), failures: [.credentialsInvalid, .nameTaken, .tooManyRequests],
            rate: .registration
        ) { call throws(RegistryError) in
            let user = try await call.accounts.users.confirm(
                call.fields().required("token"), from: call.request.sender)
            return .json(201, user.json)
        },
        .api(
            "auth.resetRequest", .post, "/api/v1/auth/password-reset", .anybody,
            """
            Has a code for a new password sent to a user's address. The answer is the same whether there is such a user, or one \
            with an address, or not.
            """,
            takes: .resetRequest, gives: 202, failures: [.denied, .tooManyRequests], rate: .registration
        ) { call throws(RegistryError) in
            try await call.accounts.users.requestReset(of: call.fields().required("user"))
            return Response(202)
        },
        .api(
            "auth.reset", .post, "/api/v1/auth/password-reset/confirm", .anybody,
            "Sets the password of the user to whom the code was sent, once, and ends all that came of the old one.",
            takes: .reset, gives: 204, failures: [.credentialsInvalid, .tooManyRequests], rate: .registration
        ) { call throws(RegistryError) in
            let fields = try await call.fields()
            try await call.accounts.users.reset(
                by: fields.required("token"), to: fields.required("password"), from: call.request.sender)
            return Response(204)
        },
        .api(
            "auth.emailConfirm", .post, "/api/v1/auth/email/confirm", .anybody,
            "Gives a user the e-mail address that the code confirms which was sent to it.", takes: .code, gives: 204,
            failures: [.credentialsInvalid, .nameTaken, .tooManyRequests], rate: .registration
        ) { call throws(RegistryError) in
            try await call.accounts.users.confirmAddress(call.fields().required("token"), from: call.request.sender)
            return Response(204)
        },
    ]

    @Sendable private static func register(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        let registered = try await call.accounts.users.register(
            fields.account("name"), email: fields.email("email"), password: fields.required("password"),
            from: call.request.sender)
        switch registered {
        case .made(let user): return .json(201, user.json)
        case .waits: return Response(202)
        }
    }
}

extension Fields {
    /// An e-mail address; nil where it is not there or null. Throws `.fieldInvalid`.
    func email(_ name: String) throws(RegistryError) -> EmailAddress? {
        guard let text = try text(name) else { return nil }
        do throws(ParseError) {
            return try EmailAddress.parse(text)
        } catch {
            throw RegistryError(.fieldInvalid, error.message, detail: ["field": name])
        }
    }
}
