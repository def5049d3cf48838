import Access
import Foundation
import HTTP
import Model
import Service
import Store
import Testing

@Suite("One's own e-mail address")
struct OwnAddressTests {
    private static func body(_ email: String?, _ password: String = Household.password("ann")) -> String {
        #"{"email":\#(email.map { "\"\($0)\"" } ?? "null"),"password":"\#(password)"}"#
    }

    private func email(_ house: Household, of user: String = "ann") async throws -> String? {
        try await house.done("root", "GET", "/api/v1/users/\(user)").object()["email"] as? String
    }

    private func change(_ house: Household, _ email: String?) async throws -> Int {
        try await house.send("ann", "PUT", "/api/v1/auth/email", Self.body(email)).status
    }

    private func confirm(_ house: Household, _ code: String) async throws -> Int {
        try await house.send(nil, "POST", "/api/v1/auth/email/confirm", #"{"token":"\#(code)"}"#).status
    }

    @Test("where no mail is sent it is changed at once, by who knows the password, and the audit says so")
    func direct() async throws {
        try await Household.with { house in
            try await house.addUsers("ann", "bob")
            let path = "/api/v1/auth/email"
            #expect(try await house.send(nil, "PUT", path, Self.body("ann@example.com")).status == 401)
            let wrong = try await house.send("ann", "PUT", path, Self.body("ann@example.com", "another password"))
            #expect(try wrong.status == 400 && wrong.problem()["field"] as? String == "password")
            for text in ["nobody", "a b@example.com", "a@example.com\\u0000"] {
                let odd = try await house.send("ann", "PUT", path, Self.body(text))
                #expect(try odd.status == 400 && odd.problem()["field"] as? String == "email", "\(text)")
            }
            #expect(try await email(house) == nil)
            let done = try await house.send("ann", "PUT", path, Self.body("Ann@example.com"))
            #expect(try done.status == 200 && done.object()["email"] as? String == "Ann@example.com")
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"email":"bob@example.com"}"#)
            #expect(try await change(house, "BOB@example.com") == 409)
            // Her own in other letters is hers.
            #expect(try await change(house, "ann@EXAMPLE.com") == 200)
            #expect(try await change(house, nil) == 200)
            #expect(try await email(house) == nil)
            let audit = try await house.done("root", "GET", "/api/v1/audit?action=user.email").object()
            let entries = audit["items"] as? [[String: Any]] ?? []
            #expect(
                entries.count == 3
                    && entries.allSatisfy { $0["who"] as? String == "ann" && $0["subject"] as? String == "ann" })
        }
    }

    @Test(
        "where mail is sent the new address is confirmed first, by a code that is good once and for an hour, and the old one is told"
    )
    func confirmed() async throws {
        let (box, time) = (Postbox(), TestClocks())
        try await Household.with(clocks: time.clocks, mail: box) { house in
            try await house.addUsers("ann")
            try await house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"old@example.com"}"#)
            let letters = house.server.accounts.letters
            #expect(try await change(house, "new@example.com") == 202)
            await letters.deliver()
            #expect(box.mails.map(\.to.description) == ["new@example.com"])
            #expect(try await email(house) == "old@example.com")
            let code = try box.code()
            #expect(try await confirm(house, code.replacing("ae_", with: "ac_")) == 401)
            #expect(try await confirm(house, code) == 204)
            #expect(try await confirm(house, code) == 401)
            #expect(try await email(house) == "new@example.com")
            await letters.deliver()
            #expect(box.mails.map(\.to.description) == ["new@example.com", "old@example.com"])
            #expect(box.mails.last?.text.contains("ann") == true)
            #expect(try await change(house, "late@example.com") == 202)
            await letters.deliver()
            let late = try box.code()
            time.pass(.seconds(3601))
            #expect(try await confirm(house, late) == 401)
            // Nothing has to be confirmed where it is taken away.
            #expect(try await change(house, nil) == 200)
            #expect(try await email(house) == nil)
        }
    }

    @Test(
        "a code ends with a change of the password or of the address, with the account, and when another has the address",
        arguments: [
            "password", "address", "disabled", "deleted", "taken",
        ])
    func ends(how: String) async throws {
        let box = Postbox()
        try await Household.with(mail: box) { house in
            try await house.addUsers("ann", "bob")
            #expect(try await change(house, "new@example.com") == 202)
            await house.server.accounts.letters.deliver()
            let code = try box.code()
            var status = 401
            switch how {
            case "password":
                try await house.done("root", "PUT", "/api/v1/users/ann/password", #"{"password":"a good one, too"}"#)
            case "address": try await house.done("root", "PATCH", "/api/v1/users/ann", #"{"email":"x@example.com"}"#)
            case "disabled": try await house.done("root", "PATCH", "/api/v1/users/ann", #"{"disabled":true}"#)
            case "deleted": try await house.done("root", "DELETE", "/api/v1/users/ann")
            default:
                try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"email":"NEW@example.com"}"#)
                status = 409
            }
            #expect(try await confirm(house, code) == status)
            if how == "taken" { #expect(try await email(house) == nil) }
        }
    }

    @Test("that another has an address is told to the address alone; nobody has strangers flooded")
    func strangers() async throws {
        let (box, time) = (Postbox(), TestClocks())
        try await Household.with(clocks: time.clocks, mail: box) { house in
            try await house.addUsers("ann", "bob")
            try await house.done("root", "PATCH", "/api/v1/users/bob", #"{"email":"bob@example.com"}"#)
            #expect(try await change(house, "bob@example.com") == 202)
            await house.server.accounts.letters.deliver()
            let mail = try #require(box.mails.last)
            #expect(
                mail.to.description == "bob@example.com" && !mail.text.contains("ae_") && !mail.text.contains("ann"))
            for _ in 0..<4 { #expect(try await change(house, "bob@example.com") == 202) }
            let refused = try await house.send("ann", "PUT", "/api/v1/auth/email", Self.body("bob@example.com"))
            #expect(refused.status == 429 && refused["Retry-After"] != nil)
            time.pass(.seconds(3601))
            await house.server.accounts.letters.expire()
            #expect(try await change(house, "bob@example.com") == 202)
        }
    }
}
