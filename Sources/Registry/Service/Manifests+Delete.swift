import Access
import Model
import Runtime
import Store

extension Manifests {
    /// Removes a tag, or a manifest with its tags. Throws `.manifestUnknown`, `.nameUnknown`, `.methodNotAllowed`,
    /// `.preconditionFailed`.
    package func delete(
        _ reference: Reference, if precondition: Precondition = Precondition(), _ grant: RepositoryGrant
    ) async throws(RegistryError) {
        try grant.demand(.delete)
        guard limits.deletes else { throw Registry.deletesOff }
        let (repository, principal) = (grant.target, grant.caller.principal.id)
        var outcome: ManifestRemoval
        repeat {
            // A part at a time, so that others get their turns.
            outcome = try await store.remove(by: grant) { (db) throws(StoreError) in
                try db.remove(reference, from: repository, if: precondition, by: principal)
            }
        } while outcome == .begun
        switch outcome {
        case .removed, .begun: return
        case .missing: throw try await missing(reference, in: repository)
        case .preconditionFailed: throw Self.moved
        }
    }
}
