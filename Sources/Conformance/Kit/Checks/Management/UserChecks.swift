/// Users, as administrators of the registry deal with them.
enum UserChecks {
    static let checks: [ManagementCheck] = making + changing + ending

    private static let making: [ManagementCheck] = [
        ManagementCheck(
            "api.users.create.shown", "openapi: users.create", "a user that was made is there, and in the list"
        ) {
            probe in
            let name = try probe.newUser()
            try probe.api(.administrator, "GET", "/users/\(name)").expect(200).expectMember("name", "\"\(name)\"")
            let found = try probe.names(.administrator, "/users?q=\(name)")
            try require(found == [name], "the list of users with \(name) in their names has it", "\(found)")
        },
        ManagementCheck(
            "api.users.create.taken", "openapi: users.create", "a name that a user or an organization has is 409",
            provokes: [("users.create", 409)]
        ) { probe in
            let name = try probe.newUser()
            try probe.api(.administrator, "POST", "/users", #"{"name":"\#(name)"}"#).problem(409, "name_taken")
            let organization = try probe.newOrganization()
            try probe.api(.administrator, "POST", "/users", #"{"name":"\#(organization)"}"#).problem(409, "name_taken")
        },
        ManagementCheck(
            "api.users.create.password-once", "openapi: MadeUser",
            "a password that is made is in the answer, is good, and is shown no more"
        ) { probe in
            let name = try probe.management().name("user")
            let made = try probe.api(.administrator, "POST", "/users", #"{"name":"\#(name)"}"#).expect(201)
            let password = try made.text("password")
            try probe.login(name, password).expect(200)
            for path in ["/users/\(name)", "/users?q=\(name)"] {
                let shown = try probe.api(.administrator, "GET", path).expect(200)
                guard !String(decoding: shown.body, as: UTF8.self).contains(password) else {
                    throw shown.failure("\(shown.request): no password", "the one that was made", .bodyLacks(password))
                }
            }
        },
        ManagementCheck(
            "api.users.email.one", "openapi: NewUser", "an e-mail address belongs to one user",
            provokes: [("users.update", 409)]
        ) { probe in
            let (one, other) = (try probe.newUser(), try probe.newUser())
            for name in [one, other] {
                let answer = try probe.api(
                    .administrator, "PATCH", "/users/\(name)", #"{"email":"\#(one)@example.com"}"#)
                if name == one { try answer.expect(200) } else { try answer.problem(409, "name_taken") }
            }
        },
        ManagementCheck(
            "api.users.email.case", "openapi: NewUser", "an e-mail address is the same in whatever case it is written",
            level: .should
        ) { probe in
            let (one, other) = (try probe.newUser(), try probe.newUser())
            let address = "\(one)@example.com"
            try probe.api(.administrator, "PATCH", "/users/\(one)", #"{"email":"\#(address)"}"#).expect(200)
            try probe.api(.administrator, "PATCH", "/users/\(other)", #"{"email":"\#(address.uppercased())"}"#)
                .problem(409, "name_taken")
        },
        ManagementCheck(
            "api.users.list.search", "openapi: users.list", "q finds those in whose names a word begins with it, alone"
        ) { probe in
            let name = try probe.newUser("sought")
            _ = try probe.newUser("other")
            let part = name.split(separator: "-").last.map(String.init) ?? name
            let found = try probe.names(.administrator, "/users?q=\(part)")
            try require(found == [name], "\(name) alone for q=\(part)", "\(found.prefix(5))")
        },
    ]

    private static let changing: [ManagementCheck] = [
        ManagementCheck(
            "api.users.update.stale", "openapi: users.update",
            "If-Match of what is not so any more is 412, and changes nothing",
            provokes: [("users.update", 412)]
        ) { probe in
            let name = try probe.newUser()
            try stale(
                probe, "/users/\(name)", #"{"email":"a-\#(name)@example.com"}"#, #"{"email":"b-\#(name)@example.com"}"#)
        },
        ManagementCheck(
            "api.users.disable.api", "openapi: UserChange",
            "who is disabled can do nothing, by password, session or key"
        ) {
            probe in
            let name = try probe.newUser()
            let session = try probe.newSession(name)
            let key = try probe.newKey(.user(name))
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"disabled":true}"#).expect(200)
            // Each refused password or key counts against the run's own address: one of them is enough.
            let ways = [Actor("its session", .bearer(session.access)), .key(of: name, key.secret)]
            for actor in ways { try probe.api(actor, "GET", "/auth/me").problem(401) }
            try probe.api(.nobody, "POST", "/auth/refresh", #"{"refresh_token":"\#(session.refresh)"}"#).problem(401)
        },
        ManagementCheck(
            "api.users.disable.pull", "openapi: UserChange", "who is disabled pulls no more, with the next request on"
        ) {
            probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "reader")])
            let repository = try probe.newRepository(in: organization).name
            _ = try probe.prepare("a pull by who is not disabled") {
                try probe.pulls(.user(name), repository).expect(200)
            }
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"disabled":true}"#).expect(200)
            try probe.pulls(.user(name), repository).expect(401, 404)
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"disabled":false}"#).expect(200)
            try probe.pulls(.user(name), repository).expect(200)
        },
        ManagementCheck(
            "api.users.admin.given", "openapi: UserChange",
            "who is made an administrator is one, and who is unmade is none"
        ) { probe in
            let name = try probe.newUser()
            try probe.api(.user(name), "GET", "/users").problem(403)
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"admin":true}"#).expect(200)
            try probe.api(.user(name), "GET", "/users").expect(200)
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"admin":false}"#).expect(200)
            try probe.api(.user(name), "GET", "/users").problem(403)
        },
    ]

