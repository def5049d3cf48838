import Foundation
import PostgresDriver
import Runtime
import SQLiteDriver
import Store
import Testing

/// The kinds of databases that keep to one contract; PostgreSQL where there is one to be had.
enum DatabaseKind: String, CaseIterable, Sendable {
    case file, memory, postgres

    static var allCases: [DatabaseKind] { [.file, .memory] + (Postgres.url == nil ? [] : [.postgres]) }

    /// Runs `body` with a migrated, empty database of the kind.
    func withDatabase(_ body: (any SQLDatabase) async throws -> Void) async throws {
        switch self {
        case .memory:
            let database = try SQLiteDatabase(path: nil)
            try await Schema.migrate(database)
            try await body(database)
        case .file:
            let scratch = try Scratch()
            let database = try SQLiteDatabase(path: scratch.path + "/aerugo.db")
            try await Schema.migrate(database)
            try await body(database)
            withExtendedLifetime(scratch) {}
        case .postgres:
            try await Postgres.withSchema { settings in
                let database = try await PostgresDatabase.open(settings)
                try await Schema.migrate(database)
                try await body(database)
            }
        }
    }

    func withMetadata(_ body: (MetadataStore) async throws -> Void) async throws {
        try await withDatabase { try await body(MetadataStore($0)) }
    }
}

/// The server that `ci/services start` names.
enum Postgres {
    static let url = variable("AERUGO_TEST_POSTGRES")
    static let missing: Comment = #"AERUGO_TEST_POSTGRES names no server: eval "$(ci/services start)""#

    private static let administration = Task { () async throws -> PostgresDatabase in
        try await PostgresDatabase.open(try settings(url))
    }

    /// As patient as a machine needs that makes a hundred schemas at once while it does other things: what is no matter of time
    /// has to hold however busy it is.
    static func settings(_ url: String?) throws -> PostgresSettings {
        var settings = try PostgresSettings(url: try #require(url))
        settings["connect_timeout"] = "60"
        settings.patience = .seconds(300)
        settings.statementTime = .seconds(240)
        settings.lockTime = .seconds(120)
        settings.absence = .seconds(60)
        settings.connections = 8
        return settings
    }

    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

    /// Runs `body` with settings that lead to an empty schema, which is there for the time of it.
    static func withSchema(
        _ url: String? = Self.url, _ body: (PostgresSettings) async throws -> Void
    ) async throws {
        let name = "test_\(IDSource().token())"
        var settings = try settings(url)
        settings["options"] = "-c search_path=\(name)"
        try await administer("CREATE SCHEMA \(name)")
        try await whatever({ try await body(settings) }, then: "DROP SCHEMA \(name) CASCADE")
    }

    /// Runs `body` with a database of its own behind a pooler, which knows no schemas; it is left to the server's end.
    static func withDatabase(behind url: String?, _ body: (PostgresSettings) async throws -> Void) async throws {
        let name = "test_\(IDSource().token())"
        var settings = try settings(url)
        settings["dbname"] = name
        try await administer("CREATE DATABASE \(name)")
        try await body(settings)
    }

    /// Runs a statement as who may do everything. Throws `StoreError`.
    static func administer(_ sql: String) async throws {
        _ = try await administration.value.ask(sql)
    }

    private static func whatever(_ body: () async throws -> Void, then sql: String) async throws {
        do {
            try await body()
        } catch {
            try await administer(sql)
            throw error
        }
        try await administer(sql)
    }
}
