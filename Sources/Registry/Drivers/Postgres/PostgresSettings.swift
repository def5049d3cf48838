import CLibPQ
import Glibc
import Runtime

/// How the database is reached, and how long things may take.
package struct PostgresSettings: Sendable {
    /// Between this process and the server.
    package enum Pooling: String, Sendable, CaseIterable {
        /// Nothing, or a pooler that gives a connection a server of its own for as long as it lives.
        case session
        /// A pooler that gives a server for the time of a transaction: nothing is kept on a connection, no statement is prepared.
        case transaction
    }

    /// Keywords of libpq and their values.
    private var parameters: [String: String] = [:]
    /// Most connections of this process.
    package var connections = 12
    package var pooling = Pooling.session
    /// How long a transaction may take in all, with what it waits for.
    package var patience: Duration = .seconds(30)
    /// How long the server may work on one statement (`statement_timeout`).
    package var statementTime: Duration = .seconds(10)
    /// How long a statement may wait for others (`lock_timeout`).
    package var lockTime: Duration = .seconds(5)
    /// How long a server that is away is waited for before that is told.
    package var absence: Duration = .seconds(5)

    /// Reads `postgresql://user:password@host:port/database?parameter=value…`, or libpq's `keyword=value …`. Throws `.unavailable`
    /// for what is neither; what stands in it is not told, as it may be a password.
    package init(url: String = "") throws(StoreError) {
        guard !url.isEmpty else { return }
        guard let options = PQconninfoParse(url, nil) else {
            throw StoreError(
                .unavailable, "it is not a URL such as postgresql://user@host:5432/database?sslmode=verify-full")
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parameters[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
    }

    /// A parameter by libpq's keyword, such as `host`; nil where it is not set.
    package subscript(keyword: String) -> String? {
        get { parameters[keyword] }
        set { parameters[keyword] = newValue }
    }

    /// For logs: never has a password in it.
    package var description: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? ProcessEnvironment.value("PGHOST") ?? "local socket"
        let database = parameters["dbname"] ?? ProcessEnvironment.value("PGDATABASE") ?? ""
        return "\(host)\(parameters["port"].map { ":\($0)" } ?? "")/\(database)"
    }

    /// Whether passwords and content may cross a network that anybody could listen to or pose as the server in.
    package var isExposed: Bool {
        let mode = parameters["sslmode"] ?? ProcessEnvironment.value("PGSSLMODE") ?? "prefer"
        let hosts = (parameters["host"] ?? ProcessEnvironment.value("PGHOST") ?? "").split(separator: ",")
        let isLocal = hosts.allSatisfy { $0.hasPrefix("/") || ["localhost", "127.0.0.1", "::1"].contains($0) }
        return mode != "verify-full" && !(isLocal && parameters["hostaddr"] == nil)
    }

    /// What libpq is given: what was set, and what it should be where nothing was.
    var keywords: [(name: String, value: String)] {
        var all = parameters
        let standard = [
            "connect_timeout": "3", "application_name": "aerugo", "client_encoding": "UTF8",
            // Of several hosts the one that takes writes.
            "target_session_attrs": "read-write",
            // A peer that went without a word is noticed within half a minute.
            "keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000",
        ]
        for (name, value) in standard where all[name] == nil { all[name] = value }
        // What was negotiated at the start must be what texts are in.
        all["client_encoding"] = "UTF8"
        if all["sslmode"]?.hasPrefix("verify-") == true, all["sslrootcert"] == nil,
            ProcessEnvironment.value("PGSSLROOTCERT") == nil, access(Self.systemRoots, R_OK) == 0
        {
            all["sslrootcert"] = Self.systemRoots
        }
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private static let systemRoots = "/etc/ssl/certs/ca-certificates.crt"
}

/// The environment as libpq sees it.
private enum ProcessEnvironment {
    static func value(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
