import Model
import Runtime

/// What a namespace holds.
package struct NamespaceUsage: Sendable {
    package let name: String
    /// Of manifests and blobs, each blob once.
    package let bytes: Int64
    package let repositories: Int64
}

extension SQLTransaction {
    /// The namespaces with most bytes, largest first; reads all of them, unless `limit` is 0.
    package func largestNamespaces(limit: Int) throws(StoreError) -> [NamespaceUsage] {
        guard limit > 0 else { return [] }
        return try rows(
            """
            SELECT name, blob_bytes + manifest_bytes, repositories FROM namespaces WHERE deleted_at IS NULL
            ORDER BY 2 DESC, name LIMIT $1
            """, [.integer(Int64(limit))]
        ).map { (row) throws(StoreError) in
            NamespaceUsage(name: try row.text(0), bytes: try row.integer(1), repositories: try row.integer(2))
        }
    }
}
