import Access
import Model

/// The shapes that bodies and answers of the management API have.
extension Shape {
    /// A name of an account, as `AccountName` reads it.
    static let accountName = Shape.text(
        Text(pattern: accountPattern, length: 1...AccountName.maximumLength))
    static let repositoryName = Shape.text(Text(pattern: repositoryPattern, length: 1...RepositoryName.maximumLength))
    static let digest = Shape.text(Text(pattern: "^(\(digestPattern))$", length: 71...135))
    /// A thing that is up for review, in lists of such: the id of its repository and its digest.
    static let reviewed = Shape.text(Text(pattern: "^[1-9][0-9]{0,18}:(\(digestPattern))$", length: 73...155))
    static let identifier = Shape.text(Text(pattern: "^[1-9][0-9]{0,18}$", length: 1...19))
    static let role = Shape.oneOf(Role.allCases.map(\.name))
    static let visibility = Shape.oneOf(["public", "private"])
    static let actions = Shape.list(.oneOf(Rights.names.map(\.name)))
    static let someActions = Shape.list(.oneOf(Rights.names.map(\.name)), least: 1)
    static let bytes = Shape.number(0...Int64.max)
    static let prose = Shape.text(0...4096)

    static let digestPattern = "sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}"
    static let tagPattern = "[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
    static let namePart = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"
    static let accountPattern = "^\(namePart)$"
    static let repositoryPattern = "^\(namePart)(/\(namePart))*$"

    /// A page of a list.
    static func page(of item: Shape) -> Shape {
        .object([
            .required("items", .list(item), "What there is, in order."),
            .required(
                "next", .nullable(.text(0...1024)),
                "What `after` has to be for the next page; null on the last one. The same is in `Link`."),
        ])
    }

    package static let problem = Shape.object(
        "Problem",
        [
            .required("status", .number(400...599), "The status again."),
            .required("title", .text(0...4096), "What is wrong and what to do, for people."),
            .required("code", .text(0...64), "What is wrong, for programs: never changes its meaning."),
            .optional("field", .text(0...300), "The member, parameter or header that is wrong."),
            .optional("name", .text(0...300), "Of what is not there."),
        ])
}

extension Shape {
    /// What is answered to what cannot be read as a request (distribution-spec "Error Codes").
    static let refusal = Shape.object(
        "Refusal",
        [
            .required(
                "errors",
                .list(
                    .object(
                        "RefusalError",
                        [
                            .required("code", .text(1...64), ""), .required("message", .text(1...4096), ""),
                            .optional("detail", .anything, ""),
                        ])), "One.")
        ])
}

// MARK: users

extension Shape {
    /// What is told may be older than the rule for what is taken.
    private static let email = Shape.nullable(.text(1...320))
    private static let newEmail = Shape.nullable(
        .text(Text(pattern: EmailAddress.pattern, length: 3...EmailAddress.maximumLength)))
    private static let password = Shape.text(Text(length: 1...1024, format: "password"))

    static let user = Shape.object("User", userMembers)
    static let newUser = Shape.object(
        "NewUser",
        [
            .required("name", .accountName, "Of the user, and of its namespace."),
            .optional("email", newEmail, "One that no other user has, whatever the case of its letters."),
            .optional("password", .nullable(password), "Left out: one is made, and is in the answer."),
            .optional("admin", .flag, "Whether it administers the registry."),
        ])
    static let madeUser = Shape.object(
        "MadeUser",
        userMembers + [.optional("password", password, "The password that was made; it is shown this once.")])
    static let userChange = Shape.object(
        "UserChange",
        [
            .optional("email", newEmail, "null takes it away."), .optional("admin", .flag, ""),
            .optional("disabled", .flag, "Who is disabled can do nothing, with the next request on."),
        ])
    static let newPassword = Shape.object(
        "NewPassword", [.optional("password", .nullable(password), "Left out: one is made, and is in the answer.")])
    static let madePassword = Shape.object(
        "MadePassword", [.optional("password", password, "The password that was made; it is shown this once.")])
    static let ownPassword = Shape.object(
        "OwnPassword",
        [.required("current", .text(0...1024), "The one that counts now."), .required("password", password, "")])

    static let ownAddress = Shape.object(
        "OwnAddress",
        [
            .required("email", newEmail, "null takes it away."),
            .required("password", .text(0...1024), "The one that counts now."),
        ])

