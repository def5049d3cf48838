import Access
import Model
import Service

/// `/api/v1/users` and one's own account.
enum UserOperations {
    static let operations: [Operation] = [
        .api(
            "users.create", .post, users, .registry(.administer), "Makes a user, and the namespace of its name.",
            takes: .newUser, gives: .init(201, .madeUser), failures: [.accountNameInvalid, .nameTaken], create),
        .api(
            "users.list", .get, users, .registry(.administer), "Lists users in the order of their names.",
            query: [.word] + Shape.Member.page, gives: .init(200, .page(of: .user)), list),
        .api("users.get", .get, user, .registry(.administer), "Shows a user.", gives: .init(200, .user)) {
            call throws(RegistryError) in
            let user = try await call.accounts.users.get(call.account(.user), call.registryGrant())
            return .json(200, user.json, user.tag)
        },
        .api(
            "users.update", .patch, user, .registry(.administer), "Changes a user.", takes: .userChange,
            gives: .init(200, .user), failures: [.inUse, .nameTaken], change),
        .api(
            "users.delete", .delete, user, .registry(.administer), "Deletes a user who has no repositories.",
            gives: 204, failures: [.inUse, .lastOwner]
        ) { call throws(RegistryError) in
            try await call.accounts.users.remove(call.account(.user), call.registryGrant())
            return Response(204)
        },
        .api(
            "users.password", .put, "\(user)/password", .registry(.administer),
            "Sets a user's password, and ends all that came of the old one.", takes: .newPassword,
            gives: .init(200, .madePassword), password),
        .api(
            "auth.me", .get, "/api/v1/auth/me", .registry(.account), "Shows who asks.", gives: .init(200, .me), me),
        .api(
            "auth.password", .put, "/api/v1/auth/password", .registry(.account), "Changes one's own password.",
            takes: .ownPassword, gives: 204, rate: .login, ownPassword),
        .api(
            "auth.email", .put, "/api/v1/auth/email", .registry(.account),
            """
            Changes one's own e-mail address. Where mail is sent, 202 says that a code is on its way to the new one, which \
            confirms it; the old one is told when it is done.
            """, takes: .ownAddress, gives: .init(200, .user), or: [202],
            failures: [.nameTaken, .tooManyRequests], rate: .login, ownAddress),
    ]

    private static let users = "/api/v1/users"
    private static let user = "/api/v1/users/{user}"

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        return try await call.making { made in
            var json = made.user.json
            if let password = made.password { json.put("password", password) }
            return .json(201, json)
        } _: { (keeping) throws(RegistryError) in
            try await call.accounts.users.add(
                fields.account("name"), email: fields.email("email"), password: fields.text("password"),
                isAdministrator: fields.flag("admin") ?? false, call.registryGrant(), keeping: keeping)
        }
    }

    @Sendable private static func list(_ call: Call) async throws(RegistryError) -> Response {
        let found = try await call.accounts.users.list(
            word: call.request.query["q"] ?? "", call.listRequest(), call.registryGrant())
        return call.page(found.users.map(\.json), next: found.next)
    }

    @Sendable private static func change(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        var change = UserChange()
        if fields.has("email") { change.email = .some(try fields.email("email")) }
        change.isAdministrator = try fields.flag("admin")
        change.isDisabled = try fields.flag("disabled")
        let user = try await call.accounts.users.change(
            call.account(.user), change, if: call.expectation, call.registryGrant())
        return .json(200, user.json, user.tag)
    }

    @Sendable private static func password(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        let made = try await call.accounts.users.setPassword(
            fields.text("password"), of: call.account(.user), call.registryGrant())
        var json = JSONObject()
        if let made { json.put("password", made) }
        return .json(200, json)
    }

    @Sendable private static func me(_ call: Call) async throws(RegistryError) -> Response {
        guard let user = try await call.accounts.users.me(call.registryGrant()) else {
            var json = JSONObject()
            json.put("name", "system")
            json.put("admin", true)
            return .json(200, json)
        }
        return .json(200, user.json)
    }

    @Sendable private static func ownPassword(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        try await call.accounts.users.changePassword(
            from: fields.required("current"), to: fields.required("password"), call.registryGrant())
        return Response(204)
    }

    @Sendable private static func ownAddress(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        let changed = try await call.accounts.users.changeAddress(
            to: fields.email("email"), password: fields.required("password"), call.registryGrant())
        switch changed {
        case .done(let user): return .json(200, user.json)
        case .waits: return Response(202)
        }
    }
}

extension User {
    var json: JSONObject {
        var json = JSONObject()
        json.put("id", id.description)
        json.put("name", name)
        json.put("email", email)
        json.put("admin", isAdministrator)
        json.put("disabled", isDisabled)
        json.put("created_at", createdAt)
        json.put("last_login_at", lastLoginAt)
        return json
    }
}
