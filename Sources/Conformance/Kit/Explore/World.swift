/// What is known of something that a registry may hold.
enum Presence: Hashable, Sendable {
    /// It has to be there.
    case there
    /// It must not be there: it never was, or was deleted.
    case gone
    /// Nothing is known.
    case unsure
    /// The specification leaves it open; what the registry did before in this situation it has to do again.
    case open(String)
}

/// A digest of a blob or a manifest: content by an algorithm.
struct Named<Key: Hashable & Sendable>: Hashable, Sendable {
    let key: Key
    let algorithm: Algorithm

    init(_ key: Key, _ algorithm: Algorithm) {
        (self.key, self.algorithm) = (key, algorithm)
    }
}

/// What one repository has to hold.
struct Holding: Sendable {
    /// Blobs by digest; what is not in it never was there.
    var blobs: [Named<BlobKey>: Presence] = [:]
    /// Manifests by digest.
    var manifests: [Named<ManifestPlan>: Presence] = [:]
    /// What each tag names; nil for one that is not there any more.
    var tags: [String: ManifestPlan?] = [:]
    /// Tags of which nothing is known.
    var unsureTags: Set<String> = []
    /// Whether anything was ever taken.
    var isMade = false

    /// Tags that have to be there.
    var liveTags: [String: ManifestPlan] { tags.compactMapValues { $0 }.filter { !unsureTags.contains($0.key) } }
    /// Manifests that have to be there, by any digest.
    var liveManifests: [ManifestPlan] {
        manifests.filter { $0.value == .there }.map(\.key.key).uniqued.sorted { $0.number < $1.number }
    }
    /// Blobs that have to be there, by their sha256 digest.
    var liveBlobs: [BlobKey] {
        blobs.filter { $0.value == .there && $0.key.algorithm == .sha256 }.map(\.key.key)
            .sorted { ($0.number, $0.size) < ($1.number, $1.size) }
    }

    func blob(_ key: BlobKey, _ algorithm: Algorithm) -> Presence { blobs[Named(key, algorithm)] ?? .gone }

    func manifest(_ plan: ManifestPlan, _ algorithm: Algorithm) -> Presence {
        manifests[Named(plan, algorithm)] ?? .gone
    }

    /// What a reference names; nil where it is a tag that is not there.
    func named(_ reference: Reference) -> ManifestPlan? {
        switch reference {
        case .digest(let plan, _): plan
        case .tag(let tag): tags[tag] ?? nil
        }
    }

    func presence(_ reference: Reference) -> Presence {
        switch reference {
        case .digest(let plan, let algorithm): manifest(plan, algorithm)
        case .tag(let tag):
            unsureTags.contains(tag) ? .unsure : named(reference) == nil ? .gone : .there
        }
    }

    /// Whether all that a manifest names is there, so that it has to be taken.
    func isComplete(_ plan: ManifestPlan) -> Bool {
        plan.blobs.allSatisfy { blob($0, .sha256) == .there }
            && plan.children.allSatisfy { manifest($0, .sha256) == .there }
    }

    /// Manifests that name the blob or the manifest, or have it as their subject.
    func naming(_ key: BlobKey) -> [ManifestPlan] { liveManifests.filter { $0.blobs.contains(key) } }
    func naming(_ plan: ManifestPlan) -> [ManifestPlan] {
        liveManifests.filter { $0.children.contains(plan) || $0.subject.contains(plan) }
    }

    /// Manifests that name the blob, or the manifest, and of which nobody knows whether they are there: by another digest
    /// than the one that was deleted, for example.
    func mayBeNamed(_ key: BlobKey) -> Bool {
        manifests.contains { $0.value != .gone && $0.value != .there && $0.key.key.blobs.contains(key) }
    }
    func mayBeNamed(_ plan: ManifestPlan) -> Bool {
        manifests.contains {
            $0.value != .gone && $0.value != .there
                && ($0.key.key.children.contains(plan) || $0.key.key.subject.contains(plan))
        }
    }

    /// Manifests whose subject it is.
    func referrers(of plan: ManifestPlan) -> [ManifestPlan] { liveManifests.filter { $0.subject.contains(plan) } }

    /// What a repository without tags is like, where all of it is known.
    var situation: String? {
        guard unsureTags.isEmpty, !manifests.values.contains(where: { $0 != .there && $0 != .gone }) else { return nil }
        if !tags.isEmpty { return "lost them all" }
        if !liveManifests.isEmpty { return "has manifests" }
        if !manifests.isEmpty { return nil }
        return isMade ? "has blobs" : "was never made"
    }

    mutating func pushed(_ key: BlobKey, _ algorithm: Algorithm) {
        isMade = true
        blobs[Named(key, algorithm)] = .there
        let other = Named(key, algorithm == .sha256 ? .sha512 : .sha256)
        if blobs[other] != .there { blobs[other] = .unsure }
    }

    mutating func pushed(_ plan: ManifestPlan, _ algorithm: Algorithm, tags made: [String]) {
        isMade = true
        manifests[Named(plan, algorithm)] = .there
        let other = Named(plan, algorithm == .sha256 ? .sha512 : .sha256)
        if manifests[other] != .there { manifests[other] = .unsure }
        for tag in made {
            tags[tag] = plan
            unsureTags.remove(tag)
        }
    }

    mutating func deleted(_ key: BlobKey, _ algorithm: Algorithm) {
        for each in Algorithm.allCases where blobs[Named(key, each)] != nil {
            blobs[Named(key, each)] = each == algorithm ? .gone : .unsure
        }
        for plan in naming(key) { open(plan, "a manifest of a deleted blob") }
    }