    static let registration = Shape.object(
        "Registration",
        [
            .required("name", .accountName, "Of the user, and of its namespace."),
            .optional("email", newEmail, "Has to be there where mail is sent."), .required("password", password, ""),
        ])
    static let code = Shape.object("Code", [.required("token", .text(1...200), "The code that was sent.")])
    static let resetRequest = Shape.object(
        "PasswordResetRequest", [.required("user", .text(1...320), "A name or an e-mail address.")])
    static let reset = Shape.object(
        "PasswordReset",
        [.required("token", .text(1...200), "The code that was sent."), .required("password", password, "")])

    private static let userMembers: [Member] = [
        .required("id", identifier, ""), .required("name", .accountName, ""), .required("email", email, ""),
        .required("admin", .flag, "Whether it administers the registry."), .required("disabled", .flag, ""),
        .required("created_at", .time, ""),
        .required("last_login_at", .nullable(.time), "When its password was last used."),
    ]

    /// Of the system, which has no account, there is its name alone.
    static let me = Shape.object(
        "Me",
        userMembers.map { member in
            switch member.name {
            case "name", "admin": member
            default: .optional(member.name, member.shape, member.about)
            }
        })
}

// MARK: sessions

extension Shape {
    private static let token = Shape.text(1...100)

    static let credentials = Shape.object(
        "Credentials",
        [
            .required("name", .text(1...320), "Of a user, or its e-mail address."),
            .required("password", .text(Text(length: 1...1024, format: "password")), ""),
            .optional("client", .nullable(.text(0...100)), "What the session is for, in a word."),
        ])
    static let refreshToken = Shape.object("RefreshToken", [.required("refresh_token", .text(1...1024), "")])
    static let session = Shape.object(
        "Session",
        [
            .required("access_token", token, "To be sent as Authorization: Bearer."),
            .required("token_type", .oneOf(["Bearer"]), ""),
            .required("expires_in", .number(0...86_400 * 365), "In seconds."),
            .required("refresh_token", token, "Gets the next session; good once."), .required("user", user, ""),
        ])
}

// MARK: organizations

extension Shape {
    private static let address = Shape.text(
        Text(pattern: "^(https?://[^\\s<>\"]+)?$", length: 0...1024, isAddress: true))
    private static let profile: [Member] = [
        .optional("description", prose, ""), .optional("display_name", .text(0...200), "How people call it."),
        .optional("website", address, "Its address, http or https; empty for none."),
        .optional("avatar", address, "The address of its picture; empty for none."),
    ]

    static let organization = Shape.object(
        "Organization",
        [.required("name", .accountName, "")]
            + profile.map { .required($0.name, $0.shape, $0.about) } + [
                .required("repositories", .bytes, "How many it has."),
                .required("bytes", .bytes, "What they hold, each blob once."),
                .required("logical_bytes", .bytes, "What their tags point to, each tag for itself."),
                .required("created_at", .time, ""),
            ])
    static let newOrganization = Shape.object(
        "NewOrganization", [.required("name", .accountName, "Of the organization, and of its namespace.")] + profile)
    static let organizationChange = Shape.object("OrganizationChange", profile)
    static let member = Shape.object(
        "Member",
        [
            .required("name", .text(1...64), ""), .required("role", role, ""),
            .required("kind", .oneOf(["user", "robot"]), ""),
        ])
    static let invitation = Shape.object(
        "Invitation",
        [
            .required("id", identifier, ""), .required("organization", .accountName, ""),
            .required("user", .accountName, "Who was invited."), .required("role", role, "What they are to be."),
            .required("invited_by", .text(1...64), ""), .required("created_at", .time, ""),
            .required("expires_at", .time, "After that it cannot be accepted."),
        ])
    static let newInvitation = Shape.object(
        "NewInvitation", [.required("user", .accountName, ""), .required("role", role, "See docs/roles.md.")])
    static let memberRole = Shape.object("MemberRole", [.required("role", role, "See docs/roles.md.")])
    static let named = Shape.object("Named", [.required("name", .accountName, "")])
    static let robot = Shape.object(
        "Robot",
        [
            .required("id", identifier, ""), .required("name", .accountName, ""),
            .required("login", .text(1...129), "What it logs in as."), .required("role", .nullable(role), ""),
            .required("disabled", .flag, ""), .required("created_at", .time, ""),
        ])
    static let newRobot = Shape.object(
        "NewRobot",
        [
            .required("name", .accountName, ""),
            .optional("role", .nullable(role), "Left out: what it may is given by permissions alone."),
        ])
    static let robotChange = Shape.object("RobotChange", [.required("disabled", .flag, "")])
}

