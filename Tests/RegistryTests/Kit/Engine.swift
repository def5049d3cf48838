import Foundation
import PostgresDriver
import Runtime
import SQLiteDriver
import Service
import Store

/// What keeps the metadata of a test's registry: SQLite in memory, or with AERUGO_TEST_ENGINE=postgres an empty schema of the server
/// that AERUGO_TEST_POSTGRES names, so that all that is tested over HTTP can be tried on both.
enum Engine {
    static let isPostgres = variable("AERUGO_TEST_ENGINE") == "postgres"

    private static let administration = Task { () async throws -> PostgresDatabase in
        try await PostgresDatabase.open(try settings())
    }

    /// An empty database, and versions as a node of it has them.
    static func empty() async throws -> (database: any SQLDatabase, versions: any Versions) {
        guard isPostgres else { return (try SQLiteDatabase(path: nil), EmbeddedVersions()) }
        return try await node(of: try await schema())
    }

    /// A schema of its own, which is left to the server's end.
    static func schema() async throws -> String {
        let name = "test_\(IDSource().token())"
        _ = try await administration.value.ask("CREATE SCHEMA \(name)")
        return name
    }

    /// A node on a schema, as others may be.
    static func node(of schema: String) async throws -> (database: any SQLDatabase, versions: any Versions) {
        var settings = try settings()
        settings["options"] = "-c search_path=\(schema)"
        settings.connections = 6
        let database = try await PostgresDatabase.open(settings)
        return (database, GuessedVersions(PostgresVersions(database)))
    }

    /// As patient as a machine needs that makes hundreds of schemas at once while it does other things.
    private static func settings() throws -> PostgresSettings {
        var settings = try PostgresSettings(
            url: variable("AERUGO_TEST_POSTGRES") ?? "postgresql:///none?host=/nowhere")
        settings["connect_timeout"] = "60"
        settings.patience = .seconds(300)
        settings.statementTime = .seconds(240)
        settings.lockTime = .seconds(120)
        settings.absence = .seconds(60)
        return settings
    }

    static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
