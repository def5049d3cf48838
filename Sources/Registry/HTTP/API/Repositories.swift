import Access
import Model
import Service

/// `/api/v1/repositories`: these themselves.
enum RepositoryOperations {
    static let operations: [Operation] = [
        .api(
            "repositories.list", .get, list, .registry(.catalog),
            "Lists the repositories that one may pull from, in the order of their names.", query: filters,
            gives: .init(200, .page(of: .repository)), failures: [.accountNameInvalid], all),
        .api(
            "repositories.create", .post, list, .registry(.account),
            "Makes a repository before anything is pushed to it.",
            takes: .newRepository, gives: .init(201, .repository), failures: [.nameInvalid, .nameTaken], create),
        .api("repositories.get", .get, one, .repository(.pull), "Shows a repository.", gives: .init(200, .repository)) {
            call throws(RegistryError) in
            let repository = try await call.registry.repositories.get(call.grant())
            return .json(200, repository.json, repository.tag)
        },
        .api(
            "repositories.update", .patch, one, .repository(.administer),
            "Changes a repository. Its name cannot be changed: push to the new one, and delete this.",
            takes: .repositoryChange, gives: .init(200, .repository), change),
        .api(
            "repositories.delete", .delete, one, .repository(.administer),
            "Deletes a repository: it is out of sight at once, and can be restored for a time.", gives: 204,
            failures: [.methodNotAllowed]
        ) { call throws(RegistryError) in
            try call.demandDeletes()
            try await call.registry.repositories.remove(call.grant())
            return Response(204)
        },
        .api(
            "repositories.restore", .post, "\(one)/restore", .registry(.account),
            "Brings a repository back that was deleted.", gives: .init(200, .repository),
            failures: [.nameInvalid, .nameUnknown], restore),
        .api(
            "organizations.deleted", .get, "/api/v1/organizations/{organization}/deleted-repositories",
            .namespace(.manage), "Lists an organization's repositories that were deleted and can be restored.",
            query: Shape.Member.page, gives: .init(200, .page(of: .deletedRepository))
        ) { call throws(RegistryError) in
            let found = try await call.registry.repositories.deleted(call.listRequest(), call.namespaceGrant())
            return call.page(found.repositories.map(\.deletedJSON), next: found.next)
        },
    ]

    static let one = "/api/v1/repositories/{repository}"
    private static let list = "/api/v1/repositories"
    private static let filters: [Shape.Member] =
        [
            .optional(
                "q", .text(0...255), "The beginning of their names, or of a word in them: `ng` finds `acme/my-nginx`."),
            .optional("namespace", .accountName, "Those of a user or an organization."),
            .optional("visibility", .visibility, ""),
        ] + Shape.Member.page

    @Sendable private static func all(_ call: Call) async throws(RegistryError) -> Response {
        var search = RepositorySearch()
        search.word = call.request.query["q"] ?? ""
        search.namespace = try parsing { () throws(ParseError) in
            try call.request.query["namespace"].map { (name) throws(ParseError) in
                try AccountName.parse(name).description
            }
        }
        search.visibility = call.request.query["visibility"].map { $0 == "public" ? .open : .hidden }
        let found = try await call.registry.repositories.search(search, call.listRequest(), call.registryGrant())
        return call.page(found.repositories.map(\.json), next: found.next)
    }

    @Sendable private static func create(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        let text = try fields.required("name")
        let name = try parsing { () throws(ParseError) in try RepositoryName.parse(text) }
        switch try await call.authorizer.authorize(.push, on: name, call.caller) {
        case .absent(let making):
            return try await call.making { made in
                .json(201, made.json)
            } _: { (keeping) throws(RegistryError) in
                try await call.registry.repositories.create(
                    visibility: fields.visibility(), description: fields.text("description") ?? "", making,
                    keeping: keeping)
            }
        case .allowed:
            throw RegistryError(.nameTaken, "there is a repository \(name) already", detail: ["name": text])
        case .challenge, .narrow, .denied, .hidden:
            throw RegistryError(.denied, "you may not make \(name): ask who manages '\(name.namespace)'")
        }
    }

    @Sendable private static func change(_ call: Call) async throws(RegistryError) -> Response {
        let fields = try await call.fields()
        var change = RepositoryChange()
        change.visibility = try fields.visibility()
        change.description = try fields.text("description")
        let repository = try await call.registry.repositories.change(change, if: call.expectation, call.grant())
        return .json(200, repository.json, repository.tag)
    }

    @Sendable private static func restore(_ call: Call) async throws(RegistryError) -> Response {
        let text = call.parameters[.repository]
        let name = try parsing { () throws(ParseError) in try RepositoryName.parse(text) }
        let namespace = try await call.registry.repositories.namespace(of: name)
        guard let grant = try await call.authorizer.authorize(.manage, in: namespace, call.caller).grant() else {
            throw RegistryError(.nameUnknown, "there is no repository \(name) to restore")
        }
        return .json(200, try await call.registry.repositories.restore(name, grant).json)
    }
}

extension Call {
    /// Throws `.methodNotAllowed` where the operator has switched deletions off.
    func demandDeletes() throws(RegistryError) {
        guard registry.limits.deletes else {
            throw RegistryError(
                .methodNotAllowed, "this registry does not delete: its operator has switched it off")
        }
    }
}

extension Fields {
    fileprivate func visibility() throws(RegistryError) -> Visibility? {
        try text("visibility").map { $0 == "public" ? .open : .hidden }
    }
}

extension RepositoryInfo {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("name", name.description)
        json.put("visibility", visibility.text)
        json.put("description", description)
        json.put("tags", tags)
        json.put("manifests", manifests)
        json.put("blobs", blobs)
        json.put("bytes", bytes)
        json.put("logical_bytes", logicalBytes)
        json.put("pulls", pulls)
        json.put("created_at", createdAt)
        json.put("pushed_at", pushedAt)
        json.put("pulled_at", pulledAt)
        return json
    }

    fileprivate var deletedJSON: JSONObject {
        var json = json
        json.put("deleted_at", deletedAt)
        return json
    }
}
