/// What the API says of itself, and whether its answers are what it says.
enum DocumentChecks {
    /// Before all others.
    static let first: [ManagementCheck] = [
        ManagementCheck(
            "api.cast", "openapi: users.create, organizations.create, members.set",
            "an administrator makes users, organizations, members, robots, keys and repositories"
        ) { probe in
            _ = try probe.management().cast {
                let maker = try Probe(run: probe.run, id: "api.cast")
                do {
                    return (try HouseholdMaker(probe: maker, management: probe.management()).make(), maker)
                } catch {
                    probe.recorder.adopt(maker.recorder.all)
                    throw error
                }
            }
        },
        ManagementCheck(
            "api.document.operations", "openapi",
            "every operation of the document is known, and every one known is there"
        ) { probe in
            let document = try probe.management().document
            let told = Set(document.operations.map(\.id))
            let known = Set(APIRow.byID.keys)
            let unknown = told.subtracting(known).sorted().joined(separator: ", ")
            let lacking = known.filter { APIRow.byID[$0]?.isLater == false }.subtracting(told).sorted().joined(
                separator: ", ")
            let answer = try probe.api(.nobody, "GET", "/openapi.json").expect(200)
            guard unknown.isEmpty, lacking.isEmpty, told.count == document.operations.count else {
                throw answer.failure(
                    "a document of the operations that the runner tries, each once",
                    (unknown.isEmpty ? "" : "untried: \(unknown) ") + (lacking.isEmpty ? "" : "not there: \(lacking)"))
            }
        },
        ManagementCheck("api.document.words", "openapi", "its schemas say nothing that answers cannot be held against")
        { probe in
            let document = try probe.management().document
            let answer = try probe.api(.nobody, "GET", "/openapi.json").expect(200)
            try require(
                document.unread.isEmpty, "schemas of known words", document.unread.sorted().joined(separator: ", "),
                answer)
        },
        ManagementCheck(
            "api.document.statuses", "openapi",
            "every status that it names is provoked by a check, or is exempt for a reason"
        ) { probe in
            let coverage = ManagementCoverage(try probe.management().document)
            let answer = try probe.api(.nobody, "GET", "/openapi.json").expect(200)
            let gaps = coverage.gaps.map { "\($0.operation) \($0.status)" }
            try require(gaps.isEmpty, "no status without a check or a reason", gaps.joined(separator: ", "), answer)
        },
    ]

    /// What every answer of the run is held against.
    static let standing: [ManagementCheck] = [
        look("api.answers.status", .status, "each status is one that the document has"),
        look(
            "api.answers.type", .type,
            "each body has a content type that the document has, and none is there where none is"),
        look("api.answers.body", .body, "each body fits the schema of the document"),
        look("api.answers.headers", .headers, "the headers are there that the document requires"),
        look("api.answers.problem", .problem, "each problem tells its status again, and a code that the document has"),
        ManagementCheck(
            Check(
                standing: "api.answers.secrets", .must, "openapi: MadeKey, MadePassword",
                "no secret is in an answer but the one that makes it", judge: { $0.told })),
    ]

    private static func look(_ id: String, _ part: ContractFault.Part, _ gist: String) -> ManagementCheck {
        ManagementCheck(
            Check(standing: id, .must, "openapi", gist) { exchange in
                guard let look = exchange.look, look.parts.contains(part) else { return nil }
                guard let fault = look.faults.first(where: { $0.part == part }) else { return .kept }
                return .broken(expected: fault.expected, got: fault.got, fault.assertion)
            })
    }

    /// Behind all others.
    static let last: [ManagementCheck] = [
        ManagementCheck(
            "api.coverage", "openapi", "every status that a check says it provokes was seen",
            needs: [.management, .alone]
        ) { probe in
            let management = try probe.management()
            guard management.isWhole else { throw Skip("only a part of the checks was selected") }
            let coverage = ManagementCoverage(management.document)
            let unseen = coverage.provoked.keys.filter { !management.hasSeen($0) && coverage.isTold($0) }.sorted()
            try require(
                unseen.isEmpty, "all of them",
                unseen.map { "\($0.operation) \($0.status) by \(coverage.provoked[$0]?.first ?? "")" }.joined(
                    separator: ", "))
        },
        ManagementCheck(
            "api.cleanup", "openapi: organizations.delete, users.delete",
            "organizations go with all that they have, users when they have nothing, and are not there any more",
            needs: [.management, .alone]
        ) { probe in
            if probe.run.keep { throw Skip("--keep leaves what was made") }
            let remains = try probe.management().remains
            let left = try probe.removeAccounts()
            try require(left == nil, "everything that the run made can be deleted", left ?? "")
            for name in remains.organizations.prefix(20) {
                try probe.api(.administrator, "GET", "/organizations/\(name)").problem(404)
            }
            for name in remains.users.prefix(20) { try probe.api(.administrator, "GET", "/users/\(name)").problem(404) }
        },
    ]
}

extension Exchange {
    /// A secret of an earlier answer in this one: the recording masks none that was not known by then, and this is asked
    /// of the whole body.
    fileprivate var told: Check.Standing? {
        guard look != nil, response?.status == 200 else { return nil }
        guard let leaked else { return .kept }
        return .broken(
            expected: "no secret that an earlier answer gave", got: "the \(leaked) of an earlier answer", .described)
    }
}

extension Probe {
    /// Deletes every account that the run made, and what the administrator got; what could not be, else nil.
    func removeAccounts() throws -> String? {
        let management = try management()
        var left: [String] = []
        for key in management.takeKeys() {
            let status = try api(.administrator, "DELETE", "/keys/\(key)").status
            if ![204, 404].contains(status) { left.append("a key: \(status)") }
        }
        let remains = management.remains
        var gone: (organizations: Set<String>, users: Set<String>) = ([], [])
        for name in remains.organizations {
            let status = try api(.administrator, "DELETE", "/organizations/\(name)?confirm=\(name)").status
            if [204, 404].contains(status) {
                gone.organizations.insert(name)
            } else {
                left.append("\(name): \(status)")
            }
        }
        for name in remains.users {
            let status = try api(.administrator, "DELETE", "/users/\(name)").status
            if [204, 404].contains(status) { gone.users.insert(name) } else { left.append("\(name): \(status)") }
        }
        management.forget(organizations: gone.organizations, users: gone.users)
        return left.isEmpty ? nil : left.prefix(10).joined(separator: ", ")
    }
}
