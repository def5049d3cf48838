import Access
import FilesDriver
import HTTP
import Logging
import Model
import Runtime
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
        // Before the database takes its room, and before anybody can fill the disk.
        let ballast = Ballast(path: data.ballast)
        await ballast.refill()
        let database = try SQLiteDatabase(path: data.database)
        try await Schema.migrate(database)
        try data.sync()
        let store = MetadataStore(database, reserve: ballast)
        let known = try await store.read { (db) throws(StoreError) in try db.blobStore() }
        let blobs = try FileBlobStore(directory: data.blobs, id: known)
        if known == nil { try await store.write { (db) throws(StoreError) in try db.keepBlobStore(blobs.id) } }
        var limits = plan.limits
        // What anybody pushed to an open registry anybody may see.
        limits.visibility = isOpen ? .open : plan.visibility
        registry = Registry(store: store, blobs: blobs, limits: limits, log: log)
        accounts = Accounts(
            store, passwords: try PasswordHasher(cost: plan.passwordCost), settings: plan.accounts, log: log)
        // What it finds is told by the log and by `readyz`: blobs that are mounted late are no reason to end.
        await registry.look()
        if !isOpen { try await accounts.tokens.renew() }
    }

    /// What answers those who come from outside.
    var application: Application {
        Application(
            registry: registry, accounts: accounts,
            authenticator: isOpen ? FixedAuthenticator.open : accounts.logins, policy: isOpen ? .open : .accounts,
            settings: http, log: log)
    }

    /// What answers who runs the machine.
    var localApplication: Application {
        Application(
            registry: registry, accounts: accounts, authenticator: FixedAuthenticator.system, policy: .accounts,
            settings: http, log: log)
    }
}
