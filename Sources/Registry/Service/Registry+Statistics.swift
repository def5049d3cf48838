import Access
import Model
import Runtime
import Store

/// How much there is.
package struct Statistics: Sendable {
    package let users: Int64
    package let organizations: Int64
    package let repositories: Int64
    /// Of manifests and blobs, each blob once a namespace.
    package let bytes: Int64
    package let uploads: Int64
}

/// A part of the registry that can fail by itself.
package struct Component: Sendable {
    package let name: String
    /// What is wrong; nil where it works.
    package let fault: String?
}

extension Registry {
    /// How much there is, from the counters of the namespaces.
    package func statistics(_ grant: RegistryGrant) async throws(RegistryError) -> Statistics {
        try grant.demand(.administer)
        return try await store.look { (db) throws(StoreError) in
            let totals = try db.totals()
            return Statistics(
                users: totals.users, organizations: totals.organizations, repositories: totals.repositories,
                bytes: totals.bytes, uploads: totals.uploads)
        }
    }

    /// Whether the database and the blobs can be used.
    package func components() async -> [Component] {
        [
            Component(name: "database", fault: await fault { () throws(StoreError) in try await store.check() }),
            Component(name: "blobs", fault: await fault { () throws(StoreError) in try await blobs.check() }),
        ]
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
