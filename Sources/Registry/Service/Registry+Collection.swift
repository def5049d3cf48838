import Access
import Model
import Runtime
import Store

extension Registry {
    /// Most that one request has looked at.
    private static let mostReviewed = 20_000

    /// Collects now what is due; `isDone` where nothing more is.
    package func collect(
        _ grant: RegistryGrant
    ) async throws(RegistryError) -> (result: CollectionResult, isDone: Bool) {
        try grant.demand(.administer)
        let result = try await storing { () throws(StoreError) in
            try await collector.pass(isLeading: false, limit: Self.mostReviewed)
        }
        return (result, result.reviewed < Self.mostReviewed)
    }

    /// What would go, and when and why: some of a page may be left to the next one. Throws `.paginationInvalid`.
    package func collectable(
        _ request: PageRequest, _ grant: RegistryGrant
    ) async throws(RegistryError) -> (candidates: [CollectionCandidate], next: String?) {
        try grant.demand(.administer)
        let (last, limit) = (try request.lastReview(), max(1, request.count(atMost: 1000)))
        let (found, next) = try await storing { () throws(StoreError) in
            try await collector.preview(after: last, limit: limit)
        }
        return (found, next.map { "\($0.repository.value):\($0.digest)" })
    }
}

extension PageRequest {
    /// What was looked at before the first one wanted. Throws `.paginationInvalid` for what names nothing.
    fileprivate func lastReview() throws(RegistryError) -> ReviewKey? {
        guard !last.isEmpty else { return nil }
        let parts = last.split(separator: ":", maxSplits: 1)
        if parts.count == 2, parts[0].allSatisfy({ ("0"..."9").contains($0) }) {
            do throws(ParseError) {
                // A number too large for an id lies behind all of them.
                let repository = RepositoryID(Int64(parts[0]) ?? .max)
                return ReviewKey(repository: repository, digest: try Digest.parse(String(parts[1])))
            } catch {}
        }
        throw RegistryError(.paginationInvalid, "after is `next` of the page before", detail: ["field": "after"])
    }
}
