import Foundation

/// The audit, and what the system tells of itself.
enum AuditChecks {
    static let checks: [ManagementCheck] = [
        ManagementCheck(
            "api.audit.done", "openapi: Event", "what was done is told: who, what, to what, by which request"
        ) { probe in
            let name = try probe.management().name("user")
            let made = try probe.api(
                .administrator, "POST", "/users",
                #"{"name":"\#(name)","password":"\#(try probe.management().password)"}"#
            )
            .expect(201)
            let request = try made.expectHeader("X-Request-Id")
            let events = try probe.api(.administrator, "GET", "/audit?action=user.create&n=100").expect(200)
            let event = try events.json()["items"]?.array?.first { $0["subject"]?.string?.contains(name) == true }
            try require(event != nil, "an entry user.create of \(name)", "none", events)
            try require(
                event?["request_id"]?.string == request, "the request \(request)", event?["request_id"]?.text ?? "none",
                events)
            try require(
                event?["outcome"]?.string == "done", "the outcome done", event?["outcome"]?.text ?? "none", events)
            if case .password(let user, _) = try probe.management().administrator.proof {
                try require(event?["who"]?.string == user, "by \(user)", event?["who"]?.text ?? "nobody", events)
            }
        },
        ManagementCheck("api.audit.refused", "openapi: Event", "what was refused is told too, within some seconds") {
            probe in
            let name = try probe.newUser()
            try probe.api(.user(name), "GET", "/users").problem(403)
            let start = ContinuousClock.now
            while true {
                let events = try probe.api(.administrator, "GET", "/audit?who=\(name)&outcome=refused").expect(200)
                if try events.json()["items"]?.array?.isEmpty == false { return }
                guard ContinuousClock.now - start < .seconds(10) else {
                    throw events.failure(
                        "\(events.request): an entry of what \(name) was refused", "none in ten seconds")
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
        },
        ManagementCheck(
            "api.audit.filters", "openapi: audit.list",
            "action, who, outcome, since and until each leave out what does not fit"
        ) { probe in
            let (one, other) = (try probe.newUser(), try probe.newUser())
            for name in [one, other] { _ = try probe.newOrganization(by: .user(name)) }
            _ = try probe.newKey(.user(one))
            func found(_ query: String) throws -> [JSON] { try probe.items(.administrator, "/audit?\(query)") }
            let actions = try found("who=\(one)&outcome=done").compactMap { $0["action"]?.string }
            try require(
                actions.contains("organization.create") && actions.contains("key.create"), "both of what \(one) did",
                "\(actions)")
            let all = try found("who=\(one)")
            try require(all.allSatisfy { $0["who"]?.string == one }, "entries of \(one) alone", "others' too")
            let keys = try found("who=\(one)&action=key.create")
            try require(keys.count == 1, "one key.create of \(one)", "\(keys.count)")
            try require(try found("who=\(one)&until=2001-01-01T00:00:00Z").isEmpty, "nothing before 2001", "something")
            try require(try found("who=\(one)&since=2999-01-01T00:00:00Z").isEmpty, "nothing since 2999", "something")
        },
        ManagementCheck("api.audit.secrets", "openapi: Event", "no password, key or token is in the audit") { probe in
            let name = try probe.newUser()
            let key = try probe.newKey(.user(name))
            let session = try probe.newSession(name)
            let made = try probe.api(.administrator, "PUT", "/users/\(name)/password", "{}").expect(200).text(
                "password")
            for query in ["who=\(name)", "action=user.create", "action=user.password", "action=key.create", "n=200"] {
                let told = try probe.api(.administrator, "GET", "/audit?\(query)").expect(200)
                let text = String(decoding: told.body, as: UTF8.self)
                for secret in [key.secret, session.access, session.refresh, made, try probe.management().password]
                where text.contains(secret) {
                    throw told.failure("\(told.request): no secret", "one of \(name)'s", .bodyLacks(secret))
                }
            }
        },
        ManagementCheck(
            "api.audit.organization", "openapi: organizations.audit",
            "an organization's audit has what happened in it alone"
        ) { probe in
            let user = try probe.newUser()
            let (one, other) = (try probe.newOrganization([(user, "admin")]), try probe.newOrganization())
            for organization in [one, other] {
                try probe.api(
                    .administrator, "POST", "/organizations/\(organization)/teams", #"{"name":"of-\#(organization)"}"#
                ).expect(201)
            }
            let events = try probe.items(.user(user), "/organizations/\(one)/audit")
            let text = events.map(\.text).joined()
            try require(text.contains("of-\(one)"), "the team that was made in \(one)", "nothing of it")
            try require(!text.contains("of-\(other)"), "nothing of \(other)", "its team")
        },
        ManagementCheck("api.audit.lines", "openapi: format", "as lines each is an entry, the same ones as in the list")
        { probe in
            let document = try probe.management().document
            guard document.tells("application/x-ndjson", of: "organizations.audit") else {
                throw Skip("the document names no type for them")
            }
            let organization = try probe.newOrganization()
            let place = "/organizations/\(organization)/audit"
            let items = try probe.items(.administrator, place).map(\.text)
            let answer = try probe.api(.administrator, "GET", "\(place)?format=ndjson").expect(200)
            let lines = answer.body.split(separator: 10).compactMap { JSON(parsing: Array($0))?.text }
            try require(lines == items, "\(items.count) lines, the entries of the list", "\(lines.count)", answer)
        },
        ManagementCheck(
            "api.system.statistics", "openapi: Statistics", "the numbers grow by what is made",
            needs: [.management, .alone]
        ) { probe in
            func counts() throws -> [Int] {
                let told = try probe.api(.administrator, "GET", "/system/statistics").expect(200).json()
                return ["users", "organizations", "repositories"].map { told[$0]?.integer ?? -1 }
            }
            let before = try counts()
            _ = try probe.newUser()
            _ = try probe.newRepository(in: try probe.newOrganization())
            let after = try counts()
            try require(after == before.map { $0 + 1 }, "one more each than \(before)", "\(after)")
        },
        ManagementCheck("api.system.health", "openapi: Component", "every part works, or says what is wrong") { probe in
            let parts = try probe.items(.administrator, "/system/health")
            try require(!parts.isEmpty, "at least one part", "none")
            for part in parts where part["works"]?.boolean == false {
                try require(part["detail"]?.string?.isEmpty == false, "a detail of what is wrong", part.text)
            }
        },
        ManagementCheck(
            "api.system.settings.secrets", "openapi: Setting", "no setting whose name is of a secret has a value"
        ) { probe in
            let told = try probe.api(.administrator, "GET", "/system/settings").expect(200)
            for setting in try told.json()["items"]?.array ?? [] {
                let (name, value) = (setting["name"]?.string ?? "", setting["value"]?.string ?? "")
                guard ["password", "secret"].contains(where: name.hasSuffix)
                else { continue }
                try require(
                    value.isEmpty || value.allSatisfy { $0 == "*" || $0 == "•" }, "\(name) without its value",
                    "a value", told)
            }
        },
    ]
}
