/// Decides what has to be asked after a change: of all that it touched, and samples of the rest, which must be as it
/// was. Apart from the player, so that neither spares the other.
struct Oracle: Sendable {
    private var dice: Dice
    private let seats: Int
    /// The repository that is never made.
    private let stranger: Int

    init(seed: String, stranger: Int, seats: Int) {
        dice = Dice(seed + " oracle")
        (self.stranger, self.seats) = (stranger, seats)
    }

    /// The questions after a change that went over the connection `seat`.
    mutating func questions(after step: Move, _ world: World) -> [Move] {
        var asks: [Act] = []
        switch step.act {
        case .pushBlob(let at, let key, _, let algorithm): asks = blob(at, key, algorithm, world)
        case .pushWrong(let at, let key, let wrong, let other):
            asks = [.askBlob(at, key, .sha256, any()), .askBlob(at, other, .sha256, any())]
            if wrong == .sha512 { asks.append(.askBlob(at, other, .sha512, .both)) }
        case .mount(let at, let from, let key, _):
            asks = blob(at, key, .sha256, world)
            if let from { asks.append(.askBlob(from, key, .sha256, any())) }
        case .begin(let session, _, _, _), .chunk(let session, _, _), .touchForeign(let session, _, _):
            if dice.oneIn(2) { asks = [.askSession(session)] }
            if let key = world.sessions[session] {
                asks.append(.askBlob(key.repository, key.key, key.algorithm, any()))
            }
        case .finish(let session, _), .cancel(let session):
            asks = sessionEnd(session, world)
        case .cut(let at, let key, _):
            asks = [
                .pushBlob(at, key, .put(streamed: false, escaped: true), .sha256), .askBlob(at, key, .sha256, .get),
            ]
        case .putManifest(let at, let plan, let reference, let tags, _):
            asks = manifest(at, plan, reference, tags, world)
        case .delete(let at, let victim): asks = deletion(at, victim, world)
        case .race(let at, let race): asks = self.race(at, race, world)
        case .trespass(let at, _, let deed): asks = after(deed, at)
        case .near(let at, let near): asks = after(near, at)
        case .odd(let at, let oddity): asks = oddity.isRefusedPush ? [.askTags(at, .whole)] : []
        case .askBlob, .askManifest, .blobAsManifest, .manifestAsBlob, .askTags, .askCatalog, .askReferrers,
            .askSession, .touchEnded, .token:
            asks = []
        }
        asks += twins(step.act, world)
        asks += samples(world)
        return asks.map { Move(act: $0, seat: (step.seat + dice.number(1...max(1, seats - 1))) % seats) }
    }

    // MARK: Forms of a question

    private mutating func any(_ count: Int = 700) -> Question {
        let (first, last) = (dice.number(0...max(0, count + 3)), dice.number(0...max(0, count + 9)))
        let odd = dice.pick(
            [
                "lines=1-2", "bytes=-", "bytes=a-b", "bytes=9-5", "0-9", "bytes=", "bytes=99999999999999999999999-",
                "bytes=0-0,\(max(1, count / 2))-\(max(1, count / 2))",
            ], or: "bytes=-")
        return dice.weighted([
            (8, .get), (6, .head), (7, .both), (4, .range(first: min(first, last), last: max(first, last))),
            (2, .range(first: first, last: nil)), (2, .range(first: nil, last: last)),
            (1, .range(first: count, last: nil)),
            (1, .range(first: max(0, count - 1), last: max(0, count - 1))), (1, .range(first: 0, last: Int.max)),
            (2, .oddRange(odd)), (3, .notModified(dice.number(0...3))), (2, .otherTag),
            (2, .ifRange(same: dice.oneIn(2))),
            (4, .accept(dice.number(0...5))),
        ]) ?? .get
    }

