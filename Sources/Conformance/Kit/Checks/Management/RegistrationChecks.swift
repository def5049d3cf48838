/// What nobody has to be known for: registering, codes by mail; and one's own address.
enum RegistrationChecks {
    /// A check of an API that has the operation.
    private static func check(
        _ id: String, _ operation: String, _ gist: String, provokes: [(String, Int)] = [],
        _ body: @escaping @Sendable (Probe) throws -> Void
    ) -> ManagementCheck {
        ManagementCheck("api.\(id)", "openapi: \(operation)", gist, provokes: provokes) { probe in
            try probe.needs(operation)
            try body(probe)
        }
    }

    static let checks: [ManagementCheck] = [
        check(
            "auth.register.user", "auth.register",
            "who registers is a user like any other and administers nothing; where that is off, 403, nobody is made"
        ) { probe in
            let name = try probe.management().name("self")
            let answer = try probe.register(name)
            switch answer.status {
            case 201:
                let session = try probe.login(name).expect(200)
                try session.expectUser(name, isAdministrator: false)
                try probe.api(.user(name), "GET", "/users").problem(403)
                try probe.api(.user(name), "POST", "/organizations", #"{"name":"\#(name)"}"#).problem(409)
            // The address has to be confirmed first.
            case 202, 400: try probe.login(name).problem(401)
            default:
                try answer.problem(403, "denied")
                try probe.login(name).problem(401)
                try probe.api(.administrator, "GET", "/users/\(name)").problem(404)
            }
        },
        check(
            "auth.register.taken", "auth.register", "a name that a user or an organization has is 409, and stays theirs"
        ) { probe in
            let name = try probe.newUser()
            for taken in [name, try probe.newOrganization(by: .user(name))] {
                let answer = try probe.register(taken, "another-password-0")
                if [400, 403].contains(answer.status) {
                    throw Skip("the operator has switched it off, or wants addresses")
                }
                try answer.problem(409, "name_taken")
            }
            try probe.login(name).expect(200)
            try probe.login(name, "another-password-0").problem(401)
        },
        check(
            "auth.confirm.code", "auth.confirm",
            "a code that nobody was sent makes nobody: 401, or 403 where that is off"
        ) { probe in
            let answer = try probe.api(.nobody, "POST", "/auth/register/confirm", #"{"token":"no-such-code"}"#)
            try answer.expect(anyOf: [401, 403])
        },
        check(
            "auth.resetRequest.alike", "auth.resetRequest",
            "who asks for a new password is told the same whether there is such a user or not"
        ) { probe in
            let name = try probe.newUser()
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"email":"\#(name)@example.com"}"#).expect(200)
            func ask(_ user: String) throws -> Answer {
                try probe.api(.nobody, "POST", "/auth/password-reset", #"{"user":"\#(user)"}"#)
            }
            let known = try ask(name).expect(anyOf: [202, 403])
            for user in ["\(name)@example.com", "\(name)x", "\(name)x@example.com"] {
                let other = try ask(user)
                try require(
                    other.status == known.status && other.body == known.body, "the same answer to all", "another", other
                )
            }
        },
        check(
            "auth.reset.code", "auth.reset",
            "a code that nobody was sent sets no password: 401, or 403 where that is off"
        ) { probe in
            let name = try probe.newUser()
            let body = #"{"token":"no-such-code","password":"another-password-0"}"#
            try probe.api(.nobody, "POST", "/auth/password-reset/confirm", body).expect(anyOf: [401, 403])
            try probe.login(name).expect(200)
        },
        check(
            "auth.email.password", "auth.email", "one's address is changed by who knows the password alone"
        ) { probe in
            let name = try probe.newUser()
            func change(_ password: String) throws -> Answer {
                try probe.api(
                    .user(name), "PUT", "/auth/email",
                    #"{"email":"\#(name)@example.com","password":"\#(password)"}"#)
            }
            try change("not the password").problem(400, "field_invalid").expectMember("field", "\"password\"")
            try probe.api(.user(name), "GET", "/auth/me").expect(200).expectMember("email", "null")
            let answer = try change(probe.management().password).expect(anyOf: [200, 202])
            // Where a code was sent nothing has changed yet.
            let now = answer.status == 200 ? "\"\(name)@example.com\"" : "null"
            try probe.api(.user(name), "GET", "/auth/me").expect(200).expectMember("email", now)
        },
        check(
            "auth.email.taken", "auth.email", "an address that another user has is not given, in whatever letters"
        ) { probe in
            let (name, other) = (try probe.newUser(), try probe.newUser())
            try probe.api(.administrator, "PATCH", "/users/\(other)", #"{"email":"\#(other)@example.com"}"#).expect(200)
            let body = #"{"email":"\#(other)@EXAMPLE.com","password":"\#(try probe.management().password)"}"#
            let answer = try probe.api(.user(name), "PUT", "/auth/email", body)
            // Where mail is sent it is told to the address alone.
            if answer.status != 202 { try answer.problem(409, "name_taken").expectMember("field", "\"email\"") }
            try probe.api(.user(name), "GET", "/auth/me").expect(200).expectMember("email", "null")
        },
        check(
            "auth.emailConfirm.code", "auth.emailConfirm", "a code that nobody was sent gives nobody an address: 401",
            provokes: [("auth.emailConfirm", 401)]
        ) { probe in
            for token in ["no-such-code", "ae_" + String(repeating: "0", count: 49)] {
                try probe.api(.nobody, "POST", "/auth/email/confirm", #"{"token":"\#(token)"}"#)
                    .problem(401, "credentials_invalid")
            }
        },
    ]
}

extension Probe {
    /// Asks to become a user.
    fileprivate func register(_ name: String, _ password: String? = nil) throws -> Answer {
        let password = try password ?? management().password
        return try api(.nobody, "POST", "/auth/register", #"{"name":"\#(name)","password":"\#(password)"}"#)
    }
}

extension Answer {
    /// The user of a session.
    fileprivate func expectUser(_ name: String, isAdministrator: Bool) throws {
        let user = try json()["user"]
        try require(
            user?["name"]?.string == name && user?["admin"]?.boolean == isAdministrator,
            "a session of \(name), \(isAdministrator ? "an" : "no") administrator", user?.text ?? "none", self)
    }
}
