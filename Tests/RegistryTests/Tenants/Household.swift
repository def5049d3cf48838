import Access
import Foundation
import HTTP
import Model
import Runtime
import Service
import Store
import Testing

/// A registry with accounts, and who there is: `root`, who administers it, and whoever a test adds. All by its API.
struct Household: Sendable {
    let server: TestServer
    static let rootPassword = "correct horse battery"

    static func with(
        limits: Registry.Limits = .init(), http: HTTPSettings = .init(), clocks: Clocks = .system,
        accounts: AccountSettings = .init(), mail: (any MailTransport)? = nil, _ body: (Household) async throws -> Void
    ) async throws {
        try await TestServer.with(
            limits: limits, http: http, policy: .accounts, clocks: clocks, accounts: accounts, mail: mail
        ) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: rootPassword)
            try await body(Household(server: server))
        }
    }

    /// The line that says who asks.
    static func basic(_ name: String, _ secret: String) -> String {
        "Authorization: Basic " + Data("\(name):\(secret)".utf8).base64EncodedString()
    }

    static func password(_ name: String) -> String { name == "root" ? rootPassword : "password of \(name)" }

    /// What an account sends: its password.
    func line(_ name: String) -> String { Self.basic(name, Self.password(name)) }

    /// An account's request, with a JSON body where there is one.
    @discardableResult
    func send(_ who: String?, _ method: String, _ target: String, _ json: String? = nil) async throws -> Answer {
        let answer = try await server.client().send(
            method, target, who.map { [line($0)] } ?? [], body: json.map { Array($0.utf8) })
        try Contract.check(answer, to: method, target)
        return answer
    }

    /// The same, which has to be done.
    @discardableResult
    func done(_ who: String, _ method: String, _ target: String, _ json: String? = nil) async throws -> Answer {
        let answer = try await send(who, method, target, json)
        guard (200..<300).contains(answer.status) else {
            throw WireError(description: "\(who) \(method) \(target): \(answer.status) \(answer.text)")
        }
        return answer
    }

    func addUsers(_ names: String...) async throws {
        for name in names {
            try await done(
                "root", "POST", "/api/v1/users", #"{"name":"\#(name)","password":"\#(Self.password(name))"}"#)
        }
    }

    /// An organization of `owner`, with members.
    func addOrganization(_ name: String, owner: String, _ members: [String: String] = [:]) async throws {
        try await done(owner, "POST", "/api/v1/organizations", #"{"name":"\#(name)"}"#)
        for (member, role) in members {
            try await done(
                owner, "PUT", "/api/v1/organizations/\(name)/members/\(member)", #"{"role":"\#(role)"}"#)
        }
    }

    /// Pushes an image as somebody.
    func push(_ who: String, _ repository: String, _ tag: String = "t") async throws -> Int {
        try await push(by: line(who), repository, tag)
    }

    /// The same with any credentials; gives the status of what failed, or 201.
    func push(by line: String, _ repository: String, _ tag: String = "t") async throws -> Int {
        let client = server.client()
        let digest = Content.digest(Content.config)
        let blob = try await client.send(
            "POST", "/v2/\(repository)/blobs/uploads/?digest=\(digest)", [line], body: Content.config)
        guard blob.status == 201 else { return blob.status }
        return try await client.send(
            "PUT", "/v2/\(repository)/manifests/\(tag)",
            [line, "Content-Type: application/vnd.oci.image.manifest.v1+json"], body: Content.image()
        ).status
    }

    func pull(by line: String?, _ repository: String, _ tag: String = "t") async throws -> Int {
        try await server.client().get("/v2/\(repository)/manifests/\(tag)", line.map { [$0] } ?? []).status
    }

    /// A token for scopes, and what else the endpoint says.
    func token(_ line: String?, _ scopes: [String], _ more: String = "") async throws -> [String: Any] {
        let query = scopes.map { "&scope=" + $0.replacing(",", with: "%2C") }.joined() + more
        let answer = try await server.client().get("/auth/token?service=aerugo\(query)", line.map { [$0] } ?? [])
        guard answer.status == 200 else { throw WireError(description: "token: \(answer.status) \(answer.text)") }
        return try answer.object()
    }

    func bearer(_ line: String?, _ scopes: String...) async throws -> String {
        guard let token = try await token(line, scopes)["token"] as? String else {
            throw WireError(description: "no token")
        }
        return "Authorization: Bearer \(token)"
    }
}
