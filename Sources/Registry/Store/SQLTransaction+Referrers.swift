import Model
import Runtime

extension SQLTransaction {
    /// Manifests whose subject is `subject`, by digest after `last`, of one artifact type, if given; and whether there are
    /// more. At most `limit`, and one or as many as have `budget` bytes in all: what they say of themselves is in memory.
    package func referrers(
        of subject: Digest, in repository: Repository, artifactType: String?, after last: Digest?, limit: Int,
        budget: Int64
    ) throws(StoreError) -> (found: [Referrer], hasMore: Bool) {
        func list(_ columns: String, limit: Int) throws(StoreError) -> [SQLRow] {
            try rows(
                """
                SELECT digest, size, \(columns) FROM manifests
                WHERE repository_id = $1 AND subject = $2 AND digest > $3
                \(artifactType == nil ? "" : "AND artifact_type = $5") ORDER BY digest LIMIT $4
                """,
                [
                    SQLValue(repository.id), SQLValue(subject), .bytes(last?.compact ?? []), SQLValue(limit),
                ] + (artifactType.map { [.text($0)] } ?? []))
        }
        let sizes = try list("1", limit: limit + 1).map { (row) throws(StoreError) in try row.integer(1) }
        var (count, sum) = (0, Int64(0))
        while count < min(limit, sizes.count), count == 0 || sum + sizes[count] <= budget {
            sum += sizes[count]
            count += 1
        }
        var referrers: [Referrer] = []
        for row in try list("media_type, artifact_type, annotations", limit: count) {
            referrers.append(
                Referrer(
                    digest: try row.digest(0), mediaType: try row.text(2), size: try row.integer(1),
                    artifactType: try row.optionalText(3), annotations: try row.text(4)))
        }
        return (referrers, count < sizes.count)
    }
}
