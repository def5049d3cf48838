import Access
import Foundation
import HTTP
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing

/// Where a test's letters go; `ci/mail` sends them to a real server.
final class Postbox: MailTransport {
    private let state = Mutex((mails: [Mail](), faults: [StoreError]()))

    var mails: [Mail] { state.withLock { $0.mails } }

    /// What the next letters come to instead of being sent.
    func fail(_ faults: StoreError...) { state.withLock { $0.faults += faults } }

    func send(_ mail: Mail) async throws(StoreError) {
        let fault = state.withLock { state -> StoreError? in
            guard state.faults.isEmpty else { return state.faults.removeFirst() }
            state.mails.append(mail)
            return nil
        }
        if let fault { throw fault }
    }

    /// The code in the last letter.
    func code() throws -> String {
        guard let match = mails.last?.text.firstMatch(of: /\n    (a[pce]_[0-9A-Za-z]{49})\n/) else {
            throw WireError(description: "no code in \(mails)")
        }
        return String(match.1)
    }
}

private struct House {
    let house: Household
    let box: Postbox
    let time: TestClocks

    static func with(
        registers: Bool = false, http: HTTPSettings = .init(), _ body: (House) async throws -> Void
    ) async throws {
        let (box, time) = (Postbox(), TestClocks())
        var settings = AccountSettings()
        settings.registersAnybody = registers
        settings.letters.link = "https://ui.example.com/{purpose}#{code}"
        try await Household.with(http: http, clocks: time.clocks, accounts: settings, mail: box) { house in
            try await house.addUsers("ann", "bob")
            try await house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"Ann@Example.com"}"#)
            try await body(House(house: house, box: box, time: time))
        }
    }

    func post(_ path: String, _ body: String) async throws -> Answer {
        try await house.send(nil, "POST", "/api/v1/auth/\(path)", body)
    }

    func ask(_ user: String) async throws {
        #expect(try await post("password-reset", #"{"user":"\#(user)"}"#).status == 202)
        await house.server.accounts.letters.deliver()
    }

    func reset(_ code: String, _ password: String) async throws -> Int {
        try await post("password-reset/confirm", #"{"token":"\#(code)","password":"\#(password)"}"#).status
    }

    func logIn(_ name: String, _ password: String) async throws -> Int {
        try await post("login", #"{"name":"\#(name)","password":"\#(password)"}"#).status
    }
}

@Suite("Letters: a new password by mail")
struct PasswordResetTests {
    @Test(
        "a code sets the password once, for an hour, and ends all that came of the old one",
        arguments: ["ann", "aNN@eXample.com"])
    func reset(named: String) async throws {
        try await House.with { its in
            let session = try await its.post("login", #"{"name":"ann","password":"\#(Household.password("ann"))"}"#)
            let access = try #require(try session.object()["access_token"] as? String)
            try await its.ask(named)
            let mail = try #require(its.box.mails.last)
            #expect(mail.to.description == "Ann@Example.com" && its.box.mails.count == 1)
            let code = try its.box.code()
            #expect(mail.text.contains("https://ui.example.com/password-reset#\(code)"))
            #expect(try await its.reset(code, "short") == 400)
            #expect(try await its.reset(code, "another good one") == 204)
            #expect(try await its.reset(code, "yet another one") == 401)
            #expect(try await its.logIn("ann", "another good one") == 200)
            #expect(try await its.logIn("ann", Household.password("ann")) == 401)
            let me = try await its.house.server.client().get("/api/v1/auth/me", ["Authorization: Bearer \(access)"])
            #expect(me.status == 401)
            let audit = try await its.house.done("root", "GET", "/api/v1/audit?action=user.password").object()
            let entry = (audit["items"] as? [[String: Any]])?.first
            #expect(entry?["who"] as? String == "ann" && entry?["detail"] as? String == "by mail")
        }
    }

    @Test("who is asked for makes no difference to the answer, and nobody gets a letter who should not")
    func alike() async throws {
        try await House.with { its in
            try await its.house.done(
                "root", "PATCH", "/api/v1/users/bob", #"{"email":"bob@example.com","disabled":true}"#)
            func essence(_ user: String) async throws -> String {
                let answer = try await its.post("password-reset", #"{"user":"\#(user)"}"#)
                let headers = answer.headers.filter { !["date", "x-request-id"].contains($0.name.lowercased()) }
                return "\(answer.status) \(headers.map { "\($0.name): \($0.value)" }) \(answer.text)"
            }
            let known = try await essence("ann")
            for user in ["nobody", "bob", "root", "nobody@example.com", "a\\nb", "Ann"] {
                #expect(try await essence(user) == known, "\(user)")
            }
            await its.house.server.accounts.letters.deliver()
            #expect(its.box.mails.map(\.to.description) == ["Ann@Example.com"])
        }
    }

    @Test(
        "a code ends with its hour, with a change of password, with another address and with the account",
        arguments: ["hour", "password", "address", "disabled", "other"])
    func ends(how: String) async throws {
        try await House.with { its in
            try await its.ask("ann")
            let code = try its.box.code()
            switch how {
            case "hour": its.time.pass(.seconds(3601))
            case "password":
                try await its.house.done("root", "PUT", "/api/v1/users/ann/password", #"{"password":"set by root"}"#)
            case "address":
                try await its.house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"b@example.com"}"#)
            case "disabled": try await its.house.done("root", "PATCH", "/api/v1/users/ann", #"{"disabled":true}"#)
            default:
                its.time.pass(.seconds(61))
                try await its.ask("ann")
                #expect(try await its.reset(try its.box.code(), "by the second one") == 204)
            }
            #expect(try await its.reset(code, "another good one") == 401)
            for text in ["", "x", String(code.dropLast()) + "0", "as" + code.dropFirst(2)] where !text.isEmpty {
                #expect(try await its.reset(text, "another good one") == 401)
            }
        }
    }

    @Test("nobody is flooded: a letter a minute, five an hour")
    func flood() async throws {
        try await House.with { its in
            for _ in 0..<5 { try await its.ask("ann") }
            #expect(its.box.mails.count == 1)
            for _ in 0..<10 {
                its.time.pass(.seconds(61))
                try await its.ask("ann")
            }
            #expect(its.box.mails.count == 5)
            its.time.pass(.seconds(3600))
            try await its.ask("ann")
            #expect(its.box.mails.count == 6)
        }
    }

    @Test(
        "a letter that cannot be sent is tried again, with a code of its own, until it is; one that never will be goes")
    func retry() async throws {
        try await House.with { its in
            let letters = its.house.server.accounts.letters
            its.box.fail(StoreError(.unavailable, "no route"), StoreError(.unavailable, "no route"))
            try await its.ask("ann")
            #expect(its.box.mails.isEmpty)
            await letters.deliver()
            its.time.pass(.seconds(61))
            await letters.deliver()
            #expect(its.box.mails.isEmpty)
            its.time.pass(.seconds(121))
            await letters.deliver()
            #expect(its.box.mails.count == 1)
            its.time.pass(.seconds(7200))
            await letters.deliver()
            #expect(its.box.mails.count == 1)
            its.box.fail(StoreError(.refused, "no such mailbox"))
            try await its.ask("ann")
            its.time.pass(.seconds(86_400))
            await letters.deliver()
            #expect(its.box.mails.count == 1)
        }
    }

    @Test("no row has a code in it, and no letter is lost with the process that was to send it")
    func rows() async throws {
        let (box, database) = (Postbox(), try SQLiteDatabase(path: nil))
        let tables = ["outbox", "password_resets", "registrations", "audit"]
        try await TestServer.with(policy: .accounts, database: database, mail: box) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            try await house.done("root", "PATCH", "/api/v1/users/root", #"{"email":"root@example.com"}"#)
            #expect(try await house.send(nil, "POST", "/api/v1/auth/password-reset", #"{"user":"root"}"#).status == 202)
        }
        // The first one sent nothing.
        #expect(box.mails.isEmpty)
        try await TestServer.with(policy: .accounts, database: database, mail: box) { server in
            await server.accounts.letters.deliver()
            let code = try box.code()
            for table in tables {
                let rows = try await database.read { (db) throws(StoreError) in
                    try db.rows("SELECT * FROM \(table)", []).map { "\($0)" }
                }
                #expect(!rows.joined().contains(code), "\(table)")
            }
            let answer = try await server.client().send(
                "POST", "/api/v1/auth/password-reset/confirm", ["Content-Type: application/json"],
                body: Array(#"{"token":"\#(code)","password":"another good one"}"#.utf8))
            #expect(answer.status == 204)
        }
    }

    @Test("without mail nothing is promised, and requests of one address are limited")
    func limits() async throws {
        try await Household.with { house in
            let answer = try await house.send(nil, "POST", "/api/v1/auth/password-reset", #"{"user":"root"}"#)
            #expect(answer.status == 403)
        }
        var http = HTTPSettings()
        http.rates[.registration] = 2
        try await House.with(http: http) { its in
            var statuses: [Int] = []
            for _ in 0..<3 { statuses.append(try await its.post("password-reset", #"{"user":"ann"}"#).status) }
            #expect(statuses == [202, 202, 429])
        }
    }
}

@Suite("Registration by oneself")
struct RegistrationTests {
    private static let eve = #"{"name":"eve","password":"the password of eve","email":"eve@example.com"}"#

    @Test("it is off unless the operator wants it")
    func off() async throws {
        try await House.with { its in
            let answer = try await its.post("register", Self.eve)
            #expect(answer.status == 403)
            #expect(try await its.house.send("root", "GET", "/api/v1/users/eve").status == 404)
        }
    }

    @Test("without mail a user is there at once, by the rules for all names and passwords, and administers nothing")
    func direct() async throws {
        var settings = AccountSettings()
        settings.registersAnybody = true
        try await Household.with(accounts: settings) { house in
            func register(_ body: String) async throws -> Int {
                try await house.send(nil, "POST", "/api/v1/auth/register", body).status
            }
            #expect(try await register(Self.eve) == 201)
            #expect(try await register(Self.eve) == 409)
            #expect(
                try await register(#"{"name":"fay","password":"a good password","email":"EVE@example.com"}"#) == 409)
            #expect(try await register(#"{"name":"fay","password":"short"}"#) == 400)
            #expect(try await register(#"{"name":"api","password":"a good password"}"#) == 400)
            #expect(try await register(#"{"name":"fay","password":"a good password","admin":true}"#) == 400)
            let line = Household.basic("eve", "the password of eve")
            #expect(try await house.push(by: line, "eve/app") == 201)
            #expect(try await house.server.client().get("/api/v1/users", [line]).status == 403)
            let audit = try await house.done("root", "GET", "/api/v1/audit?action=user.register").object()
            #expect((audit["items"] as? [[String: Any]])?.first?["who"] as? String == "eve")
        }
    }

    @Test("with mail there is nobody before the address is confirmed, by a code that is good once and for a day")
    func confirmed() async throws {
        try await House.with(registers: true) { its in
            let letters = its.house.server.accounts.letters
            #expect(try await its.post("register", #"{"name":"eve","password":"a good password"}"#).status == 400)
            #expect(try await its.post("register", Self.eve).status == 202)
            await letters.deliver()
            #expect(its.box.mails.map(\.to.description) == ["eve@example.com"])
            let code = try its.box.code()
            #expect(try await its.logIn("eve", "the password of eve") == 401)
            #expect(try await its.house.send("root", "GET", "/api/v1/users/eve").status == 404)
            #expect(try await its.reset(code, "another good one") == 401)
            let confirm = #"{"token":"\#(code)"}"#
            let made = try await its.post("register/confirm", confirm)
            #expect(made.status == 201)
            #expect(try made.object()["email"] as? String == "eve@example.com")
            #expect(try await its.post("register/confirm", confirm).status == 401)
            #expect(try await its.logIn("EVE@example.com", "the password of eve") == 200)
            #expect(try await its.post("register", Self.eve.replacing("eve", with: "fay")).status == 202)
            await letters.deliver()
            let late = try its.box.code()
            its.time.pass(.seconds(86_401))
            #expect(try await its.post("register/confirm", #"{"token":"\#(late)"}"#).status == 401)
        }
    }

    @Test("that an address has an account is told to the address alone; of two who want a name one gets it")
    func taken() async throws {
        try await House.with(registers: true) { its in
            let letters = its.house.server.accounts.letters
            let known = try await its.post("register", Self.eve.replacing("eve@", with: "ann@"))
            let other = try await its.post("register", Self.eve)
            #expect(known.status == 202 && other.status == 202 && known.text == other.text)
            await letters.deliver()
            #expect(its.box.mails.first?.text.contains("There is an account with it already") == true)
            #expect(its.box.mails.count == 2)
            let first = try its.box.code()
            #expect(try await its.post("register", Self.eve.replacing("eve@", with: "eva@")).status == 202)
            await letters.deliver()
            let second = try its.box.code()
            #expect(try await its.post("register/confirm", #"{"token":"\#(first)"}"#).status == 201)
            #expect(try await its.post("register/confirm", #"{"token":"\#(second)"}"#).status == 409)
        }
    }
}

@Suite("E-mail addresses")
struct AddressTests {
    @Test("an address is one user's, whatever the case of its letters")
    func unique() async throws {
        try await House.with { its in
            let path = "/api/v1/users/bob"
            #expect(try await its.house.send("root", "PATCH", path, #"{"email":"ANN@example.COM"}"#).status == 409)
            let made = try await its.house.send(
                "root", "POST", "/api/v1/users", #"{"name":"cat","email":"ann@EXAMPLE.com"}"#)
            #expect(try made.problem()["field"] as? String == "email" && made.status == 409)
            try await its.house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"ANN@example.com"}"#)
            try await its.house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":null}"#)
            try await its.house.done("root", "PATCH", path, #"{"email":"ann@example.com"}"#)
        }
    }

    @Test(
        "what is no address is refused",
        arguments: [
            "", "ann", "@example.com", "ann@", "a b@example.com", "ann@exam ple.com", "ann@example..com",
            ".ann@example.com",
            "ann@example.com\\r\\nBcc: eve@example.com", "ann@-example.com", "ann@[127.0.0.1]", "<ann@example.com>",
            "a@b@example.com", "änn@example.com", String(repeating: "a", count: 250) + "@b.de",
        ])
    func wrong(text: String) async throws {
        try await Household.with { house in
            let answer = try await house.send("root", "PATCH", "/api/v1/users/root", #"{"email":"\#(text)"}"#)
            #expect(answer.status == 400)
            #expect(try answer.problem()["field"] as? String == "email")
        }
    }

    @Test("the pattern of addresses says what the parser says")
    func pattern() throws {
        let pattern = try Regex(EmailAddress.pattern)
        var random = SystemRandomNumberGenerator()
        let letters = Array("ab1@@.-_+ é<")
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 1...9, using: &random)).map { _ in letters.randomElement()! })
            let isAddress: Bool
            do { _ = try EmailAddress.parse(text); isAddress = true } catch { isAddress = false }
            #expect(isAddress == (text.wholeMatch(of: pattern) != nil), "\(text)")
        }
    }
}
