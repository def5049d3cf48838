import Model
import Runtime

/// One push of a manifest, as it is carried out in a transaction.
package struct ManifestPush: Sendable {
    /// How it ended.
    package enum Outcome: Sendable {
        case stored
        /// The repository lacks these.
        case missing([Digest])
        /// The tags are not what the precondition asks for.
        case preconditionFailed
    }

    package let manifest: NewManifest
    /// Each once.
    let tags: [Tag]
    /// What the repository must have: blobs, or for an index manifests or blobs.
    package let required: [Digest]
    let isIndex: Bool
    let precondition: Precondition
    package let repository: Repository
    let principal: PrincipalID

    /// A push of a manifest with these tags, each of which is named once.
    package init(
        manifest: NewManifest, tags: [Tag], required: [Digest], isIndex: Bool, precondition: Precondition,
        repository: Repository, principal: PrincipalID
    ) {
        self.manifest = manifest
        self.tags = tags
        self.required = required
        self.isIndex = isIndex
        self.precondition = precondition
        self.repository = repository
        self.principal = principal
    }

    /// What of `required` the repository lacks.
    package func missing(_ db: SQLTransaction) throws(StoreError) -> [Digest] {
        try db.lacking(required, in: repository, orManifests: isIndex)
    }

    /// All or nothing. Of a large manifest `version` is the repository's when `missing` was empty, and `staged` the key
    /// under which its edges are there already.
    package func carryOut(
        _ db: SQLTransaction, lookedUpAt version: Int64? = nil, staged: ManifestID? = nil
    ) throws(StoreError) -> Outcome {
        let known = try db.find(.digest(manifest.digest), in: repository)?.id
        let targets = try db.targets(of: tags, in: repository)
        let own = known == nil ? nil : manifest.digest
        let current = tags.isEmpty ? [own] : tags.map { targets[$0.description]?.digest }
        guard current.allSatisfy(precondition.holds) else { return .preconditionFailed }
        let isLookedUp = try version.map { (version) throws(StoreError) in try version == db.version(of: repository) }
        if isLookedUp != true {
            let missing = try missing(db)
            guard missing.isEmpty else { return .missing(missing) }
        }
        var usage = UsageChange(begins: true)
        let id = try db.keep(manifest, in: repository, as: known, staged: staged, counting: &usage)
        try db.point(tags, to: id, manifest.digest, in: repository, by: principal, from: targets)
        try db.change(repository, usage)
        return .stored
    }
}
