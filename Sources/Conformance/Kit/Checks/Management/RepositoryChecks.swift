/// Repositories: made, found, shared, deleted and brought back.
enum RepositoryChecks {
    static let checks: [ManagementCheck] = [
        ManagementCheck(
            "api.repositories.create.taken", "openapi: repositories.create", "a name that is there is 409",
            provokes: [("repositories.create", 409)]
        ) { probe in
            let cast = try probe.cast()
            try probe.api(.administrator, "POST", "/repositories", #"{"name":"\#(cast.own)/app"}"#).problem(
                409, "name_taken")
        },
        ManagementCheck(
            "api.repositories.counts", "openapi: Repository",
            "it tells how many tags, manifests and blobs it has, and their bytes"
        ) {
            probe in
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            let shown = try probe.api(.administrator, "GET", place(repository)).expect(200)
            for (name, count) in [("tags", "1"), ("manifests", "1"), ("blobs", "2")] {
                try shown.expectMember(name, count)
            }
            let manifest = try probe.pulls(.administrator, repository).expect(200)
            let json = try manifest.json()
            let sizes = ([json["config"]].compactMap { $0 } + (json["layers"]?.array ?? [])).compactMap {
                $0["size"]?.integer
            }
            try shown.expectMember("bytes", "\(sizes.reduce(manifest.body.count, +))")
        },
        ManagementCheck(
            "api.repositories.list.own", "openapi: repositories.list",
            "everybody's list has those that they may pull from alone"
        ) {
            probe in
            let cast = try probe.cast()
            let (own, foreign) = ("\(cast.own)/app", "\(cast.foreign)/app")
            func list(_ role: Role, _ filter: String) throws -> [String] {
                try probe.names(cast.actor(role), "/repositories?namespace=\(filter)")
            }
            try require(try list(.reader, cast.own).contains(own), "\(own) in a reader's list", "a list without it")
            try require(
                try list(.reader, cast.foreign).isEmpty, "nothing of another organization for a reader", "something")
            try require(
                try list(.outsider, cast.own).isEmpty, "nothing of an organization for an outsider", "something")
            try require(
                try list(.administrator, cast.foreign).contains(foreign), "\(foreign) in an administrator's list",
                "a list without it")
        },
        ManagementCheck(
            "api.repositories.list.filters", "openapi: repositories.list",
            "q, namespace and visibility each leave out what does not fit"
        ) {
            probe in
            let organization = try probe.newOrganization()
            let (one, open) = (
                try probe.newRepository(in: organization).name,
                try probe.newRepository(in: organization, visibility: "public").name
            )
            func list(_ query: String) throws -> [String] {
                try probe.names(.administrator, "/repositories?namespace=\(organization)&\(query)")
            }
            let both = [one, open].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for (query, wanted) in [
                ("n=100", both), ("visibility=public", [open]), ("visibility=private", [one]),
                ("q=" + (one.split(separator: "-").last.map(String.init) ?? ""), [one]), ("q=nothing-of-that-name", []),
            ] {
                let found = try list(query)
                try require(found == wanted, "\(wanted) for \(query)", "\(found.prefix(5))")
            }
        },
        ManagementCheck(
            "api.repositories.update.stale", "openapi: repositories.update",
            "If-Match of what is not so any more is 412, and changes nothing", provokes: [("repositories.update", 412)]
        ) { probe in
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            try UserChecks.stale(probe, place(repository), #"{"description":"one"}"#, #"{"description":"other"}"#)
        },
        ManagementCheck(
            "api.repositories.visibility", "openapi: RepositoryChange",
            "what is public everybody pulls, and what is private again nobody else"
        ) {
            probe in
            let cast = try probe.cast()
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            try probe.pulls(.nobody, repository).expect(401)
            try probe.api(.administrator, "PATCH", place(repository), #"{"visibility":"public"}"#).expect(200)
            try probe.pulls(.nobody, repository).expect(200)
            try probe.pulls(cast.actor(.outsider), repository).expect(200)
            try probe.v2(cast.actor(.outsider), "POST", "/v2/\(repository)/blobs/uploads/").expect(403)
            try probe.api(.administrator, "PATCH", place(repository), #"{"visibility":"private"}"#).expect(200)
            try probe.pulls(.nobody, repository).expect(401)
            try probe.pulls(cast.actor(.outsider), repository).expect(404)
        },
        ManagementCheck(
            "api.repositories.delete.restored", "openapi: repositories.delete, repositories.restore",
            "what is deleted is out of sight at once, and comes back whole"
        ) {
            probe in
            let organization = try probe.newOrganization()
            let (repository, image) = try probe.newRepository(in: organization)
            try probe.pulls(.administrator, repository).expect(200)
            try probe.api(.administrator, "DELETE", place(repository)).expect(204)
            try probe.pulls(.administrator, repository).expect(404)
            try probe.api(.administrator, "GET", place(repository)).problem(404)
            try require(
                try probe.names(.administrator, "/repositories?namespace=\(organization)").isEmpty, "a list without it",
                "it is there")
            let deleted = try probe.names(.administrator, "/organizations/\(organization)/deleted-repositories")
            try require(deleted == [repository], "it in the list of what was deleted", "\(deleted)")
            try probe.api(.administrator, "POST", "\(place(repository))/restore").expect(200)
            try probe.pulls(.administrator, repository).expect(200).expectHeader(HeaderNames.digest, image)
            try probe.api(.administrator, "POST", "\(place(repository))/restore").problem(404)
        },
        ManagementCheck(
            "api.repositories.delete.name", "openapi: repositories.delete",
            "the name of what can be restored is nobody's: no push and no new one takes it"
        ) {
            probe in
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            try probe.api(.administrator, "DELETE", place(repository)).expect(204)
            try probe.api(.administrator, "POST", "/repositories", #"{"name":"\#(repository)"}"#).expectClientError()
            try probe.v2(.administrator, "POST", "/v2/\(repository)/blobs/uploads/").expectClientError()
        },
        ManagementCheck(
            "api.repositories.get.alike", "roles.md",
            "another's repository and one that is not there answer alike, but for the name"
        ) {
            probe in
            let cast = try probe.cast()
            let actor = cast.actor(.outsider)
            for path in ["", "/tags", "/tags/v1", "/tags/v1/history", "/blobs", "/manifests/v1"] {
                let foreign = try probe.api(actor, "GET", place("\(cast.own)/app") + path).problem(404)
                let absent = try probe.api(actor, "GET", place("\(cast.own)/nono") + path).problem(404)
                func told(_ answer: Answer, _ name: String) -> String {
                    String(decoding: answer.body, as: UTF8.self).replacing(name, with: "NAME")
                }
                try require(
                    told(foreign, "\(cast.own)/app") == told(absent, "\(cast.own)/nono"), "the same answer to both",
                    "another", foreign)
            }
        },
    ]

    /// A repository's path behind `/api/v1`.
    static func place(_ repository: String) -> String { "/repositories/\(queryEscaped(repository))" }
}
