import Model
import Runtime

/// How much there is of all, or how much more or less there is.
package struct Totals: Sendable, Equatable {
    package var users: Int64 = 0
    package var organizations: Int64 = 0
    /// Those that were deleted and can be restored among them.
    package var repositories: Int64 = 0
    /// Of manifests and blobs, each blob once a namespace.
    package var bytes: Int64 = 0
    /// In progress.
    package var uploads: Int64 = 0

    /// Nothing.
    package init() {}

    /// Rows that the sums are spread over: each change goes to one of them by chance, so that writers at once are hardly in
    /// each other's way.
    static let buckets = 256
}

extension SQLTransaction {
    /// How much there is, from sums that are kept where it changes. Of repositories and bytes, those of namespaces that are there.
    package func totals() throws(StoreError) -> Totals {
        let row = try rows(
            """
            SELECT CAST(SUM(users) AS BIGINT), CAST(SUM(organizations) AS BIGINT), CAST(SUM(repositories) AS BIGINT),
                CAST(SUM(bytes) AS BIGINT), CAST(SUM(uploads) AS BIGINT) FROM totals
            """, []
        ).first
        var totals = Totals()
        guard let row else { return totals }
        totals.users = try row.integer(0)
        totals.organizations = try row.integer(1)
        totals.repositories = try row.integer(2)
        totals.bytes = try row.integer(3)
        totals.uploads = try row.integer(4)
        return totals
    }

    /// Adds to the sums. What is of a namespace that was removed was taken off with it.
    func add(_ change: Totals, of namespace: NamespaceID? = nil) throws(StoreError) {
        guard change != Totals() else { return }
        let place: TotalID = newID()
        let condition =
            namespace == nil ? "" : "AND EXISTS (SELECT 1 FROM namespaces WHERE id = $7 AND deleted_at IS NULL)"
        try execute(
            """
            UPDATE totals SET users = users + $2, organizations = organizations + $3, repositories = repositories + $4,
                bytes = bytes + $5, uploads = uploads + $6 WHERE bucket = $1 \(condition)
            """,
            [
                .integer(place.value & Int64(Totals.buckets - 1)), .integer(change.users),
                .integer(change.organizations),
                .integer(change.repositories), .integer(change.bytes), .integer(change.uploads),
            ] + (namespace.map { [SQLValue($0)] } ?? []))
    }

    /// Counts a namespace that is made, given to somebody or removed: `sign` is 1 or -1.
    func add(_ kind: Namespace.Kind, _ sign: Int64) throws(StoreError) {
        var change = Totals()
        switch kind {
        case .user: change.users = sign
        case .organization: change.organizations = sign
        case .open: return
        }
        try add(change)
    }

    /// Counts repositories that were made in a namespace, or are gone.
    func addRepositories(_ count: Int64, in namespace: NamespaceID) throws(StoreError) {
        var change = Totals()
        change.repositories = count
        try add(change, of: namespace)
    }

    /// Counts uploads that begin, or end.
    func addUploads(_ count: Int) throws(StoreError) {
        var change = Totals()
        change.uploads = Int64(count)
        try add(change)
    }
}
