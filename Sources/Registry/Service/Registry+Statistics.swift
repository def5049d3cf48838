import Access
import Model
import Runtime
import Store

/// A part of the registry that can fail by itself.
package struct Component: Sendable {
    package let name: String
    /// What is wrong; nil where it works.
    package let fault: String?
}

extension Registry {
    /// How much there is, from sums that are kept.
    package func statistics(_ grant: RegistryGrant) async throws(RegistryError) -> Totals {
        try grant.demand(.administer)
        return try await store.look { (db) throws(StoreError) in try db.totals() }
    }

    /// Whether the database, the blobs and what is shared can be used. Without the last the registry is ready all the same.
    package func components() async -> [Component] {
        let shared = sharing.map(\.cache)
        return [
            Component(
                name: "database (\(store.engine))",
                fault: await fault { () throws(StoreError) in try await store.check() }),
            Component(
                name: "blobs (\(blobs.engine))",
                fault: await fault { () throws(StoreError) in try await blobs.check() }),
        ]
            + (shared == nil
                ? []
                : [
                    Component(
                        name: "cache (\(shared?.engine ?? ""))",
                        fault: await fault { () throws(StoreError) in try await shared?.check() })
                ])
    }

    private func fault(_ check: () async throws(StoreError) -> Void) async -> String? {
        do throws(StoreError) {
            try await check()
            return nil
        } catch {
            return error.cause
        }
    }
}
