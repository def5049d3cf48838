import Model
import Runtime

extension SQLTransaction {
    /// Puts an object on the list of what the sweeper removes.
    func retire(_ key: StorageKey) throws(StoreError) {
        try execute(
            "INSERT INTO removals (storage_key, added_at) VALUES ($1, $2) ON CONFLICT (storage_key) DO NOTHING",
            [.text(key.description), SQLValue(now)])
    }

    /// The same for several.
    func retire(_ keys: [StorageKey]) throws(StoreError) {
        try execute(for: keys, shared: [SQLValue(now)]) {
            [.text($0.description)]
        } _: { list in
            """
            INSERT INTO removals (storage_key, added_at)
            SELECT key.column1, $1 FROM (VALUES \(list)) AS key WHERE true ON CONFLICT (storage_key) DO NOTHING
            """
        }
    }

    /// Keys of objects that nothing refers to any more, in their order: at most `limit` of those behind `last`.
    package func removals(after last: StorageKey? = nil, limit: Int) throws(StoreError) -> [StorageKey] {
        try rows(
            "SELECT storage_key FROM removals WHERE storage_key > $1 ORDER BY storage_key LIMIT $2",
            [.text(last?.description ?? ""), SQLValue(limit)]
        ).texts().map(StorageKey.init)
    }

    /// Forgets keys whose objects have been removed.
    package func forget(_ keys: [StorageKey]) throws(StoreError) {
        try execute(for: keys) {
            [.text($0.description)]
        } _: { list in
            "DELETE FROM removals WHERE storage_key IN (VALUES \(list))"
        }
    }
}
