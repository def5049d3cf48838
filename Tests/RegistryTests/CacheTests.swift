import Access
import Logging
import MemoryDriver
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing

/// A database that remembers the queries that it was asked.
private final class ListeningDatabase: SQLDatabase {
    private struct Listener: SQLConnection {
        let connection: any SQLConnection
        let database: ListeningDatabase

        func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
            database.queries.withLock { $0.append(sql) }
            return try connection.rows(sql, arguments)
        }

        func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
            try connection.execute(sql, arguments)
        }
    }

    let dialect = SQLDialect.sqlite
    let queries = Mutex<[String]>([])
    private let database: SQLiteDatabase

    init(_ database: SQLiteDatabase) { self.database = database }

    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await database.read { (connection) throws(StoreError) in
            try body(Listener(connection: connection, database: self))
        }
    }

    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T { try await database.write(body) }

    /// The queries since the last call.
    func heard() -> [String] {
        queries.withLock { queries in
            defer { queries = [] }
            return queries
        }
    }
}

@Suite("Caches of manifests")
struct CacheTests {
    private struct Setting {
        let registry: Registry
        let database: SQLiteDatabase
        let listening: ListeningDatabase
        let name: RepositoryName

        init() async throws {
            database = try SQLiteDatabase(path: nil)
            try await Schema.migrate(database)
            listening = ListeningDatabase(database)
            name = try RepositoryName.parse("a/b")
            var limits = Registry.Limits()
            limits.sparseIndexes = true
            registry = Registry(
                store: MetadataStore(listening), blobs: MemoryBlobStore(), limits: limits,
                log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        }

        func grant(_ right: Right) async throws -> RepositoryGrant {
            let authorizer = Authorizer(policy: .open, source: registry.repositories)
            let caller = Caller(Identity(.anonymous), requestID: "1", address: "192.0.2.1")
            let decision = try await authorizer.authorize(right, on: name, caller)
            if case .absent(let making) = decision {
                try await registry.repositories.make(making)
                return try await grant(right)
            }
            return try #require(try decision.grant())
        }

        func push(_ mark: String, _ tag: String) async throws -> [UInt8] {
            let bytes = Content.index([], more: #","annotations":{"mark":"\#(mark)"}"#)
            _ = try await registry.manifests.push(
                bytes, as: .tag(.parse(tag)), contentType: nil, try await grant(.push))
            return bytes
        }
    }

    @Test("a push of one tag costs the others a look at what they point to, and not their bytes")
    func contentStays() async throws {
        let setting = try await Setting()
        let bytes = try await setting.push("1", "t")
        let tag = Reference.tag(try .parse("t"))
        let pull = try await setting.grant(.pull)
        let manifests = setting.registry.manifests
        #expect(try await manifests.get(tag, pull).bytes == bytes)
        _ = setting.listening.heard()
        #expect(try manifests.atOnce(tag, pull)?.bytes == bytes)
        #expect(setting.listening.heard().isEmpty, "at once is without a query")
        _ = try await setting.push("2", "u")
        #expect(try manifests.atOnce(tag, pull) == nil, "it may have moved")
        _ = setting.listening.heard()
        #expect(try await manifests.get(tag, pull).bytes == bytes)
        #expect(!setting.listening.heard().contains { $0.contains(/\bbytes\b/) })
        #expect(try manifests.atOnce(tag, pull)?.bytes == bytes)
    }

    @Test("a tag that has moved is never served from memory (CVE-2026-35172)")
    func moved() async throws {
        let setting = try await Setting()
        _ = try await setting.push("1", "t")
        let tag = Reference.tag(try .parse("t"))
        let pull = try await setting.grant(.pull)
        let manifests = setting.registry.manifests
        let old = try await manifests.get(tag, pull)
        let bytes = try await setting.push("2", "t")
        #expect(try manifests.atOnce(tag, pull) == nil)
        #expect(try await manifests.get(tag, pull).bytes == bytes)
        try await manifests.delete(.digest(old.digest), setting.grant(.delete))
        await #expect(throws: RegistryError.self) { try await manifests.get(.digest(old.digest), pull) }
    }

    @Test("a manifest whose bytes changed in the database is not served, and a push repairs it")
    func damaged() async throws {
        let setting = try await Setting()
        let bytes = try await setting.push("1", "t")
        _ = try await setting.database.write { (db) throws(StoreError) in
            try db.execute("UPDATE manifests SET bytes = $1", [.bytes(Array("{}".utf8))])
        }
        let tag = Reference.tag(try .parse("t"))
        let pull = try await setting.grant(.pull)
        do {
            _ = try await setting.registry.manifests.get(tag, pull)
            Issue.record("it was served")
        } catch {
            #expect(error.code == .internalError)
        }
        _ = try await setting.push("1", "t")
        #expect(try await setting.registry.manifests.get(tag, pull).bytes == bytes)
    }

    @Test("a grant for one right is none for another")
    func wrongRight() async throws {
        let setting = try await Setting()
        _ = try await setting.push("1", "t")
        let pull = try await setting.grant(.pull)
        do {
            try await setting.registry.manifests.delete(.tag(.parse("t")), pull)
            Issue.record("it was deleted")
        } catch let error as RegistryError {
            #expect(error.code == .internalError)
        }
    }
}
