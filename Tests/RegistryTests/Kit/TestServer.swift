import Access
import HTTP
import HTTPServer
import Logging
import MemoryDriver
import NIOCore
import Runtime
import SQLiteDriver
import Service
import Store

extension ServerSettings {
    /// The usual ones, but for times that a busy machine could be over.
    static var patient: ServerSettings {
        var settings = ServerSettings()
        (settings.timeouts.head, settings.timeouts.idle) = (.seconds(600), .seconds(600))
        (settings.timeouts.body, settings.timeouts.send) = (.seconds(600), .seconds(600))
        return settings
    }
}

/// A registry on a port of its own, in this process, with everything in memory.
struct TestServer: Sendable {
    let server: Server
    let registry: Registry
    let application: Application
    let accounts: Accounts

    /// The one that serves all tests which need nothing special; each uses repositories of its own.
    private static let common = Task { try await TestServer.start() }

    static func shared() async throws -> TestServer { try await common.value }

    static func start(
        limits: Registry.Limits = .init(), http: HTTPSettings = .init(), blobs: any BlobStore = MemoryBlobStore(),
        policy: Policy = .open, clocks: Clocks = .system, database: (any SQLDatabase)? = nil,
        versions: (any Versions)? = nil, accounts accountSettings: AccountSettings = .init(),
        mail: (any MailTransport)? = nil, cache: (any SharedCache)? = nil,
        log: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, _ settings: ServerSettings = .patient
    ) async throws -> TestServer {
        let own = database == nil ? try await Engine.empty() : nil
        let database = try database ?? own?.database ?? SQLiteDatabase(path: nil)
        let versions = versions ?? own?.versions ?? EmbeddedVersions()
        try await Schema.migrate(database)
        let store = MetadataStore(database, versions: versions, clocks: clocks)
        var limits = limits
        if policy.needsStanding { limits.visibility = .hidden }
        let sharing: Sharing? = if let cache { try await Sharing.open(cache, of: store, log) } else { nil }
        let registry = Registry(store: store, blobs: blobs, sharing: sharing, limits: limits, log: log)
        let accounts = Accounts(
            store, passwords: try PasswordHasher(cost: 1), mail: mail, sharing: sharing, settings: accountSettings,
            log: log)
        if policy.needsStanding { try await accounts.tokens.renew() }
        let application = Application(
            registry: registry, accounts: accounts,
            authenticator: policy.needsStanding ? accounts.logins : FixedAuthenticator.open, policy: policy,
            settings: http, log: log)
        return TestServer(
            server: try await Server(application, host: "127.0.0.1", port: 0, settings), registry: registry,
            application: application, accounts: accounts)
    }

    /// Runs `body` against a server with these settings, which is stopped behind it.
    static func with(
        limits: Registry.Limits = .init(), http: HTTPSettings = .init(), blobs: any BlobStore = MemoryBlobStore(),
        policy: Policy = .open, clocks: Clocks = .system, database: (any SQLDatabase)? = nil,
        versions: (any Versions)? = nil, accounts accountSettings: AccountSettings = .init(),
        mail: (any MailTransport)? = nil, _ settings: ServerSettings = .patient,
        _ body: (TestServer) async throws -> Void
    ) async throws {
        var settings = settings
        settings.shutdownGrace = .zero
        let server = try await start(
            limits: limits, http: http, blobs: blobs, policy: policy, clocks: clocks, database: database,
            versions: versions, accounts: accountSettings, mail: mail, settings)
        do {
            try await body(server)
        } catch {
            try await server.server.shutDown()
            throw error
        }
        try await server.server.shutDown()
    }

    var port: Int { server.address.split(separator: ":").last.flatMap { Int($0) } ?? 0 }

    /// A client on a connection of its own.
    func client() -> Client { Client(port: port) }

    func wire(receiveBuffer: Int32? = nil, source: String? = nil) throws -> Wire {
        try Wire(port: port, receiveBuffer: receiveBuffer, source: source)
    }

    /// A repository that no other test has.
    static func repository(_ prefix: String = "test") -> String { "\(prefix)/\(IDSource().token())" }
}
