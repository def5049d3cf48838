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

    /// More logical bytes than a manifest may have: 64 TiB. So many of these as tags can be moved at once are no overflow.
    static let mostLogicalBytes: Int64 = 1 << 46

    /// What the repository has of what the manifest refers to.
    package struct Look: Sendable {
        /// Why the manifest cannot be taken; nil when it can.
        package let refusal: Outcome?
        /// Of the manifest, and of each thing that it refers to and that is there, once.
        let logicalBytes: Int64
    }

    /// Looks up what the manifest refers to.
    package func look(_ db: SQLTransaction) throws(StoreError) -> Look {
        let isIndex = content.kind == .index
        let known = try db.known(content.required, in: repository, orManifests: isIndex)
        let missing = isSparse ? [] : content.required.filter { known[$0] == nil }
        guard missing.isEmpty else { return Look(refusal: .missing(missing), logicalBytes: 0) }
        let disagreements = content.disagreements(with: known)
        guard disagreements.isEmpty else { return Look(refusal: .disagrees(disagreements), logicalBytes: 0) }
        let own = Int64(manifest.bytes.count)
        let referred =
            isIndex
            ? try db.logicalBytes(of: content.required, in: repository)
            : known.values.reduce(0) { min($0 + $1.size, Self.mostLogicalBytes) }
        return Look(refusal: nil, logicalBytes: min(own + referred, Self.mostLogicalBytes))
    }

    /// All or nothing. Of a large manifest `looked` is what a look found when the repository had that version, and `staged` the
    /// key under which its edges are there already.
    package func carryOut(
        _ db: SQLTransaction, looked: (look: Look, version: Int64?)? = nil, staged: ManifestID? = nil
    ) throws(StoreError) -> Outcome {
        let known = try db.find(.digest(manifest.digest), in: repository)
        let targets = try db.targets(of: tags, in: repository)
        let own = known == nil ? nil : manifest.digest
        let current = tags.isEmpty ? [own] : tags.map { targets[$0.description]?.digest }
        guard current.allSatisfy(precondition.holds) else { return .preconditionFailed }
        let look: Look
        if let looked, try looked.version == db.version(of: repository) {
            look = looked.look
        } else {
            look = try self.look(db)
        }
        if let refusal = look.refusal { return refusal }
        var usage = UsageChange(begins: true)
        // What is there already counts as what it was counted as.
        let logicalBytes = known?.logicalBytes ?? look.logicalBytes
        let id = try db.keep(
            manifest, of: logicalBytes, in: repository, as: known?.id, staged: staged, counting: &usage)
        if tags.isEmpty { try db.review([manifest.digest], in: repository.id) }
        try db.point(
            tags, to: id, manifest.digest, logicalBytes, in: repository, by: principal, from: targets, counting: &usage)
        try db.change(repository, usage)
        return .stored
    }
}
