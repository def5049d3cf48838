/// Lists in pages: a cursor that leaves nothing out and tells nothing twice, `next` and `Link` that say the same.
enum PageChecks {
    static let checks: [ManagementCheck] = [
        paged("users", "in the order of their names") { probe in
            let word = try probe.management().name("page")
            for number in 0..<5 {
                try make(probe, "/users", "\(word)-\(number)", #","password":"\#(try probe.management().password)""#)
            }
            return ("/users?q=\(word)", (0..<5).map { "\(word)-\($0)" }, "name")
        },
        paged("organizations", "each once") { probe in
            let user = try probe.newUser()
            let names = try (0..<5).map { _ in try probe.newOrganization([(user, "reader")]) }
            return ("/organizations", names, "name", .user(user))
        },
        paged("repositories", "in the order of their names") { probe in
            let organization = try probe.newOrganization()
            for number in 0..<5 { try make(probe, "/repositories", "\(organization)/r\(number)") }
            return ("/repositories?namespace=\(organization)", (0..<5).map { "\(organization)/r\($0)" }, "name")
        },
        paged("tags", "in the order of their names") { probe in
            let (repository, image) = try probe.newRepository(in: try probe.newOrganization())
            let tags = try (0..<4).map { _ in try probe.newTag(in: repository, of: image) }
            return (RepositoryChecks.place(repository) + "/tags", tags + ["v1"], "name")
        },
        paged("blobs", "each once") { probe in
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            for _ in 0..<3 { _ = try probe.pushTagged(repository, "v1", probe.random(100)) }
            let all = try probe.items(.administrator, RepositoryChecks.place(repository) + "/blobs?n=1000")
            return (RepositoryChecks.place(repository) + "/blobs", all.compactMap { $0["digest"]?.string }, "digest")
        },
        paged("organizations.audit", "newest first") { probe in
            let organization = try probe.newOrganization()
            for number in 0..<4 {
                try probe.api(
                    .administrator, "POST", "/organizations/\(organization)/teams", #"{"name":"t\#(number)"}"#
                ).expect(201)
            }
            let place = "/organizations/\(organization)/audit"
            let all = try probe.items(.administrator, place + "?n=1000").compactMap { $0["id"]?.string }
            try require(all.count >= 5, "five entries of five changes", "\(all.count)")
            return (place, all, "id")
        },
        ManagementCheck("api.pages.bounds", "openapi: n", "n is at most what the document says, and at least one") {
            probe in
            for n in ["0", "1001", "-1", "x", "1.5"] {
                try probe.api(.administrator, "GET", "/users?n=\(n)").problem(400, "field_invalid").expectMember(
                    "field", "\"n\"")
            }
            for after in ["%00", "%FF", "..", "%7B%7D"] {
                try probe.api(.administrator, "GET", "/users?after=\(after)").expect(200, 400)
            }
        },
    ]

    private static func make(_ probe: Probe, _ path: String, _ name: String, _ more: String = "") throws {
        _ = try probe.prepare("what is listed") {
            try probe.api(.administrator, "POST", path, #"{"name":"\#(name)"\#(more)}"#).expect(201)
        }
    }

    private typealias Listing = (path: String, items: [String], member: String, actor: Actor)

    private static func paged(
        _ id: String, _ order: String,
        _ made: @escaping @Sendable (Probe) throws -> (path: String, items: [String], member: String)
    ) -> ManagementCheck {
        paged(id, order) { probe -> Listing in
            let (path, items, member) = try made(probe)
            return (path, items, member, .administrator)
        }
    }

    /// A list that is read in pages of two has what it has as a whole, in order, once.
    private static func paged(
        _ id: String, _ order: String, _ made: @escaping @Sendable (Probe) throws -> Listing
    ) -> ManagementCheck {
        ManagementCheck("api.pages.\(id)", "openapi: n, after, Link", "pages of two have all of \(id), \(order)") {
            probe in
            let (path, wanted, member, actor) = try made(probe)
            let isOrdered = order.hasPrefix("in the order")
            let join = path.contains("?") ? "&" : "?"
            var answer = try probe.api(actor, "GET", "\(path)\(join)n=2").expect(200)
            var found: [String] = []
            for page in 1...20 {
                let json = try answer.json()
                let items = json["items"]?.array ?? []
                guard items.count <= 2 else {
                    throw answer.failure("\(answer.request): 2 items at most", "\(items.count)")
                }
                found += items.compactMap { $0[member]?.string }
                let link = answer.headers["Link"]
                let next = json["next"]?.string
                guard (next == nil) == (link == nil) else {
                    throw answer.failure(
                        "\(answer.request): next and Link, both or none", link == nil ? "next alone" : "Link alone",
                        link == nil ? .headerPresent("Link") : .bodyHolds("\"next\":\""))
                }
                guard let next else { break }
                try require(page < 20, "a list that ends", "twenty pages", answer)
                let place = "\(path)\(join)n=2&after=\(queryEscaped(next))"
                let byNext = try probe.api(actor, "GET", place).expect(200)
                let linked = try probe.nextPage(answer).map { Address($0.url(on: probe.base))?.target ?? "" } ?? ""
                let behind = linked.hasPrefix("/api/v1") ? String(linked.dropFirst(7)) : linked
                let byLink = try probe.api(actor, "GET", behind).expect(200)
                try require(byLink.body == byNext.body, "the page of next behind Link", "another", byLink)
                answer = byLink
            }
            let expected = isOrdered ? wanted.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } : wanted
            if order == "each once" {
                try require(found.sorted() == expected.sorted(), "\(expected.sorted())", "\(found.sorted())")
            } else {
                try require(found == expected, "\(expected)", "\(found)")
            }
        }
    }
}
