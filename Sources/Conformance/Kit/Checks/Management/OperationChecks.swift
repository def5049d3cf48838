/// A check of the management API, and the statuses that it provokes of its operations.
package struct ManagementCheck: Sendable {
    package let check: Check
    package let provokes: [Provocation]

    /// A check by requests of its own.
    init(
        _ id: String, _ section: String, _ gist: String, provokes: [(String, Int)] = [], level: Level = .must,
        needs: Set<Need> = [.management], run: @escaping @Sendable (Probe) throws -> Void
    ) {
        check = Check(id, level, section, gist, needs: needs, run: run)
        self.provokes = provokes.map { Provocation($0.0, $0.1) }
    }

    init(_ check: Check) { (self.check, provokes) = (check, []) }
}

/// Of every operation: that it does what it is for, and refuses what it has to, in each way that is the same for all.
enum OperationChecks {
    static let checks: [ManagementCheck] = APIRow.all.flatMap(checks)

    private static func checks(_ row: APIRow) -> [ManagementCheck] {
        [done(row), query(row)]
            + (row.demand == .nothing ? [] : [anonymous(row)])
            + (refuser(row) == nil ? [] : [refused(row)])
            + (row.isOfSomething ? [absent(row)] : [])
            + (row.body == nil ? [] : [body(row), mediaType(row)])
            + (row.success == 201 && row.demand != .nothing ? [repeated(row)] : [])
    }

    /// Who may do it, beside administrators of the registry.
    private static func doer(_ row: APIRow, _ cast: Household) -> Actor {
        switch row.demand {
        case .registry: .administrator
        case .nothing: .nobody
        case .account, .ownKey: cast.actor(.outsider)
        case .view, .pull: cast.actor(.reader)
        case .push: cast.actor(.developer)
        case .delete, .make: cast.actor(.maintainer)
        case .manage, .administer, .restore: cast.actor(.admin)
        case .own: cast.actor(.owner)
        }
    }

