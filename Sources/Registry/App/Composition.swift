import Access
import FilesDriver
import HTTP
import Logging
import Model
import PostgresDriver
import RedisDriver
import Runtime
import S3Driver
import SMTPDriver
import SQLiteDriver
import Service
import Store

/// The registry of a data directory, opened: what `serve` serves, and what commands work on where no server runs. One process
/// has it at a time.
struct Composition {
    let data: DataDirectory
    let registry: Registry
    let accounts: Accounts
    private let isOpen: Bool
    private let http: HTTPSettings
    private let log: Logger

    /// Opens or makes what is in the directory. Throws `StoreError`, `RegistryError`.
    init(_ plan: Plan) async throws {
        data = try DataDirectory(path: plan.data)
        (isOpen, http, log) = (plan.isOpen, plan.http, plan.log)
        let store = if let database = plan.database { try await Self.open(database) } else { try await Self.open(data) }
        let known = try await store.read { (db) throws(StoreError) in try db.blobStore() }
        let (blobs, id) = try await Self.openBlobs(plan, data, known)
        if known == nil { try await store.write { (db) throws(StoreError) in try db.keepBlobStore(id) } }
        var limits = plan.limits
        // What anybody pushed to an open registry anybody may see.
        limits.visibility = isOpen ? .open : plan.visibility
        let sharing = try await Self.share(plan, store)
        registry = Registry(store: store, blobs: blobs, sharing: sharing, limits: limits, log: log)
        accounts = Accounts(
            store, passwords: try PasswordHasher(cost: plan.passwordCost), mail: plan.mail.map { SMTPTransport($0) },
            sharing: sharing, settings: plan.accounts, log: log)
        // What it finds is told by the log and by `readyz`: blobs that are mounted late are no reason to end.
        await registry.look()
        if !isOpen { try await accounts.tokens.renew() }
    }

    /// The store in a data directory. Throws `StoreError`.
    private static func open(_ data: DataDirectory) async throws -> MetadataStore {
        // Before the database takes its room, and before anybody can fill the disk.
        let ballast = Ballast(path: data.ballast)
        await ballast.refill()
        let database = try SQLiteDatabase(path: data.database)
        try await Schema.migrate(database)
        try data.sync()
        return MetadataStore(database, reserve: ballast)
    }

    /// The blobs, and the id of their store. Throws `StoreError`, `ConfigurationError`.
    private static func openBlobs(
        _ plan: Plan, _ data: DataDirectory, _ known: String?
    ) async throws -> (any BlobStore, id: String) {
        guard let s3 = plan.s3 else {
            let blobs = try FileBlobStore(directory: data.blobs, id: known)
            return (blobs, blobs.id)
        }
        do throws(StoreError) {
            let blobs = try await S3BlobStore.open(s3.store, credentials: s3.credentials, id: known)
            return (blobs, blobs.id)
        } catch {
            throw ConfigurationError(
                description: "cannot use the bucket at \(s3.store.description): \(error.cause)", exitCode: 1)
        }
    }

    /// The store in a PostgreSQL, which other nodes may use, too. Throws `ConfigurationError`.
    private static func open(_ settings: PostgresSettings) async throws -> MetadataStore {
        do throws(StoreError) {
            let database = try await PostgresDatabase.open(settings)
            try await Schema.migrate(database)
            return MetadataStore(database, versions: GuessedVersions(PostgresVersions(database)))
        } catch {
            throw ConfigurationError(
                description: "cannot use the database at \(settings.description): \(error.cause)", exitCode: 1)
        }
    }

    /// What is shared with other nodes, where that is meant; a Redis that is away is waited for by nobody. Throws `StoreError`.
    private static func share(_ plan: Plan, _ store: MetadataStore) async throws -> Sharing? {
        guard let redis = plan.redis else { return nil }
        let (log, place) = (plan.log, redis.description)
        let cache = await RedisCache.open(redis) { fault in
            if let fault {
                log.warning("Redis is away: this node works without", metadata: ["cause": "\(fault.cause)"])
            } else {
                log.notice("Redis is there", metadata: ["redis": "\(place)"])
            }
        }
        if let fault = cache.fault {
            log.warning("Redis is away: this node works without", metadata: ["cause": "\(fault.cause)"])
        }
        return try await Sharing.open(cache, of: store, log)
    }

    /// What answers those who come from outside.
    var application: Application {
        Application(
            registry: registry, accounts: accounts,
            authenticator: isOpen ? FixedAuthenticator.open : accounts.logins, policy: isOpen ? .open : .accounts,
            settings: http, log: log)
    }

    /// What answers who watches: whoever sends this token, or anybody without one.
    func watchingApplication(_ token: String?, _ page: @escaping MetricsPage) -> Application {
        let authenticator: any Authenticator =
            if let token { BearerAuthenticator(token: token) } else { FixedAuthenticator.system }
        return Application(
            registry: registry, accounts: accounts, authenticator: authenticator, policy: .accounts, settings: http,
            metrics: page, log: log)
    }

    /// What answers who runs the machine.
    var localApplication: Application {
        Application(
            registry: registry, accounts: accounts, authenticator: FixedAuthenticator.system, policy: .accounts,
            settings: http, log: log)
    }
}
