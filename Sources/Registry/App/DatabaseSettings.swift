import Foundation
import Logging
import PostgresDriver
import Runtime

extension PostgresSettings {
    /// How PostgreSQL is reached; nil where none is named. Throws `ConfigurationError`, which never has a password in it.
    static func of(_ settings: Settings) throws -> PostgresSettings? {
        let (url, host) = (settings.string("database.url"), settings.string("database.host"))
        guard !url.isEmpty || !host.isEmpty else {
            let orphan = ["port", "name", "user", "password-file", "sslmode", "sslrootcert"].map { "database.\($0)" }
                .first { !settings.string($0).isEmpty }
            if let orphan {
                throw ConfigurationError(
                    description:
                        "\(orphan) says something of a database that is not named: set database.url or database.host")
            }
            return nil
        }
        var database: PostgresSettings
        do throws(StoreError) {
            database = try PostgresSettings(url: url)
        } catch {
            throw ConfigurationError(description: "database.url cannot be used: \(error.cause)")
        }
        for (key, keyword) in [
            ("host", "host"), ("port", "port"), ("name", "dbname"), ("user", "user"), ("sslmode", "sslmode"),
            ("sslrootcert", "sslrootcert"),
        ] {
            let value = settings.string("database.\(key)")
            if !value.isEmpty { database[keyword] = value }
        }
        if let ports = database["port"], !ports.split(separator: ",").allSatisfy({ UInt16($0) != nil }) {
            throw ConfigurationError(description: "the port in database.url or database.port is no number")
        }
        if let password = try settings.secret("database.password-file") { database["password"] = password }
        database.connections = try settings.number("database.connections", in: 2...1000)
        guard let pooling = Pooling(rawValue: settings.string("database.pooling")) else {
            throw settings.wrong("database.pooling", Pooling.allCases.map(\.rawValue).joined(separator: " or "))
        }
        database.pooling = pooling
        return database
    }

    /// Tells an operator of who could listen.
    func warn(_ log: Logger) {
        guard isExposed else { return }
        log.warning(
            "the database is reached over a network without knowing that it is the right one: set database.sslmode to verify-full",
            metadata: ["database": "\(description)"])
    }
}