    private static func done(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).done", "openapi: \(row.id)", "who may do it has it done, with status \(row.success)",
            provokes: row.isSetting ? [] : [(row.id, row.success)], needs: row.needs
        ) { probe in
            let cast = try probe.cast()
            let actor = doer(row, cast)
            let answer = try probe.ask(probe.stand(row, .own, by: actor, cast), by: actor)
            if row.isSetting, answer.status == 403 { throw Skip("the operator has switched it off") }
            // A code that was made up is good for nothing, and mail may have to be confirmed.
            try answer.expect(anyOf: row.isSetting ? [row.success, 202, 401] : [row.success])
        }
    }

    private static func anonymous(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).anonymous", "openapi: \(row.id)", "without credentials it is 401, with a challenge",
            provokes: [(row.id, 401)]
        ) { probe in
            let cast = try probe.cast()
            let answer = try probe.ask(probe.stand(row, .own, by: .nobody, cast, bare: true), by: .nobody)
            try answer.problem(401, "unauthorized").expectHeader("WWW-Authenticate")
        }
    }

    /// Who is refused it by 403; nil where nobody with an account is.
    private static func refuser(_ row: APIRow) -> Role? {
        switch row.demand {
        case .nothing, .account, .ownKey, .view, .pull: nil
        case .push: .reader
        case .delete, .make: .developer
        case .manage, .administer, .restore: .maintainer
        case .own: .admin
        case .registry: .owner
        }
    }

    private static func refused(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).refused", "roles.md: refusals",
            "who may not do it is told so, 403, whether it is there or not",
            provokes: [(row.id, 403)]
        ) { probe in
            let cast = try probe.cast()
            guard let role = refuser(row) else { return }
            for site in row.sites {
                let actor = cast.actor(role)
                let stand = try probe.stand(row, site, by: actor, cast, bare: true)
                try probe.ask(stand, by: actor).problem(403, "denied")
            }
        }
    }

    private static func absent(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).absent", "openapi: \(row.id)", "what is not there is 404",
            provokes: [(row.id, 404)]
        ) { probe in
            let cast = try probe.cast()
            let actor = row.demand == .ownKey ? cast.actor(.outsider) : .administrator
            guard let stand = try probe.stand(row, .own, by: actor, cast, bare: true).absent else { return }
            try probe.ask(stand, by: actor).problem(404, "not_found", "bad_request")
        }
    }

    private static func query(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).query", "openapi: \(row.id)",
            "a parameter that it does not know, and a name that is none, are 400",
            provokes: [(row.id, 400)]
        ) { probe in
            let cast = try probe.cast()
            let actor = doer(row, cast)
            let stand = try probe.stand(row, .own, by: actor, cast, bare: true)
            try probe.ask(stand, by: actor, query: "nosuchparameter=1").problem(400)
                .expectMember("field", "\"nosuchparameter\"")
            for parameter in stand.operation.parameters where parameter.place == "query" {
                for wrong in parameter.schema.wrongTexts {
                    let query = "\(parameter.name)=\(queryEscaped(wrong))"
                    try probe.ask(stand, by: actor, query: query).problem(400)
                }
            }
            guard let malformed = stand.malformed else { return }
            // Who may do nothing there is told that first.
            try probe.ask(malformed, by: .administrator).expect(anyOf: [400, 404])
        }
    }

    private static func body(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).body", "openapi: \(row.id)",
            "a body that does not fit is 400, and the member that is wrong is named",
            provokes: [(row.id, 400)]
        ) { probe in
            let cast = try probe.cast()
            let actor = doer(row, cast)
            let stand = try probe.stand(row, .own, by: actor, cast, bare: true)
            let management = try probe.management()
            guard let schema = stand.operation.body, let good = stand.body(management) else { return }
            for wrong in management.document.wrongBodies(schema, good) {
                let answer = try probe.api(actor, stand.operation.method, stand.path, wrong.text)
                let told = JSON(parsing: answer.body)
                guard answer.status == 400 else {
                    throw answer.failure(
                        "\(answer.request) with \(wrong.what): 400", "status \(answer.status)", .status([400]))
                }
                guard let member = wrong.member, told?["code"]?.string == "field_invalid" else { continue }
                let field = told?["field"]?.string ?? "none"
                guard field == member || field.hasPrefix(member + ".") || field.hasPrefix(member + "[") else {
                    throw answer.failure(
                        "\(answer.request) with \(wrong.what): a problem whose field is \(member)", field,
                        .bodyHolds("\"field\":\"\(member)\""))
                }
            }
        }
    }

    private static func repeated(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).repeated", "openapi: Idempotency-Key",
            "the same again by one Idempotency-Key is done once and answered alike, and something else by it is 422",
            provokes: [(row.id, 422)]
        ) { probe in
            let cast = try probe.cast()
            let management = try probe.management()
            let actor = doer(row, cast)
            let stand = try probe.stand(row, .own, by: actor, cast)
            guard stand.operation.parameters.contains(where: { $0.name == "Idempotency-Key" }) else {
                throw Skip("this version of the API has no Idempotency-Key")
            }
            let headers = [("Idempotency-Key", management.name("once") + "-0123456789")]
            func make(_ body: String?) throws -> Answer {
                try probe.api(actor, stand.operation.method, stand.path, body, headers: headers)
            }
            let body = stand.body(management)
            let first = try make(body).expect(201)
            let again = try make(body).expect(201)
            try require(first.body == again.body, "the first answer again", "another", again)
            let other = stand.body(management)
            try make(other == body ? body?.replacing("reader", with: "developer") : other).problem(422)
        }
    }

    private static func mediaType(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "api.\(row.id).media-type", "openapi: \(row.id)", "a body of another type than JSON is 415",
            provokes: [(row.id, 415)]
        ) { probe in
            let cast = try probe.cast()
            let actor = doer(row, cast)
            let stand = try probe.stand(row, .own, by: actor, cast, bare: true)
            try probe.api(
                actor, stand.operation.method, stand.path, stand.body(probe.management()), type: "text/plain"
            ).problem(415, "media_type_unsupported")
        }
    }
}

extension APIRow {
    /// Whoever changes a password disturbs whoever logs in by it meanwhile.
    var needs: Set<Need> { id == "auth.password" ? [.management, .alone] : [.management] }

    /// Whether its path names something: what is not there is 404 then.
    fileprivate var isOfSomething: Bool {
        ![.nothing, .account, .make].contains(demand) && !Self.wholes.contains(id)
    }

    /// Of the registry as a whole, and such as make what they are given.
    private static let wholes: Set<String> = [
        "users.list", "users.create", "audit.list", "system.health", "system.settings", "system.statistics",
        "system.collectable", "system.collect",
    ]
}
