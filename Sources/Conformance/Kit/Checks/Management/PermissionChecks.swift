/// Permissions on a repository, and why somebody may do something.
enum PermissionChecks {
    static let checks: [ManagementCheck] = [
        ManagementCheck(
            "api.permissions.counts", "roles.md", "a permission counts from the next request on, until it is taken back"
        ) {
            probe in
            let (name, repository, place) = try new(probe)
            try probe.pulls(.user(name), repository).expect(404)
            try probe.api(.administrator, "PUT", place, #"{"actions":["pull"]}"#).expect(204)
            try probe.pulls(.user(name), repository).expect(200)
            try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
            try probe.api(.administrator, "DELETE", place).expect(204)
            try probe.pulls(.user(name), repository).expect(404)
        },
        ManagementCheck(
            "api.permissions.set.replaces", "openapi: permissions.set",
            "what is given stands in the place of what was given before"
        ) {
            probe in
            let (name, repository, place) = try new(probe)
            try probe.api(.administrator, "PUT", place, #"{"actions":["pull","push"]}"#).expect(204)
            try probe.cancel(
                try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(202), .user(name))
            try probe.api(.administrator, "PUT", place, #"{"actions":["pull"]}"#).expect(204)
            try probe.v2(.user(name), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
            let list = try probe.items(.administrator, RepositoryChecks.place(repository) + "/permissions")
            try require(
                list.count == 1 && list[0]["grantee"]?.string == "user:\(name)"
                    && list[0]["actions"]?.strings == ["pull"],
                "one entry: pull for user:\(name)", list.map(\.text).joined(separator: ", "))
        },
        ManagementCheck(
            "api.permissions.push-pulls", "roles.md", "who may push or delete may pull, and no more than that"
        ) { probe in
            let (name, repository, place) = try new(probe)
            for action in ["push", "delete"] {
                try probe.api(.administrator, "PUT", place, #"{"actions":["\#(action)"]}"#).expect(204)
                try probe.pulls(.user(name), repository).expect(200)
                try probe.api(.user(name), "PATCH", RepositoryChecks.place(repository), #"{"description":"x"}"#)
                    .problem(403)
            }
        },
        ManagementCheck(
            "api.permissions.admin", "roles.md", "who is given admin may all of it, and decides who else may"
        ) { probe in
            let (name, repository, place) = try new(probe)
            let other = try probe.newUser()
            try probe.api(.administrator, "PUT", place, #"{"actions":["admin"]}"#).expect(204)
            let others = RepositoryChecks.place(repository) + "/permissions/user%3A\(other)"
            try probe.api(.user(name), "PUT", others, #"{"actions":["pull"]}"#).expect(204)
            try probe.pulls(.user(other), repository).expect(200)
            try probe.api(.user(other), "PUT", others, #"{"actions":["admin"]}"#).problem(403)
            try probe.v2(.user(name), "DELETE", "/v2/\(repository)/manifests/v1").expect(202)
        },
        ManagementCheck(
            "api.permissions.why", "openapi: EffectivePermission",
            "each rule that gives something is told, and what they come to"
        ) {
            probe in
            let (name, repository, place) = try new(probe)
            let organization = String(repository.prefix { $0 != "/" })
            func why() throws -> (actions: [String], rules: [String]) {
                let told = try probe.api(.administrator, "GET", place).expect(200).json()
                return (
                    (told["actions"]?.strings ?? []).sorted(),
                    (told["why"]?.array ?? []).compactMap { $0["rule"]?.string }.sorted()
                )
            }
            var (actions, rules) = try why()
            try require(actions.isEmpty && rules.isEmpty, "nothing, for no reason", "\(actions) by \(rules)")
            try probe.setRole("reader", of: name, in: organization)
            try probe.api(.administrator, "PUT", place, #"{"actions":["delete"]}"#).expect(204)
            (actions, rules) = try why()
            try require(
                actions == ["delete", "pull"] && rules == ["permission", "role"],
                "delete and pull, by permission and role",
                "\(actions) by \(rules)")
        },
        ManagementCheck(
            "api.permissions.again", "roles.md",
            "a repository that is made again under an old name has none of the old permissions"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization()
            let repository = try probe.newRepository(in: organization).name
            let place = RepositoryChecks.place(repository)
            try probe.api(.administrator, "PUT", "\(place)/permissions/user%3A\(name)", #"{"actions":["pull"]}"#)
                .expect(204)
            try probe.api(.administrator, "DELETE", "/organizations/\(organization)?confirm=\(organization)").expect(
                204)
            try probe.api(.administrator, "POST", "/organizations", #"{"name":"\#(organization)"}"#).expect(201)
            let again = try probe.api(
                .administrator, "POST", "/repositories", #"{"name":"\#(repository)","visibility":"private"}"#)
            // The name may stay reserved until what was there is swept away.
            if again.status == 403 { throw Skip("the name is reserved for a while") }
            try again.expect(201)
            _ = try probe.pushTagged(repository, "v1", probe.random(100))
            try probe.pulls(.user(name), repository).expect(404)
            try require(try probe.items(.administrator, "\(place)/permissions").isEmpty, "no permissions", "some")
        },
        ManagementCheck(
            "api.permissions.set.unknown", "openapi: permissions.set",
            "to whom is not there nothing is given: 404, and 400 for what is no grantee"
        ) {
            probe in
            let (_, repository, _) = try new(probe)
            let place = RepositoryChecks.place(repository) + "/permissions/"
            try probe.api(.administrator, "PUT", place + "user%3Ano-such-user", #"{"actions":["pull"]}"#).problem(404)
            try probe.api(.administrator, "PUT", place + "everybody", #"{"actions":["pull"]}"#).problem(400)
            try probe.api(.administrator, "PUT", place + "user%3A\(try probe.newUser())", #"{"actions":[]}"#).problem(
                400)
        },
    ]

    /// A user of nothing, a repository, and where the user's permission on it is.
    private static func new(_ probe: Probe) throws -> (name: String, repository: String, place: String) {
        let name = try probe.newUser()
        let repository = try probe.newRepository(in: try probe.newOrganization()).name
        return (name, repository, RepositoryChecks.place(repository) + "/permissions/user%3A\(name)")
    }
}
