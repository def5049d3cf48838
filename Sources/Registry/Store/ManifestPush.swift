import Model
import Runtime

/// One push of a manifest, as it is carried out in a transaction.
package struct ManifestPush: Sendable {
    /// How it ended.
    package enum Outcome: Sendable {
        case stored
        /// The repository lacks these.
        case missing([Digest])
        /// The manifest tells another size or type of what the repository has.
        case disagrees([Disagreement])
        /// The tags are not what the precondition asks for.
        case preconditionFailed
    }

    package let manifest: NewManifest
    /// What it says.
    package let content: Manifest
    /// Each once.
    let tags: [Tag]
    /// Whether the repository may lack what the manifest refers to.
    let isSparse: Bool
    let precondition: Precondition
    package let repository: Repository
    let principal: PrincipalID

    /// A push of a manifest with these tags, each of which is named once.
    package init(
        manifest: NewManifest, _ content: Manifest, tags: [Tag], isSparse: Bool, precondition: Precondition,
        repository: Repository, principal: PrincipalID
    ) {
        self.manifest = manifest
        self.content = content
        self.tags = tags
        self.isSparse = isSparse
        self.precondition = precondition
        self.repository = repository
        self.principal = principal
    }

    /// Why the manifest cannot be taken, by what the repository has of what it refers to; nil when it can.
    package func refusal(_ db: SQLTransaction) throws(StoreError) -> Outcome? {
        let known = try db.known(content.required, in: repository, orManifests: content.kind == .index)
        let missing = isSparse ? [] : content.required.filter { known[$0] == nil }
        guard missing.isEmpty else { return .missing(missing) }
        let disagreements = content.disagreements(with: known)
        return disagreements.isEmpty ? nil : .disagrees(disagreements)
    }

    /// All or nothing. Of a large manifest `version` is the repository's when there was no refusal, and `staged` the key
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
        if isLookedUp != true, let refusal = try refusal(db) { return refusal }
        var usage = UsageChange(begins: true)
        let id = try db.keep(manifest, in: repository, as: known, staged: staged, counting: &usage)
        try db.point(tags, to: id, manifest.digest, in: repository, by: principal, from: targets, counting: &usage)
        try db.change(repository, usage)
        return .stored
    }
}