    /// Forgets a manifest and its tags. What only it named may be collected, or not.
    mutating func deleted(_ plan: ManifestPlan, _ algorithm: Algorithm) {
        // By which of its digests a tag names a manifest is the registry's own affair.
        let isOnly =
            manifest(plan, algorithm) == .there
            && Algorithm.allCases.allSatisfy { $0 == algorithm || manifest(plan, $0) != .there }
        for each in Algorithm.allCases where manifests[Named(plan, each)] != nil {
            manifests[Named(plan, each)] = each == algorithm ? .gone : .unsure
        }
        for (tag, named) in tags where named == plan {
            if isOnly { tags[tag] = .some(nil) } else { unsureTags.insert(tag) }
        }
        for key in plan.blobs where naming(key).isEmpty { open(key, "a blob of a deleted manifest") }
        for child in plan.children where !isTagged(child) && naming(child).isEmpty {
            open(child, "an untagged child of a deleted index")
        }
        for referrer in referrers(of: plan) { open(referrer, "a referrer of a deleted subject") }
    }

    mutating func deleted(tag: String) {
        let plan = tags[tag] ?? nil
        tags[tag] = .some(nil)
        unsureTags.remove(tag)
        if let plan, !isTagged(plan), naming(plan).isEmpty { open(plan, Holding.untagged) }
    }

    /// The situation of what nothing names any more.
    static let untagged = "a manifest whose last tag was deleted"

    func isTagged(_ plan: ManifestPlan) -> Bool { tags.values.contains(plan) }

    mutating func doubt(_ key: BlobKey) {
        for each in Algorithm.allCases { blobs[Named(key, each)] = .unsure }
    }

    mutating func doubt(_ plan: ManifestPlan) {
        for each in Algorithm.allCases { manifests[Named(plan, each)] = .unsure }
    }

    mutating func doubt(_ reference: Reference) {
        switch reference {
        case .tag(let tag): unsureTags.insert(tag)
        case .digest(let plan, _): doubt(plan)
        }
    }

    mutating func doubt(_ race: Race) {
        switch race {
        case .sameBlob(let key, _), .deleteWhilePulling(let key), .oneSession(let key, _): doubt(key)
        case .oneTag(let tag, let plans), .firstWriter(let tag, let plans):
            unsureTags.insert(tag)
            plans.forEach { doubt($0) }
        case .tagsWhileListing(let tags, let plan):
            unsureTags.formUnion(tags)
            doubt(plan)
        case .referrers(let plans): plans.forEach { doubt($0) }
        }
    }

    private mutating func open(_ plan: ManifestPlan, _ situation: String) {
        for each in Algorithm.allCases where manifests[Named(plan, each)] == .there {
            manifests[Named(plan, each)] = .open(situation)
        }
        for (tag, named) in tags where named == plan { unsureTags.insert(tag) }
    }

    private mutating func open(_ key: BlobKey, _ situation: String) {
        for each in Algorithm.allCases where blobs[Named(key, each)] == .there {
            blobs[Named(key, each)] = .open(situation)
        }
    }
}

/// An upload that was begun.
struct Session: Sendable {
    enum State: Sendable {
        case open
        /// Closed or cancelled: nobody may go on with it.
        case ended
        /// Nobody knows.
        case lost
    }

    let repository: Int
    let key: BlobKey
    let algorithm: Algorithm
    let total: Int
    /// Bytes that arrived.
    var received = 0
    var state = State.open
}

/// What a registry must hold: a value, changed by what was answered and by nothing else.
struct World: Sendable {
    var holdings: [Holding]
    var sessions: [Int: Session] = [:]

    init(repositories: Int) {
        holdings = Array(repeating: Holding(), count: repositories)
    }

    /// Nothing is known any more of what an act was about.
    mutating func doubt(_ act: Act) {
        switch act {
        case .pushBlob(let at, let key, _, _), .mount(let at, _, let key, _), .cut(let at, let key, _),
            .blobAsManifest(let at, let key), .askBlob(let at, let key, _, _), .delete(let at, .blob(let key, _)):
            holdings[at].doubt(key)
        case .pushWrong(let at, let key, _, let other):
            holdings[at].doubt(key)
            holdings[at].doubt(other)
        case .putManifest(let at, let plan, let reference, let tags, _):
            holdings[at].doubt(plan)
            holdings[at].doubt(reference)
            holdings[at].unsureTags.formUnion(tags)
        case .askManifest(let at, let reference, _): holdings[at].doubt(reference)
        case .delete(let at, .manifest(let plan, _)):
            holdings[at].doubt(plan)
            for (tag, named) in holdings[at].tags where named == plan { holdings[at].unsureTags.insert(tag) }
        case .delete(let at, .tag(let tag)): holdings[at].doubt(.tag(tag))
        case .race(let at, let race): holdings[at].doubt(race)
        case .begin(let session, _, _, _), .chunk(let session, _, _), .finish(let session, _), .cancel(let session),
            .askSession(let session), .touchEnded(let session, _), .touchForeign(let session, _, _):
            sessions[session]?.state = .lost
            if let session = sessions[session] { holdings[session.repository].doubt(session.key) }
        case .trespass(let at, _, let deed): doubt(deed, at)
        case .near(let at, .deleteAmongBlobs(let plan)): doubt(.delete(at, .manifest(plan, .sha256)))
        case .near(let at, .deleteAmongManifests(let key)): holdings[at].doubt(key)
        case .askTags, .askCatalog, .askReferrers, .odd, .manifestAsBlob, .near, .token: break
        }
    }

    /// Whether the blob was ever pushed to any repository: a registry that knows it may find it.
    func isKnownAnywhere(_ key: BlobKey) -> Bool {
        holdings.contains { holding in holding.blobs.keys.contains { $0.key == key } }
    }
}

extension Array where Element: Hashable {
    /// Each element once, in order.
    var uniqued: [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
