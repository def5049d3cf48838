import Access
import Model
import Runtime
import Store

/// Something that goes, and why.
package struct CollectionCandidate: Sendable {
    let key: ReviewKey
    package let repository: RepositoryName
    package let isManifest: Bool
    /// In bytes.
    package let size: Int64
    /// When it came, or what referred to it went.
    package let since: Timestamp
    /// The earliest moment at which it goes, unless somebody asks for it or refers to it before.
    package let end: Timestamp
    /// Whether a collection now would take it.
    package let isDue: Bool

    package var digest: Digest { key.digest }

    /// For people.
    package var reason: String {
        isManifest ? "no tag, index or subject holds it" : "no manifest of its repository names it"
    }
}

extension Collector {
    /// Most parts of the reviews that one answer reads: most of what is up for review may be needed.
    private static let mostParts = 32

    /// What would go and when, by repository and digest, at most `limit`; and what the next page begins behind, nil on the last.
    /// Changes nothing.
    func preview(
        after last: ReviewKey?, limit: Int
    ) async throws(StoreError) -> (candidates: [CollectionCandidate], next: ReviewKey?) {
        var (found, next, parts) = ([CollectionCandidate](), last, 0)
        repeat {
            let (part, last) = try await store.read { [rules, next] (db) throws(StoreError) in
                let keys = try db.reviewKeys(after: next, limit: limit)
                return (try db.candidates(keys, rules), keys.count == limit ? keys.last : nil)
            }
            found += part
            if found.count > limit { return (Array(found.prefix(limit)), found[limit - 1].key) }
            next = last
            parts += 1
        } while next != nil && found.count < limit && parts < Self.mostParts
        return (found, next)
    }
}

extension SQLTransaction {
    fileprivate func candidates(
        _ keys: [ReviewKey], _ rules: CollectionRules
    ) throws(StoreError) -> [CollectionCandidate] {
        var found: [CollectionCandidate] = []
        for (id, digests) in keys.byRepository {
            guard let repository = try repository(id)?.repository else { continue }
            for review in try reviews(of: digests, in: id) {
                guard let end = review.end(rules, now) else { continue }
                found.append(
                    CollectionCandidate(
                        key: ReviewKey(repository: id, digest: review.digest), repository: repository.name,
                        isManifest: review.manifest != nil, size: review.manifest?.size ?? review.blob?.size ?? 0,
                        since: review.since, end: end, isDue: end <= now))
            }
        }
        return found
    }
}
