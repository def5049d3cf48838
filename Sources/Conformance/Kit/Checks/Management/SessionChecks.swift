/// Logins, sessions and passwords.
enum SessionChecks {
    static let checks: [ManagementCheck] = [
        ManagementCheck("api.auth.login.session", "openapi: Session", "the access token of a login is its user's") {
            probe in
            let name = try probe.newUser()
            let answer = try probe.login(name).expect(200)
            try require(
                try answer.json()[path: "user", "name"]?.string == name, "a session of \(name)", "another's", answer)
            let session = Actor("a session", .bearer(try answer.text("access_token")))
            try probe.api(session, "GET", "/auth/me").expect(200).expectMember("name", "\"\(name)\"")
            try require(
                answer.headers["Cache-Control"]?.contains("no-store") == true, "an answer that no cache keeps",
                "one without no-store", answer)
        },
        ManagementCheck(
            "api.auth.login.wrong", "openapi: auth.login",
            "a wrong password and an unknown name are 401, and the answers are alike", provokes: [("auth.login", 401)]
        ) { probe in
            let name = try probe.newUser()
            let wrong = try probe.login(name, "not the password").problem(401, "credentials_invalid")
            let unknown = try probe.login(try probe.management().name("nobody"), "not the password")
                .problem(401, "credentials_invalid")
            try require(wrong.body == unknown.body, "the same answer to both", "another to an unknown name", unknown)
        },
        ManagementCheck("api.auth.login.email", "openapi: Credentials", "an e-mail address logs in as its user") {
            probe in
            let name = try probe.newUser()
            try probe.api(.administrator, "PATCH", "/users/\(name)", #"{"email":"\#(name)@example.com"}"#).expect(200)
            let answer = try probe.login("\(name)@example.com").expect(200)
            try require(
                try answer.json()[path: "user", "name"]?.string == name, "a session of \(name)", "another's", answer)
        },
        ManagementCheck(
            "api.auth.refresh.once", "openapi: auth.refresh",
            "a refresh token is good once, and the session that it renews is over", provokes: [("auth.refresh", 401)]
        ) { probe in
            let name = try probe.newUser()
            let session = try probe.newSession(name)
            let body = #"{"refresh_token":"\#(session.refresh)"}"#
            let next = try probe.api(.nobody, "POST", "/auth/refresh", body).expect(200)
            try probe.api(Actor("the next session", .bearer(next.text("access_token"))), "GET", "/auth/me").expect(200)
            try probe.api(Actor("the session before", .bearer(session.access)), "GET", "/auth/me").problem(401)
            try probe.api(.nobody, "POST", "/auth/refresh", body).problem(401, "credentials_invalid")
        },
        ManagementCheck(
            "api.auth.refresh.access", "openapi: RefreshToken", "an access token is no refresh token"
        ) { probe in
            let session = try probe.newSession(try probe.newUser())
            try probe.api(.nobody, "POST", "/auth/refresh", #"{"refresh_token":"\#(session.access)"}"#).problem(401)
            try probe.api(Actor("by the refresh token", .bearer(session.refresh)), "GET", "/auth/me").problem(401)
        },
        ManagementCheck(
            "api.auth.logout.ends", "openapi: auth.logout",
            "a session that is over is good for nothing, and ending it again is no error"
        ) { probe in
            let session = try probe.newSession(try probe.newUser())
            let body = #"{"refresh_token":"\#(session.refresh)"}"#
            try probe.api(.nobody, "POST", "/auth/logout", body).expect(204)
            try probe.api(Actor("its session", .bearer(session.access)), "GET", "/auth/me").problem(401)
            try probe.api(.nobody, "POST", "/auth/refresh", body).problem(401)
            try probe.api(.nobody, "POST", "/auth/logout", body).expect(204)
        },
        ManagementCheck(
            "api.auth.password.current", "openapi: OwnPassword",
            "one's password is changed by who knows the one that counts"
        ) { probe in
            let name = try probe.newUser()
            let password = try probe.management().password
            try probe.api(
                .user(name), "PUT", "/auth/password", #"{"current":"not it at all","password":"another-\#(password)"}"#
            )
            .expect(400, 401, 403)
            try probe.login(name).expect(200)
        },
        ManagementCheck(
            "api.auth.password.ends", "openapi: auth.password",
            "a changed password ends the older one, and its sessions"
        ) { probe in
            let name = try probe.newUser()
            let session = try probe.newSession(name)
            let password = try probe.management().password
            let next = "another-\(password)"
            probe.run.masker.learn(next)
            try probe.api(.user(name), "PUT", "/auth/password", #"{"current":"\#(password)","password":"\#(next)"}"#)
                .expect(204)
            try probe.login(name, next).expect(200)
            try probe.login(name).problem(401)
            try ended(probe, session)
        },
        ManagementCheck(
            "api.users.password.ends", "openapi: users.password",
            "a password that an administrator sets ends all that came of the older"
        ) { probe in
            let name = try probe.newUser()
            let session = try probe.newSession(name)
            try probe.pulls(.user(name), "\(name)/none").expect(404)
            let made = try probe.api(.administrator, "PUT", "/users/\(name)/password", "{}").expect(200).text(
                "password")
            try probe.login(name, made).expect(200)
            try probe.pulls(.user(name), "\(name)/none").expect(401)
            try ended(probe, session)
        },
        ManagementCheck("api.auth.me.self", "openapi: Me", "everybody is told of themselves") { probe in
            let cast = try probe.cast()
            for role in [Role.outsider, .reader, .owner] {
                try probe.api(cast.actor(role), "GET", "/auth/me").expect(200)
                    .expectMember("name", "\"\(cast.name(role))\"")
            }
            try probe.api(.administrator, "GET", "/auth/me").expect(200).expectMember("admin", "true")
        },
    ]

    private static func ended(_ probe: Probe, _ session: (access: String, refresh: String)) throws {
        try probe.api(Actor("the session before", .bearer(session.access)), "GET", "/auth/me").problem(401)
        try probe.api(.nobody, "POST", "/auth/refresh", #"{"refresh_token":"\#(session.refresh)"}"#).problem(401)
    }
}