    private mutating func tagQuestion(_ holding: Holding) -> TagQuestion {
        // Tags that are gone too: a page goes on behind a name, whether it is there or not.
        let tags = holding.tags.keys.sorted()
        let last = dice.pick(tags + ["b", "v", "6", "zz", "Z"], or: "m")
        return dice.weighted([
            (5, TagQuestion.whole), (4, .pages(dice.number(1...4))), (1, .pages(0)),
            (1, .pages(max(1, holding.liveTags.count))),
            (1, .pages(1_000)), (4, .behind(last, dice.number(1...4))), (2, .behind(last, nil)),
            (
                1,
                .odd(
                    dice.pick(
                        [
                            "-1", "abc", "1.5", "", "2147483648", "9223372036854775808", "%2B3", "0x1",
                            String(repeating: "9", count: 60),
                        ], or: "-1"))
            ),
        ]) ?? .whole
    }

    // MARK: What bears the same name

    private func after(_ near: Near, _ at: Int) -> [Act] {
        switch near {
        case .deleteAmongBlobs(let plan): [.askManifest(at, .digest(plan, .sha256), .get)]
        case .deleteAmongManifests(let key): [.askBlob(at, key, .sha256, .get)]
        case .tag, .blob, .manifest, .name: []
        }
    }

    /// What bears the same name in another repository, or the same bytes by another digest: it is as it was.
    private mutating func twins(_ act: Act, _ world: World) -> [Act] {
        switch act {
        case .pushBlob(let at, let key, _, let algorithm), .delete(let at, .blob(let key, let algorithm)):
            return others(at, key, algorithm, world)
        case .mount(let at, let from, let key, _):
            return at == from ? [] : others(at, key, .sha256, world)
        case .putManifest(let at, let plan, let reference, _, _):
            guard case .tag(let tag) = reference else { return others(at, plan, world) }
            return others(at, tag, world) + referred(at, world)
        case .delete(let at, .manifest(let plan, _)): return others(at, plan, world)
        case .delete(let at, .tag(let tag)): return others(at, tag, world) + referred(at, world)
        default: return []
        }
    }

    /// One of the other repositories of which something holds.
    private mutating func another(_ at: Int, _ world: World, _ holds: (Holding) -> Bool) -> Int? {
        dice.pick(world.holdings.indices.filter { $0 != at && holds(world.holdings[$0]) })
    }

    private mutating func others(_ at: Int, _ key: BlobKey, _ algorithm: Algorithm, _ world: World) -> [Act] {
        var asks: [Act] = []
        if let other = another(at, world, { $0.blob(key, .sha256) == .there }) {
            asks.append(.askBlob(other, key, .sha256, any(key.size)))
        }
        for each in Algorithm.allCases where each != algorithm && world.holdings[at].blob(key, each) == .there {
            asks.append(.askBlob(at, key, each, any(key.size)))
        }
        return asks
    }

    private mutating func others(_ at: Int, _ plan: ManifestPlan, _ world: World) -> [Act] {
        another(at, world) { $0.manifest(plan, .sha256) == .there }.map {
            [.askManifest($0, .digest(plan, .sha256), any(600))]
        } ?? []
    }

    private mutating func others(_ at: Int, _ tag: String, _ world: World) -> [Act] {
        another(at, world) { $0.liveTags[tag] != nil }.map { [.askManifest($0, .tag(tag), any(600))] } ?? []
    }

    /// The list of a subject, whose referrers have nothing to do with any tag.
    private mutating func referred(_ at: Int, _ world: World) -> [Act] {
        let plans = world.holdings[at].manifests.filter { $0.value != .gone }.keys.map(\.key)
        let subjects = plans.flatMap(\.subject).uniqued.sorted { $0.number < $1.number }
        guard dice.oneIn(2), let subject = dice.pick(subjects) else { return [] }
        return [.askReferrers(at, subject, filter: nil)]
    }

    // MARK: What was touched

    private mutating func blob(_ at: Int, _ key: BlobKey, _ algorithm: Algorithm, _ world: World) -> [Act] {
        var asks: [Act] = [.askBlob(at, key, algorithm, dice.oneIn(2) ? .both : any(key.size))]
        if dice.oneIn(2) { asks.append(.askBlob(at, key, algorithm, any(key.size))) }
        if dice.oneIn(3) { asks.append(.askBlob(elsewhere(at), key, .sha256, any(key.size))) }
        if dice.oneIn(6) { asks.append(.blobAsManifest(at, key)) }
        return asks
    }

