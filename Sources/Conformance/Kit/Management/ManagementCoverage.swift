/// Which check provokes each status of each operation of a document, or why none does.
package struct ManagementCoverage: Sendable {
    /// A status, or any, of operations whose id begins so, and why no check provokes it.
    struct Exemption: Sendable {
        let status: Int
        let operations: [String]
        let reason: String
    }

    /// What no check provokes, and why. The only such table.
    static let exemptions: [Exemption] = [
        Exemption(
            status: 401, operations: ["auth.logout"], reason: "what is no token is over already, which is no error"),
        Exemption(
            status: 401, operations: ["auth.reset", "auth.confirm"],
            reason: "off unless the operator sends mail; a code that was made up is asked where it is on"),
        Exemption(
            status: 409, operations: ["auth.register", "auth.confirm"],
            reason: "off unless the operator lets anybody register; api.auth.register.taken asks where it is on"),
        Exemption(
            status: 409, operations: ["invitations.accept"],
            reason: "who becomes a member has no invitation any more: only two at once come to it"),
        Exemption(
            status: 409, operations: ["auth.email"],
            reason: "where mail is sent it is told to the address alone; api.auth.email.taken asks where none is"),
        Exemption(status: 409, operations: ["auth.emailConfirm"], reason: "the code is in a letter"),
        Exemption(
            status: 201, operations: ["auth.register", "auth.confirm"],
            reason: "off unless the operator lets anybody register"),
        Exemption(
            status: 202, operations: ["auth.register", "auth.resetRequest"],
            reason: "off unless the operator sends mail"),
        Exemption(status: 202, operations: ["auth.email"], reason: "given where the operator sends mail"),
        Exemption(
            status: 204, operations: ["auth.reset", "auth.emailConfirm"], reason: "the code is in a letter"),
        Exemption(
            status: 403, operations: ["auth.register", "auth.confirm", "auth.resetRequest", "auth.reset"],
            reason: "given where the operator has switched it off, which is a setting"),
        Exemption(
            status: 403, operations: ["invitations.mine", "invitations.accept", "invitations.decline"],
            reason: "whoever has an account may do it (docs/roles.md)"),
        Exemption(
            status: 408, operations: ["*"],
            reason: "a body that stops coming is waited for longer than a run lasts; robust.* tries slow clients"),
        Exemption(
            status: 429, operations: ["*"],
            reason: "rates are the operator's settings, off unless set; guessing would lock the run's own address out"),
        Exemption(
            status: 500, operations: ["*"],
            reason: "a fault of the registry's own: a check that could provoke it would have found one"),
        Exemption(status: 503, operations: ["*"], reason: "its store would have to fail"),
        Exemption(status: 507, operations: ["*"], reason: "its disk would have to be full"),
        Exemption(
            status: 405, operations: ["repositories.delete", "tags.delete"],
            reason: "deletions are switched off by the operator alone"),
        Exemption(
            status: 403, operations: ["auth.login"],
            reason: "the document says it of robots, which the runner's own check shows where it holds"),
        Exemption(
            status: 403,
            operations: [
                "auth.me", "auth.password", "auth.email", "keys.list", "keys.create", "keys.delete", "keys.rotate",
                "organizations.list",
                "organizations.create", "repositories.list", "system.info",
            ], reason: "whoever has an account may do it (docs/roles.md)"),
        Exemption(
            status: 403,
            operations: [
                "organizations.get", "members.list", "teams.list", "teams.members", "robots.list", "repositories.get",
                "blobs.list", "manifests.get", "manifests.referrers", "tags.list", "tags.get", "tags.history",
            ], reason: "who may not read is answered 404, as if it were absent (docs/roles.md)"),
    ]

    private let document: APIDocument
    /// The ids of the checks by what they provoke.
    package let provoked: [Provocation: [String]]

    /// The coverage of a document by the runner's checks.
    package init(_ document: APIDocument) {
        self.document = document
        var provoked: [Provocation: [String]] = [:]
        for check in ManagementCatalog.all {
            for provocation in check.provokes { provoked[provocation, default: []].append(check.check.id) }
        }
        self.provoked = provoked
    }

    /// All statuses of all operations, in the order of the document.
    package var all: [Provocation] {
        document.operations.flatMap { operation in operation.statuses.map { Provocation(operation.id, $0) } }
    }

    /// Why no check provokes it; nil where one has to.
    package func exemption(_ provocation: Provocation) -> String? {
        ManagementCoverage.exemptions.first { exemption in
            exemption.status == provocation.status
                && exemption.operations.contains { $0 == "*" || $0 == provocation.operation }
        }?.reason
    }

    /// Whether the document says that the operation has the status.
    func isTold(_ provocation: Provocation) -> Bool {
        document.operations.contains { $0.id == provocation.operation && $0.answers[provocation.status] != nil }
    }

    /// Statuses without a check and without a reason.
    package var gaps: [Provocation] { all.filter { provoked[$0] == nil && exemption($0) == nil } }

    /// The table, for people.
    package var text: String {
        var lines: [String] = []
        for operation in document.operations {
            lines.append("\(operation.id)  \(operation.method) \(operation.path)")
            for status in operation.statuses {
                let provocation = Provocation(operation.id, status)
                let told = provoked[provocation]?.joined(separator: " ")
                let words = told ?? exemption(provocation).map { "exempt: \($0)" } ?? "NOTHING PROVOKES IT"
                lines.append("  \(status)  \(words)")
            }
        }
        let (statuses, tried) = (all, all.filter { provoked[$0] != nil })
        lines.append(
            "\n\(document.operations.count) operations, \(statuses.count) statuses: \(tried.count) are provoked, "
                + "\(statuses.count - tried.count - gaps.count) are exempt, \(gaps.count) are neither")
        return lines.joined(separator: "\n") + "\n"
    }
}
