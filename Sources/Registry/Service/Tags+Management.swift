import Access
import Model
import Runtime
import Store

/// A tag, as it is shown.
package struct TagInfo: Sendable {
    package let details: TagDetails
    package let platforms: [PlatformRecord]
    /// Who pointed it there; nil where that is forgotten.
    package let movedBy: String?
}

/// A move of a tag, as it is shown.
package struct TagMoveInfo: Sendable {
    package let move: TagMove
    package let by: String
}

extension Tags {
    /// Most platforms that a page tells.
    private static let mostPlatforms = 5000

    /// Tags with all that is known of them, in byte order.
    package func details(
        containing part: String, _ request: PageRequest, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> (tags: [TagInfo], next: String?) {
        try grant.demand(.pull)
        let (repository, limit) = (grant.target, request.count(atMost: 1000))
        return try await store.look { (db) throws(StoreError) in
            let found = try db.tagDetails(of: repository, containing: part, after: request.last, limit: limit + 1)
            let page = Array(found.prefix(limit))
            return (try db.shown(page, limit: Self.mostPlatforms), found.count > limit ? page.last?.name : nil)
        }
    }

    /// A tag. Throws `.manifestUnknown`.
    package func get(_ tag: Tag, _ grant: RepositoryGrant) async throws(RegistryError) -> TagInfo {
        try grant.demand(.pull)
        let repository = grant.target
        let found = try await store.look { (db) throws(StoreError) in
            try db.tagDetails(tag, of: repository).map { (details) throws(StoreError) in
                try db.shown([details], limit: Self.mostPlatforms)
            }
        }
        guard let found = found?.first else { throw .unknown(tag, in: repository) }
        return found
    }

    /// What is remembered of a tag's moves, newest first, also of one that was deleted. Throws `.manifestUnknown`.
    package func history(_ tag: Tag, _ grant: RepositoryGrant) async throws(RegistryError) -> [TagMoveInfo] {
        try grant.demand(.pull)
        let repository = grant.target
        let found = try await store.look { (db) throws(StoreError) in
            let moves = try db.history(of: tag, in: repository)
            let names = try db.names(of: Set(moves.map(\.principal)))
            return moves.map { TagMoveInfo(move: $0, by: $0.principal.shown(names)) }
        }
        guard !found.isEmpty else { throw .unknown(tag, in: repository) }
        return found
    }

    /// Points a tag to a manifest that the repository has, such as one that it pointed to before. Throws `.manifestUnknown`.
    package func restore(_ tag: Tag, to digest: Digest, _ grant: RepositoryGrant) async throws(RegistryError) -> TagInfo
    {
        try grant.demand(.push)
        let (repository, principal) = (grant.target, grant.caller.principal.id)
        let found = try await store.transact { (db) throws(StoreError) -> Result<[TagInfo], Refusal> in
            try db.hold(grant)
            guard try db.point(tag, to: digest, in: repository, by: principal) else {
                return .failure(
                    RegistryError(
                        .manifestUnknown, "\(repository.name) has no manifest \(digest) any more",
                        detail: ["name": repository.name.description]))
            }
            try db.audit(
                AuditEntry(
                    grant, "tag.restore", "\(repository.name):\(tag)", in: repository.namespace, repository.id,
                    detail: digest.description))
            let details = try db.tagDetails(tag, of: repository).map { [$0] } ?? []
            return .success(try db.shown(details, limit: Self.mostPlatforms))
        }
        guard let tag = found.first else { throw .unknown(tag, in: repository) }
        return tag
    }
}

extension SQLTransaction {
    fileprivate func shown(_ tags: [TagDetails], limit: Int) throws(StoreError) -> [TagInfo] {
        let platforms = try platforms(of: tags.map(\.manifest), limit: limit)
        let names = try names(of: Set(tags.compactMap(\.principal)))
        return tags.map { details in
            TagInfo(
                details: details, platforms: platforms[details.manifest] ?? [],
                movedBy: details.principal?.shown(names))
        }
    }
}

extension PrincipalID {
    /// A name, of these, or what stands for who has none.
    func shown(_ names: [PrincipalID: String]) -> String {
        names[self] ?? (self == Principal.anonymous.id ? "anonymous" : "system")
    }
}

extension RegistryError {
    fileprivate static func unknown(_ tag: Tag, in repository: Repository) -> RegistryError {
        RegistryError(
            .manifestUnknown, "\(repository.name) has no tag \(tag): check the name, or push it first",
            detail: ["name": repository.name.description])
    }
}