    /// Another repository, or the one that is never made.
    private mutating func elsewhere(_ at: Int) -> Int {
        let other = dice.number(0...stranger)
        return other == at ? (at + 1) % (stranger + 1) : other
    }

    private mutating func sessionEnd(_ number: Int, _ world: World) -> [Act] {
        guard let session = world.sessions[number] else { return [] }
        var asks = blob(session.repository, session.key, session.algorithm, world)
        if session.state == .open { return asks + [.askSession(number)] }
        if dice.oneIn(2) {
            asks.append(.touchEnded(session: number, method: dice.pick(["GET", "PATCH", "PUT"], or: "GET")))
        }
        let others = world.sessions.filter { $0.key != number && $0.value.state == .open }.keys.sorted()
        if let other = dice.pick(others) { asks.append(.askSession(other)) }
        return asks
    }

    private mutating func manifest(
        _ at: Int, _ plan: ManifestPlan, _ reference: Reference, _ tags: [String], _ world: World
    ) -> [Act] {
        var asks: [Act] = [.askManifest(at, reference, dice.oneIn(2) ? .both : any(600))]
        if dice.oneIn(2) { asks.append(.askManifest(at, .digest(plan, .sha256), dice.oneIn(2) ? .both : any(600))) }
        if let tag = dice.pick(tags) { asks.append(.askManifest(at, .tag(tag), any(600))) }
        if dice.oneIn(2) { asks.append(.askTags(at, tagQuestion(world.holdings[at]))) }
        if let subject = plan.subject.first {
            asks.append(.askReferrers(at, subject, filter: nil))
            if let type = plan.listedType, dice.oneIn(2) { asks.append(.askReferrers(at, subject, filter: type)) }
            if dice.oneIn(3) { asks.append(.askReferrers(elsewhere(at), subject, filter: nil)) }
        } else if dice.oneIn(5) {
            asks.append(.askReferrers(at, plan, filter: nil))
        }
        if dice.oneIn(4) { asks.append(.askManifest(elsewhere(at), .digest(plan, .sha256), any(600))) }
        if dice.oneIn(6) { asks.append(.manifestAsBlob(at, plan)) }
        if case .tag = reference, dice.oneIn(5) { asks.append(.askManifest(elsewhere(at), reference, any(600))) }
        if let key = dice.pick(plan.blobs), dice.oneIn(3) { asks.append(.askBlob(at, key, .sha256, any(key.size))) }
        if dice.oneIn(9) { asks.append(catalog()) }
        return asks
    }

    private mutating func deletion(_ at: Int, _ victim: Victim, _ world: World) -> [Act] {
        let holding = world.holdings[at]
        switch victim {
        case .blob(let key, let algorithm):
            var asks: [Act] = [
                .askBlob(at, key, algorithm, .both), .askBlob(at, key, algorithm, any(key.size)),
                .askBlob(elsewhere(at), key, .sha256, any(key.size)),
            ]
            if let plan = dice.pick(
                holding.manifests.keys.filter { $0.key.blobs.contains(key) }.map(\.key)
                    .sorted { $0.number < $1.number })
            {
                asks.append(.askManifest(at, .digest(plan, .sha256), .get))
            }
            if dice.oneIn(3) { asks.append(.delete(at, victim)) }
            if dice.oneIn(4) { asks += [.pushBlob(at, key, .single, .sha256), .askBlob(at, key, .sha256, .both)] }
            return asks
        case .manifest(let plan, let algorithm):
            var asks: [Act] = [.askManifest(at, .digest(plan, algorithm), .both), .askTags(at, .whole)]
            for tag in holding.tags.keys.sorted().filter({ holding.tags[$0] == .some(nil) }).suffix(2) {
                asks.append(.askManifest(at, .tag(tag), dice.oneIn(2) ? .both : .get))
            }
            for key in dice.some(2, of: plan.blobs) { asks.append(.askBlob(at, key, .sha256, .get)) }
            for child in plan.children.prefix(2) { asks.append(.askManifest(at, .digest(child, .sha256), .get)) }
            if let subject = plan.subject.first {
                asks += [.askReferrers(at, subject, filter: nil), .askManifest(at, .digest(subject, .sha256), .get)]
            }
            if dice.oneIn(3) { asks.append(.askReferrers(at, plan, filter: nil)) }
            asks.append(.askManifest(elsewhere(at), .digest(plan, .sha256), .get))
            if dice.oneIn(3) { asks.append(.delete(at, victim)) }
            return asks
        case .tag(let tag):
            return [.askManifest(at, .tag(tag), .both), .askTags(at, tagQuestion(holding)), .askTags(at, .whole)]
                + (dice.oneIn(3) ? [.delete(at, victim)] : [])
        }
    }

