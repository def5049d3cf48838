import Access
import Model
import Runtime
import Store

extension SQLTransaction {
    /// Looks at some of what is up for review, and does what is to be done about it.
    func review(_ keys: [ReviewKey], _ rules: CollectionRules) throws(StoreError) -> CollectionResult {
        var result = CollectionResult()
        for (id, digests) in keys.byRepository {
            result.reviewed += digests.count
            if let repository = try repository(id)?.repository {
                result += try review(digests, in: repository, rules)
            } else if try isKept(id) {
                // Deleted, and to be purged or restored: that is for others to decide.
                try reviewLater(digests, in: id)
            } else {
                try dropReviews(digests, in: id)
            }
        }
        return result
    }

    private func review(
        _ digests: [Digest], in repository: Repository, _ rules: CollectionRules
    ) throws(StoreError) -> CollectionResult {
        var verdicts = Verdicts()
        for review in try reviews(of: digests, in: repository.id) where review.isDue(rules, now) {
            if review.manifest == nil, review.hasReferrers, try reviewReferrers(of: review, in: repository) { continue }
            verdicts.add(review, review.verdict(rules, now))
        }
        try dropReviews(verdicts.dropped, in: repository.id)
        try postpone(verdicts.kept, in: repository.id, by: nil)
        try postpone(verdicts.waiting, in: repository.id, by: rules.untagged.map { max(.zero, $0 - rules.half) })
        try mark(verdicts.marked, in: repository.id)
        // What goes comes last: what it named is put up for review, and may just have been dropped as named.
        return try collect(verdicts, from: repository)
    }

    private func collect(_ verdicts: Verdicts, from repository: Repository) throws(StoreError) -> CollectionResult {
        var result = CollectionResult()
        let isChanged = !verdicts.marked.isEmpty || !verdicts.blobs.isEmpty || !verdicts.manifests.isEmpty
        guard isChanged else { return result }
        var usage = UsageChange(begins: false)
        try collect(blobs: verdicts.blobs, manifests: verdicts.manifests, from: repository, counting: &usage)
        try change(repository, usage)
        for review in verdicts.manifests {
            try audit(
                AuditEntry(
                    principal: Principal.system.id, credential: "", address: "", requestID: "",
                    action: "manifest.collect", namespace: repository.namespace, repository: repository.id,
                    subject: "\(repository.name)@\(review.digest)", detail: "untagged since \(review.since.rfc3339)"))
            result.bytes += review.manifest?.size ?? 0
        }
        result.blobs = verdicts.blobs.count
        result.manifests = verdicts.manifests.count
        for review in verdicts.blobs { result.bytes += review.blob?.size ?? 0 }
        return result
    }
}

/// What was decided of things in one repository.
private struct Verdicts {
    var dropped: [Digest] = []
    var kept: [Digest] = []
    var waiting: [Digest] = []
    var marked: [Digest] = []
    var blobs: [Review] = []
    var manifests: [Review] = []
    /// Edges of the manifests that go: what is more than a statement takes stays for the next transaction.
    private var edges: Int64 = 0

    mutating func add(_ review: Review, _ verdict: ReviewVerdict) {
        switch verdict {
        case .drop: dropped.append(review.digest)
        case .postpone(nil): kept.append(review.digest)
        case .postpone: waiting.append(review.digest)
        case .mark: marked.append(review.digest)
        case .collect:
            guard let manifest = review.manifest else { return blobs.append(review) }
            guard manifests.isEmpty || edges + manifest.edges <= Int64(SQLTransaction.setLimit) else { return }
            edges += manifest.edges
            manifests.append(review)
        }
    }
}
