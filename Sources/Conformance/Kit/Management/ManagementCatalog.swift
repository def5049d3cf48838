/// The checks of management APIs, by area: they run with `--management`.
package enum ManagementCatalog {
    /// In the order in which they run and are told.
    package static let groups: [CheckGroup] = areas.map { CheckGroup($0.title, $0.checks.map(\.check)) }

    /// All of them, with what they provoke.
    static let all: [ManagementCheck] = areas.flatMap(\.checks)

    private static let areas: [(title: String, checks: [ManagementCheck])] = [
        ("The API's own description", DocumentChecks.first),
        ("Each operation", OperationChecks.checks),
        ("Of all operations", WireChecks.checks),
        ("Users", UserChecks.checks),
        ("Sessions and passwords", SessionChecks.checks),
        ("API keys", KeyChecks.checks),
        ("Organizations, members, teams, robots", OrganizationChecks.checks),
        ("Invitations", InvitationChecks.checks),
        ("Registration, codes by mail, one's own address", RegistrationChecks.checks),
        ("Repositories", RepositoryChecks.checks),
        ("Permissions", PermissionChecks.checks),
        ("Tags, manifests, blobs", ContentChecks.checks),
        ("Lists in pages", PageChecks.checks),
        ("Audit and system", AuditChecks.checks),
        ("The tenant matrix", MatrixChecks.checks),
        ("Answers of the API", DocumentChecks.standing),
        ("Left behind", DocumentChecks.last),
    ]
}