    private mutating func race(_ at: Int, _ race: Race, _ world: World) -> [Act] {
        switch race {
        case .sameBlob(let key, _), .deleteWhilePulling(let key), .oneSession(let key, _):
            return [.askBlob(at, key, .sha256, .both), .askBlob(at, key, .sha256, .get)]
        case .oneTag(let tag, let plans), .firstWriter(let tag, let plans):
            return [.askManifest(at, .tag(tag), .both), .askTags(at, .whole)]
                + plans.map { .askManifest(at, .digest($0, .sha256), .get) }
        case .tagsWhileListing: return [.askTags(at, .whole), .askTags(at, .pages(3))]
        case .referrers(let plans):
            return plans.first?.subject.first.map {
                [.askReferrers(at, $0, filter: nil), .askReferrers(at, $0, filter: plans[0].artifactType)]
            } ?? []
        }
    }

    private mutating func catalog() -> Act {
        .askCatalog(dice.oneIn(2) ? dice.number(1...3) : nil, behind: dice.oneIn(2) ? dice.number(0...stranger) : nil)
    }

    // MARK: The rest

    /// Things that nobody touched: they are as they were.
    private mutating func samples(_ world: World) -> [Act] {
        var asks: [Act] = []
        let at = dice.number(0...stranger)
        let holding = world.holdings[at]
        let blobs = holding.blobs.keys.sorted {
            ($0.key.number, $0.algorithm.rawValue) < ($1.key.number, $1.algorithm.rawValue)
        }
        if let blob = dice.pick(blobs) { asks.append(.askBlob(at, blob.key, blob.algorithm, any(blob.key.size))) }
        let manifests = holding.manifests.keys.sorted {
            ($0.key.number, $0.algorithm.rawValue) < ($1.key.number, $1.algorithm.rawValue)
        }
        if let name = dice.pick(manifests) {
            asks.append(.askManifest(at, .digest(name.key, name.algorithm), any(600)))
            if dice.oneIn(4) { asks.append(.askReferrers(at, name.key, filter: nil)) }
        }
        if let tag = dice.pick(holding.tags.keys.sorted()) { asks.append(.askManifest(at, .tag(tag), any(600))) }
        if dice.oneIn(3) { asks.append(.askTags(at, tagQuestion(holding))) }
        if dice.oneIn(14) { asks.append(catalog()) }
        if dice.oneIn(6) { asks.append(.askManifest(at, .tag("never-\(dice.number(0...9))"), .both)) }
        if dice.oneIn(6) {
            asks.append(.askBlob(at, BlobKey(number: 800_000 + dice.number(0...99), size: 20), .sha256, .both))
        }
        return dice.some(3, of: asks)
    }
}

extension Oddity {
    /// Whether it tries to put something into a repository.
    var isRefusedPush: Bool {
        switch self {
        case .tag(_, let isPut): isPut
        case .manifest: true
        case .query(let endpoint, _): endpoint == .manifest
        case .version, .route, .method, .digest, .name, .upload, .raw: false
        }
    }
}
