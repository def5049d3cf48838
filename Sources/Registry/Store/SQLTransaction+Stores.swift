import Model
import Runtime

extension SQLTransaction {
    /// The id of the blob store that belongs to this database; nil before there was one.
    package func blobStore() throws(StoreError) -> String? {
        try rows("SELECT id FROM blob_stores ORDER BY created_at LIMIT 1", []).first?.text(0)
    }

    /// Notes which blob store belongs to this database, once and for all.
    package func keepBlobStore(_ id: String) throws(StoreError) {
        try execute(
            "INSERT INTO blob_stores (id, created_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            [.text(id), SQLValue(now)])
    }
}