    private static let ending: [ManagementCheck] = [
        ManagementCheck(
            "api.users.delete.gone", "openapi: users.delete", "who is deleted is not there, and logs in no more"
        ) {
            probe in
            let name = try probe.newUser()
            let session = try probe.newSession(name)
            try probe.api(.administrator, "DELETE", "/users/\(name)").expect(204)
            try probe.api(.administrator, "GET", "/users/\(name)").problem(404, "not_found")
            try require(
                try probe.names(.administrator, "/users?q=\(name)").isEmpty, "a list without \(name)", "it is there")
            try probe.api(Actor("its session", .bearer(session.access)), "GET", "/auth/me").problem(401)
        },
        ManagementCheck(
            "api.users.delete.again", "roles.md",
            "who is made again under an old name has nothing that the old one had: no membership, permission or key"
        ) { probe in
            let name = try probe.newUser()
            let organization = try probe.newOrganization([(name, "reader")])
            let granted = try probe.newRepository(in: try probe.newOrganization()).name
            let repository = try probe.newRepository(in: organization).name
            let place = "/repositories/\(queryEscaped(granted))/permissions/user%3A\(name)"
            try probe.api(.administrator, "PUT", place, #"{"actions":["pull"]}"#).expect(204)
            let key = try probe.newKey(.user(name))
            try probe.api(.administrator, "DELETE", "/users/\(name)").expect(204)
            let password = try probe.management().password
            try probe.api(.administrator, "POST", "/users", #"{"name":"\#(name)","password":"\#(password)"}"#).expect(
                201)
            try probe.pulls(.user(name), repository).expect(404)
            try probe.pulls(.user(name), granted).expect(404)
            try probe.api(.key(of: name, key.secret), "GET", "/auth/me").problem(401)
            try require(try probe.items(.user(name), "/keys").isEmpty, "no keys of who is new", "some")
        },
        ManagementCheck(
            "api.users.delete.last-owner", "openapi: users.delete",
            "the last owner of an organization is not deleted: 409",
            provokes: [("users.delete", 409)]
        ) { probe in
            let name = try probe.newUser()
            _ = try probe.newOrganization(by: .user(name))
            try probe.api(.administrator, "DELETE", "/users/\(name)").problem(409, "last_owner")
            try probe.api(.administrator, "GET", "/users/\(name)").expect(200)
        },
    ]

    /// A change by the tag of what was seen is done once; by that tag again it is 412, and nothing has changed.
    static func stale(_ probe: Probe, _ path: String, _ one: String, _ other: String, by actor: Actor = .administrator)
        throws
    {
        let before = try probe.api(actor, "GET", path).expect(200)
        let tag = try before.expectHeader("ETag")
        let changed = try probe.api(actor, "PATCH", path, one, headers: [("If-Match", tag)]).expect(200)
        let now = try changed.expectHeader("ETag")
        guard now != tag else {
            throw changed.failure("\(changed.request): another ETag behind a change", "the same", .described)
        }
        try probe.api(actor, "PATCH", path, other, headers: [("If-Match", tag)]).problem(412, "precondition_failed")
        let after = try probe.api(actor, "GET", path).expect(200)
        guard after.body == changed.body else {
            throw after.failure("\(after.request): what the change before made of it", "something else", .described)
        }
        try probe.api(actor, "PATCH", path, other, headers: [("If-Match", "*")]).expect(200)
    }
}
