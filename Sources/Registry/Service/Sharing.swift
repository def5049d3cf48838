import Crypto
import Logging
import Runtime
import Store

/// What this process shares with the other nodes beside the truth. None of it is needed: where it is away, each node works by
/// itself.
package struct Sharing: Sendable {
    package let counters: SharedCounters
    let cache: any SharedCache
    let content: SharedContent

    /// What is shared by this cache; nodes that have one store have one secret, by which nobody else can tell what is counted.
    /// Throws `StoreError`.
    package static func open(
        _ cache: any SharedCache, of store: MetadataStore, _ log: Logger
    ) async throws(StoreError) -> Sharing {
        let known = try await store.read { (db) throws(StoreError) in try db.secret(purpose) }
        let secret: [UInt8]
        if let known {
            secret = known
        } else {
            secret = try await store.write { (db) throws(StoreError) in try db.makeSecret(purpose) }
        }
        return Sharing(
            counters: SharedCounters(cache, secret: SymmetricKey(data: secret)), cache: cache,
            content: SharedContent(cache, log))
    }

    private static let purpose = "shared counters"
}

extension SQLTransaction {
    fileprivate func secret(_ purpose: String) throws(StoreError) -> [UInt8]? {
        try signingKeys(purpose).last?.secret
    }

    /// That of whoever was first.
    fileprivate func makeSecret(_ purpose: String) throws(StoreError) -> [UInt8] {
        if let known = try secret(purpose) { return known }
        let secret = SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        try addSigningKey(IDSource().token(), secret, purpose, retiringOthersAt: now)
        return secret
    }
}
