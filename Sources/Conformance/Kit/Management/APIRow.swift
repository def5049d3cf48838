/// What an operation uses up, or needs to be there for one use.
enum Thing: Sendable {
    case nothing
    case session
    case user, userKey, ownKey
    case invitation, ownInvitation
    case organization, member, team, teamMember
    case robot, robotKey
    case repository, deletedRepository, tag, permission
}

/// What the runner knows of an operation of the management API, by itself: who may use it, what to send, what it uses up.
struct APIRow: Sendable {
    /// The operation's id.
    let id: String
    let demand: Demand
    /// The status where it is done.
    let success: Int
    let uses: Thing
    /// A body that is taken, of names that are put in: `NAME` is a new one, others are those of `Stand.values`.
    let body: String?

    /// Whether earlier versions of the API lack it: then its checks are skipped.
    let isLater: Bool
    /// Whether an operator may have switched it off: then it is 403.
    let isSetting: Bool

    init(
        _ id: String, _ demand: Demand, _ success: Int = 200, uses: Thing = .nothing, _ body: String? = nil,
        isLater: Bool = false, isSetting: Bool = false
    ) {
        (self.id, self.demand, self.success) = (id, demand, success)
        (self.uses, self.body, self.isLater, self.isSetting) = (uses, body, isLater, isSetting)
    }

    /// Where it makes a difference: what asks for no more than an account has no site.
    var sites: [Site] {
        switch demand {
        case .nothing, .account: [.own]
        case .registry:
            ["users.list", "users.create", "audit.list"].contains(id) || id.hasPrefix("system.")
                ? [.own] : [.own, .absent]
        case .make: [.own, .foreign]
        default: Site.allCases
        }
    }

    /// Every operation that the runner knows. One that a document has and this table has not is a failure, and the other
    /// way about.
    static let all: [APIRow] = accounts + organizations + repositories + system + later

