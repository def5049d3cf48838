import Access
import Model
import Service

/// `/api/v1/users` and `/api/v1/auth`.
enum UserOperations {
    static let operations = [
        Operation(
            .post, "/api/v1/users", .registry(.administer), body: .json, answers: [201],
            failures: [.fieldInvalid, .accountNameInvalid, .nameTaken], rate: .write, spec: "api: users",
            style: .problem,
            create),
        Operation(
            .get, "/api/v1/users", .registry(.administer), answers: [200], failures: [.paginationInvalid], rate: .list,
            spec: "api: users", style: .problem, list),
        Operation(
            .get, user, .registry(.administer), answers: [200], failures: failures, rate: .read, spec: "api: users",
            style: .problem
        ) { call throws(RegistryError) in
            .json(200, try await call.accounts.users.get(call.account(.user), call.registryGrant()).json)
        },
        Operation(
            .patch, user, .registry(.administer), body: .json, answers: [200],
            failures: failures + [.fieldInvalid, .inUse],
            rate: .write, spec: "api: users", style: .problem, change),
        Operation(
            .delete, user, .registry(.administer), answers: [204], failures: failures + [.inUse, .lastOwner],
            rate: .write,
            spec: "api: users", style: .problem
        ) { call throws(RegistryError) in
            try await call.accounts.users.remove(call.account(.user), call.registryGrant())
            return Response(204)
        },
        Operation(
            .put, "\(user)/password", .registry(.administer), body: .json, answers: [200],
            failures: failures + [.fieldInvalid], rate: .write, spec: "api: users", style: .problem, password),
        Operation(
            .get, "/api/v1/auth/me", .registry(.account), answers: [200], rate: .read, spec: "api: auth",
            style: .problem,
            me),
        Operation(
            .put, "/api/v1/auth/password", .registry(.account), body: .json, answers: [204], failures: [.fieldInvalid],
            rate: .login, spec: "api: auth", style: .problem, ownPassword),
    ]

    private static let user = "/api/v1/users/{user}"
    private static let failures: [RegistryError.Code] = [.accountUnknown, .accountNameInvalid]

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let grant = try call.registryGrant()
        let fields = try await call.fields(["name", "email", "password", "admin"])
        let name = try parsing { [text = try fields.required("name")] () throws(ParseError) in
            try AccountName.parse(text)
        }
        let made = try await call.accounts.users.add(
            name, email: fields.text("email"), password: fields.text("password"),
            isAdministrator: fields.flag("admin") ?? false, grant)
        var json = made.user.json
        if let password = made.password { json.put("password", password) }
        return .json(201, json)
    }

    @Sendable private static func list(_ call: Call) async throws(RegistryError) -> Response {
        let found = try await call.accounts.users.list(
            containing: call.request.query["q"] ?? "", call.listRequest(), call.registryGrant())
        return .page(found.users.map(\.json), next: found.next)
    }

    @Sendable private static func change(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields(["email", "admin", "disabled"])
        var change = UserChange()
        if fields.has("email") { change.email = .some(try fields.text("email")) }
        change.isAdministrator = try fields.flag("admin")
        change.isDisabled = try fields.flag("disabled")
        return .json(
            200, try await call.accounts.users.change(call.account(.user), change, call.registryGrant()).json)
    }

    @Sendable private static func password(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields(["password"])
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
        let fields = try await call.fields(["current", "password"])
        try await call.accounts.users.changePassword(
            from: fields.required("current"), to: fields.required("password"), call.registryGrant())
        return Response(204)
    }
}

extension User {
    fileprivate var json: JSONObject {
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

extension Call {
    /// The name in the path. Throws `.accountNameInvalid`.
    func account(_ parameter: PathParameter) throws(RegistryError) -> AccountName {
        let text = parameters[parameter]
        return try parsing { () throws(ParseError) in try AccountName.parse(text) }
    }

    /// The members of the body. Throws `.fieldInvalid`.
    func fields(_ known: Set<String>) async throws(RegistryError) -> Fields {
        try Fields(try await smallBody(), known)
    }

    /// A body of at most 64 KiB.
    func smallBody() async throws(RegistryError) -> [UInt8] {
        let share = manifestMemory.share(for: request.remote)
        let bytes = try await request.body.collect(upTo: Operation.Body.small, in: share)
        withExtendedLifetime(share) {}
        return bytes
    }

    /// `n` and `after`. Throws `.paginationInvalid`.
    func listRequest() throws(RegistryError) -> PageRequest {
        let after = request.query["after"] ?? ""
        guard let text = request.query["n"] else { return PageRequest(limit: 100, last: after) }
        guard let limit = Int(text), limit > 0 else {
            throw RegistryError(
                .paginationInvalid, "n is '\(text.excerpt)': send a whole number, one or more", detail: ["field": "n"])
        }
        return PageRequest(limit: limit, last: after)
    }
}
