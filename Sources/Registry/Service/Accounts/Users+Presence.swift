import Model
import Runtime
import Store

extension Users {
    /// Whether nobody could administer the registry, as nobody can in a new one.
    package func isAdministratorMissing() async throws(RegistryError) -> Bool {
        try await store.look { (db) throws(StoreError) in try db.countAdministrators() == 0 }
    }
}