    private static let accounts: [APIRow] = [
        APIRow("auth.login", .nothing, 200, #"{"name":"{user}","password":"PASSWORD"}"#),
        APIRow("auth.logout", .nothing, 204, uses: .session, #"{"refresh_token":"{refresh}"}"#),
        APIRow("auth.refresh", .nothing, uses: .session, #"{"refresh_token":"{refresh}"}"#),
        APIRow("auth.me", .account),
        APIRow("auth.password", .account, 204, #"{"current":"PASSWORD","password":"PASSWORD"}"#),
        APIRow("keys.list", .account),
        APIRow("keys.create", .account, 201, #"{"name":"NAME"}"#),
        APIRow("keys.delete", .ownKey, 204, uses: .ownKey),
        APIRow("keys.rotate", .ownKey, uses: .ownKey, #"{"overlap":0}"#),
        APIRow("users.list", .registry),
        APIRow("users.create", .registry, 201, #"{"name":"NAME","password":"PASSWORD"}"#),
        APIRow("users.get", .registry),
        APIRow("users.update", .registry, 200, #"{"disabled":false}"#),
        APIRow("users.delete", .registry, 204, uses: .user),
        APIRow("users.password", .registry, 200, #"{"password":"PASSWORD"}"#),
        APIRow("users.keys.list", .registry),
        APIRow("users.keys.create", .registry, 201, #"{"name":"NAME"}"#),
        APIRow("users.keys.delete", .registry, 204, uses: .userKey),
        APIRow("users.keys.rotate", .registry, uses: .userKey, #"{"overlap":0}"#),
    ]

    private static let organizations: [APIRow] = [
        APIRow("organizations.list", .account),
        APIRow("organizations.create", .account, 201, #"{"name":"NAME"}"#),
        APIRow("organizations.get", .view),
        APIRow("organizations.update", .manage, 200, #"{"description":"NAME"}"#),
        APIRow("organizations.delete", .own, 204, uses: .organization),
        APIRow("organizations.audit", .manage),
        APIRow("organizations.deleted", .manage),
        APIRow("members.list", .view),
        APIRow("members.set", .manage, 204, #"{"role":"reader"}"#),
        APIRow("members.remove", .manage, 204, uses: .member),
        APIRow("teams.list", .view),
        APIRow("teams.create", .manage, 201, #"{"name":"NAME"}"#),
        APIRow("teams.delete", .manage, 204, uses: .team),
        APIRow("teams.members", .view),
        APIRow("teams.add", .manage, 204),
        APIRow("teams.remove", .manage, 204, uses: .teamMember),
        APIRow("robots.list", .view),
        APIRow("robots.create", .manage, 201, #"{"name":"NAME","role":"reader"}"#),
        APIRow("robots.update", .manage, 200, #"{"disabled":false}"#),
        APIRow("robots.delete", .manage, 204, uses: .robot),
        APIRow("robots.keys.list", .manage),
        APIRow("robots.keys.create", .manage, 201, #"{"name":"NAME"}"#),
        APIRow("robots.keys.delete", .manage, 204, uses: .robotKey),
        APIRow("robots.keys.rotate", .manage, uses: .robotKey, #"{"overlap":0}"#),
    ]

    private static let repositories: [APIRow] = [
        APIRow("repositories.list", .account),
        APIRow("repositories.create", .make, 201, #"{"name":"{organization}/NAME"}"#),
        APIRow("repositories.get", .pull),
        APIRow("repositories.update", .administer, 200, #"{"description":"NAME"}"#),
        APIRow("repositories.delete", .administer, 204, uses: .repository),
        APIRow("repositories.restore", .restore, uses: .deletedRepository),
        APIRow("blobs.list", .pull),
        APIRow("manifests.get", .pull),
        APIRow("manifests.referrers", .pull),
        APIRow("permissions.list", .administer),
        APIRow("permissions.get", .administer),
        APIRow("permissions.set", .administer, 204, #"{"actions":["pull"]}"#),
        APIRow("permissions.remove", .administer, 204, uses: .permission),
        APIRow("tags.list", .pull),
        APIRow("tags.get", .pull),
        APIRow("tags.history", .pull),
        APIRow("tags.delete", .delete, 204, uses: .tag),
        APIRow("tags.restore", .push, 200, #"{"digest":"{digest}"}"#),
    ]

    private static let system: [APIRow] = [
        APIRow("audit.list", .registry),
        APIRow("system.document", .nothing),
        APIRow("system.info", .account),
        APIRow("system.health", .registry),
        APIRow("system.settings", .registry),
        APIRow("system.statistics", .registry),
    ]

    private static let later: [APIRow] = [
        APIRow("invitations.list", .manage, isLater: true),
        APIRow("invitations.create", .manage, 201, #"{"user":"{user}","role":"reader"}"#, isLater: true),
        APIRow("invitations.withdraw", .manage, 204, uses: .invitation, isLater: true),
        APIRow("invitations.mine", .account, isLater: true),
        APIRow("invitations.accept", .ownKey, 204, uses: .ownInvitation, isLater: true),
        APIRow("invitations.decline", .ownKey, 204, uses: .ownInvitation, isLater: true),
        APIRow(
            "auth.register", .nothing, 201, #"{"name":"NAME","password":"PASSWORD"}"#, isLater: true, isSetting: true),
        APIRow("auth.confirm", .nothing, 201, #"{"token":"no-such-code"}"#, isLater: true, isSetting: true),
        APIRow("auth.resetRequest", .nothing, 202, #"{"user":"{user}"}"#, isLater: true, isSetting: true),
        APIRow("auth.email", .account, 200, #"{"email":null,"password":"PASSWORD"}"#, isLater: true),
        APIRow(
            "auth.emailConfirm", .nothing, 204, #"{"token":"no-such-code"}"#, isLater: true, isSetting: true),
        APIRow(
            "auth.reset", .nothing, 204, #"{"token":"no-such-code","password":"PASSWORD"}"#, isLater: true,
            isSetting: true),
        APIRow("system.collectable", .registry, isLater: true),
        APIRow("system.collect", .registry, isLater: true),
    ]

    /// By id.
    static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.id, $0) })
}
