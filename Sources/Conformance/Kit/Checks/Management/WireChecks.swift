/// What every operation answers to requests that are none of its own.
enum WireChecks {
    private static func all(_ status: Int) -> [(String, Int)] { APIRow.all.map { ($0.id, status) } }

    static let checks: [ManagementCheck] = [
        ManagementCheck(
            "api.wire.long-target", "openapi", "a target of 20,000 bytes is 414, of every operation",
            provokes: all(414)
        ) { probe in
            try each(probe) { stand, actor in
                try probe.ask(stand, by: actor, query: "q=" + String(repeating: "a", count: 20_000)).expect(414)
            }
        },
        ManagementCheck(
            "api.wire.large-head", "openapi", "a head of 80,000 bytes is 431, of every operation", provokes: all(431)
        ) { probe in
            try each(probe) { stand, actor in
                let headers = (0..<10).map { ("X-Long-\($0)", String(repeating: "a", count: 8_000)) }
                try probe.ask(stand, by: actor, headers: headers).expect(431)
            }
        },
        ManagementCheck(
            "api.wire.coding", "openapi", "a body in a coding that nobody knows is 501, of every operation",
            provokes: all(501)
        ) { probe in
            try each(probe) { stand, actor in
                try probe.ask(stand, by: actor, headers: [("Transfer-Encoding", "x-odd")]).expect(501)
            }
        },
        ManagementCheck(
            "api.wire.method", "openapi", "a method that a path does not have is 405, and Allow tells those that it has"
        ) { probe in
            let cast = try probe.cast()
            let document = try probe.management().document
            for path in Set(document.operations.map(\.path)).sorted() {
                let known = Set(document.operations.filter { $0.path == path }.map(\.method))
                guard let row = document.operations.first(where: { $0.path == path }).flatMap({ APIRow.byID[$0.id] })
                else {
                    continue
                }
                let place = try probe.stand(row, .own, by: .administrator, cast, bare: true).path
                for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] where !known.contains(method) {
                    let answer = try probe.api(.administrator, method, place).expect(405)
                    let allowed = Set(try answer.expectHeader("Allow").split(separator: ",").map(\.trimmed))
                    guard known.isSubset(of: allowed), !allowed.contains(method) else {
                        throw answer.failure(
                            "\(answer.request): Allow of \(known.sorted().joined(separator: ", "))",
                            allowed.sorted().joined(separator: ", "))
                    }
                }
            }
        },
        ManagementCheck("api.wire.unknown-path", "openapi", "a path that is none of the document's is 404") { probe in
            for path in ["/nothing", "/users/a/b/c/d", "/Users", "/repositories//x"] {
                try probe.api(.administrator, "GET", path).expect(404)
            }
        },
        ManagementCheck(
            "api.wire.large-body", "openapi",
            "a body of a megabyte is refused by a 4xx, and the next request is answered"
        ) { probe in
            let cast = try probe.cast()
            let text = #"{"name":""# + String(repeating: "a", count: 1 << 20) + "\"}"
            for path in ["/organizations", "/keys", "/repositories"] {
                try probe.api(cast.actor(.outsider), "POST", path, text).expectClientError("for a megabyte")
            }
            try probe.api(cast.actor(.outsider), "GET", "/auth/me").expect(200)
        },
        ManagementCheck(
            "api.wire.wrong-token", "openapi: security", "a token that is none is 401, with a challenge"
        ) { probe in
            let token = Actor("a token that is none", .bearer("not-a-token-at-all"))
            try probe.api(token, "GET", "/auth/me").problem(401, "credentials_invalid").expectHeader("WWW-Authenticate")
        },
        ManagementCheck("api.wire.api-key-header", "openapi: security", "X-API-Key is a key's own way to log in") {
            probe in
            let cast = try probe.cast()
            let key = try probe.newKey(cast.actor(.outsider))
            let answer = try probe.api(.nobody, "GET", "/auth/me", headers: [("X-API-Key", key.secret)]).expect(200)
            try answer.expectMember("name", JSONText.string(cast.name(.outsider)))
        },
    ]

    private static func each(_ probe: Probe, _ work: (Stand, Actor) throws -> Void) throws {
        let cast = try probe.cast()
        let told = Set(try probe.management().document.operations.map(\.id))
        for row in APIRow.all where told.contains(row.id) {
            try work(try probe.stand(row, .own, by: .administrator, cast, bare: true), .administrator)
        }
    }
}