// MARK: keys

extension Shape {
    private static let scope = Shape.list(
        .object(
            "ScopeEntry",
            [
                .required(
                    "repositories",
                    .text(
                        Text(pattern: "^(\\*|\(namePart)(/\(namePart))*(/\\*)?)$", length: 1...258)),
                    "A repository, `path/*` for all below a path, or `*`."),
                .required("actions", .list(.oneOf(["pull", "push", "delete"]), least: 1), "One or more."),
            ]), least: 1)

    static let key = Shape.object("Key", keyMembers)
    static let madeKey = Shape.object("MadeKey", keyMembers + [secret])
    static let newKey = Shape.object(
        "NewKey",
        [
            .required("name", .text(1...100), "What it is for."),
            .optional("expires_at", .nullable(.time), "Left out: never."),
            .optional("scope", .nullable(scope), "What it reaches at most; left out: all that its account may."),
        ])
    static let keyRotation = Shape.object(
        "KeyRotation",
        [.optional("overlap", .number(0...7_776_000), "For how many seconds the older secret is good still; a day.")])
    static let rotatedKey = Shape.object("RotatedKey", [secret])

    private static let secret = Member.required("secret", .text(1...100), "It is shown this once.")
    private static let keyMembers: [Member] = [
        .required("id", identifier, ""), .required("name", .text(1...100), ""),
        .required("hint", .text(1...100), "What its secret begins with."), .required("scope", .nullable(scope), ""),
        .required("created_at", .time, ""), .required("expires_at", .nullable(.time), ""),
        .required("last_used_at", .nullable(.time), "To the minute."),
    ]
}

// MARK: audit

extension Shape {
    static let event = Shape.object(
        "Event",
        [
            .required("id", identifier, ""), .required("at", .time, ""),
            .required("who", .text(1...200), "An account; `system` and `anonymous` are nobody's."),
            .required("credential", .text(0...200), "By which it was: `password`, `key:…`, `login:…`."),
            .required("address", .text(0...64), ""),
            .required("request_id", .text(0...200), "The X-Request-Id of the answer."),
            .required("action", .text(1...64), ""), .required("outcome", .text(1...32), ""),
            .required("subject", .text(0...1024), ""), .required("detail", .text(0...4096), ""),
        ])
}

// MARK: system

extension Shape {
    static let systemInfo = Shape.object(
        "SystemInfo",
        [
            .required("version", .text(0...64), ""),
            .required("url", .text(0...1024), "How clients reach it; empty: as you do."),
            .required("service", .text(1...255), "Of its tokens."),
            .required("deletes", .flag, "Whether content can be deleted."),
            .required("restore_seconds", bytes, "How long a deleted repository can be restored."),
            .required("largest_manifest", bytes, "In bytes."),
        ])
    static let component = Shape.object(
        "Component",
        [
            .required("name", .text(1...64), ""), .required("works", .flag, ""),
            .required("detail", .nullable(.text(0...4096)), "What is wrong."),
        ])
    static let setting = Shape.object(
        "Setting", [.required("name", .text(1...64), ""), .required("value", .text(0...4096), "")])
    static let statistics = Shape.object(
        "Statistics",
        [
            .required("users", bytes, ""), .required("organizations", bytes, ""), .required("repositories", bytes, ""),
            .required("bytes", bytes, "Of manifests and blobs, each blob once a namespace."),
            .required("uploads", bytes, "In progress."),
        ])
    static let collectable = Shape.object(
        "Collectable",
        [
            .required("repository", repositoryName, ""), .required("digest", digest, ""),
            .required("kind", .oneOf(["blob", "manifest"]), ""), .required("size", bytes, "In bytes."),
            .required("since", .time, "When it came, or what referred to it went."),
            .required("goes_at", .time, "The earliest moment, unless it is asked for or referred to before."),
            .required("due", .flag, "Whether a collection now takes it."),
            .required("reason", .text(1...200), "For people."),
        ])
    static let collection = Shape.object(
        "Collection",
        [
            .required("reviewed", bytes, "How many things were looked at."),
            .required("blobs", bytes, "Taken from repositories."), .required("manifests", bytes, "Removed."),
            .required("bytes", bytes, "Of both."),
            .required("done", .flag, "Whether nothing more is due; else ask again."),
        ])
}
