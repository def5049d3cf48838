/// Chooses what happens next, by the world as it is: pure, so that a game follows from its seed and the answers.
struct Player: Sendable {
    var dice: Dice
    /// Numbers what is made, so that nothing is made twice by accident.
    private var made = 0
    /// Blobs that the game knows of, pushed or not.
    private var blobs: [BlobKey]
    /// Manifests that the game knows of.
    private var plans: [ManifestPlan] = []
    private let seats: Int
    /// How many there are who may nothing here.
    private let strangers: Int
    private let hasPassword: Bool
    /// Repositories that are pushed to; the one behind them is never made.
    let homes: Int
    /// Acts that are to come next.
    private var pending: [Act] = []
    private var bulks = 0

    static let tags = [
        "latest", "v1", "v1.0", "v1.0-rc", "v10", "V1", "A", "_x", "a-b_c.D", "5", "6", "64",
        String(repeating: "t", count: 128), "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    ]
    static let types = [
        "application/vnd.aerugo.sbom.v1+json", "application/vnd.aerugo.sbom.v1", "application/vnd.aerugo.signature",
    ]

    init(seed: String, homes: Int, seats: Int, strangers: Int = 0, hasPassword: Bool = false) {
        dice = Dice(seed)
        (self.homes, self.seats) = (homes, seats)
        (self.strangers, self.hasPassword) = (strangers, hasPassword)
        blobs = [BlobKey(number: 0, size: 0), BlobKey(number: 1, size: 1), BlobKey(number: 2, size: 700)]
    }

    /// The next change, and the connection that it goes over.
    mutating func next(_ world: World) -> Move {
        let act = pending.isEmpty ? choose(world) : pending.removeFirst()
        return Move(act: act, seat: dice.number(0...max(0, seats - 1)))
    }

    private mutating func choose(_ world: World) -> Act {
        let at = dice.number(0...homes - 1)
        let kinds: [(weight: Int, choice: (inout Player, World, Int) -> Act)] = [
            (14, { $0.pushBlob($1, $2) }), (5, { $0.pushWrong($1, $2) }), (5, { $0.mount($1, $2) }),
            (12, { $0.session($1, $2) }), (24, { $0.putManifest($1, $2) }), (13, { $0.delete($1, $2) }),
            (4, { $0.race($1, $2) }), (14, { $0.odd($1, $2) }), (1, { $0.cut($1, $2) }), (3, { $0.bulk($1, $2) }),
            (7, { $0.life($1, $2) }), (7, { $0.near($1, $2) }),
            (strangers > 0 ? 10 : 0, { $0.trespass($1, $2) }), (hasPassword ? 8 : 0, { $0.token($2) }),
        ]
        let kind = dice.weighted(kinds) ?? { $0.pushBlob($1, $2) }
        return kind(&self, world, at)
    }

    /// What is to come next, in order.
    mutating func comes(_ acts: [Act]) { pending += acts }

    /// A number that nothing of this game has yet.
    mutating func next() -> Int {
        made += 1
        return made
    }

    // MARK: Blobs

    private mutating func newBlob() -> BlobKey {
        made += 1
        let size =
            dice.weighted([
                (30, 1...600), (20, 601...9_000), (8, 32_000...70_000), (3, 200_000...400_000),
                (1, 1_050_000...1_400_000),
            ]) ?? 1...600
        let look: BlobKey.Look = dice.weighted([(8, .random), (1, .text), (1, .gzip)]) ?? .random
        let key = BlobKey(number: made + 10, size: look == .gzip ? 500 : dice.number(size), look: look)
        blobs.append(key)
        return key
    }

    private mutating func anyBlob() -> BlobKey {
        dice.oneIn(3) || blobs.isEmpty ? newBlob() : dice.pick(blobs.suffix(25), or: blobs[0])
    }

    private mutating func pushBlob(_ world: World, _ at: Int) -> Act {
        let key = anyBlob()
        return .pushBlob(at, key, form(key.size), dice.oneIn(9) ? .sha512 : .sha256)
    }

    private mutating func form(_ size: Int) -> PushForm {
        let parts = (0..<dice.number(1...6)).map { _ in dice.number(1...max(1, size / 3)) }
        let coin = dice.oneIn(2)
        let choices: [(Int, PushForm)] = [
            (3, .single), (4, .put(streamed: dice.oneIn(3), escaped: coin)), (3, .stream),
            (6, .chunks(parts, ranged: coin, restInPut: dice.oneIn(2))),
        ]
        return dice.weighted(choices.map { (weight: $0.0, choice: $0.1) }) ?? .single
    }

    private mutating func pushWrong(_ world: World, _ at: Int) -> Act {
        let wrong = dice.pick(Wrong.allCases, or: .digest)
        let there = world.holdings[at].liveBlobs
        let key = wrong == .lastChunk ? BlobKey(number: 500_000 + dice.number(1...9_999), size: 900) : newBlob()
        let other = wrong == .digestOfAnother ? dice.pick(there, or: newBlob()) : newBlob()
        return .pushWrong(at, key, wrong, other: other)
    }

    private mutating func mount(_ world: World, _ at: Int) -> Act {
        let from = dice.oneIn(5) ? nil : dice.number(0...homes)
        let there = from.map { world.holdings[$0].liveBlobs } ?? []
        let key = dice.oneIn(4) ? anyBlob() : dice.pick(there, or: anyBlob())
        return .mount(at, from: from, key, escaped: dice.oneIn(2))
    }

    private mutating func cut(_ world: World, _ at: Int) -> Act {
        made += 1
        return .cut(at, BlobKey(number: made + 10, size: 120_000), patch: dice.oneIn(2))
    }

    // MARK: Uploads

    private mutating func session(_ world: World, _ at: Int) -> Act {
        let open = world.sessions.filter { $0.value.state == .open }.keys.sorted()
        let ended = world.sessions.filter { $0.value.state == .ended }.keys.sorted()
        guard let session = dice.pick(open), !dice.oneIn(4) else {
            if let session = dice.pick(ended), dice.oneIn(3) {
                return .touchEnded(session: session, method: dice.pick(["GET", "PATCH", "PUT"], or: "GET"))
            }
            return .begin(session: world.sessions.count, at, newBlob(), dice.oneIn(12) ? .sha512 : .sha256)
        }
        let size = world.sessions[session]?.total ?? 1
        let choices: [(Int, Act)] = [
            (
                8,
                .chunk(
                    session: session, dice.number(1...max(1, size / 2)),
                    dice.pick([.ranged, .unranged, .streamed], or: .ranged))
            ),
            (
                4,
                .chunk(
                    session: session, dice.number(1...max(1, size / 2)),
                    dice.pick([.gap, .repeated, .longer, .malformed, .empty], or: .gap))
            ),
            (
                5,
                .finish(
                    session: session,
                    dice.pick([.rest(ranged: true), .rest(ranged: false), .patchThenPut], or: .patchThenPut))
            ),
            (1, .finish(session: session, .wrongPlace)), (2, .cancel(session: session)),
            (
                2,
                .touchForeign(
                    session: session, (at + 1) % homes, method: dice.pick(["GET", "PATCH", "PUT", "DELETE"], or: "GET"))
            ),
        ]
        return dice.weighted(choices.map { (weight: $0.0, choice: $0.1) }) ?? .cancel(session: session)
    }

    // MARK: Manifests

    /// A manifest; what it names is pushed first, mostly.
    private mutating func newPlan(_ world: World, _ at: Int) -> ManifestPlan {
        made += 1
        let holding = world.holdings[at]
        let form =
            dice.weighted([
                (12, ManifestPlan.Form.image), (4, .index), (3, .dockerImage), (1, .dockerList),
            ]) ?? .image
        var plan = ManifestPlan(number: made, form: form)
        let isSloppy = dice.oneIn(9)
        if form.isIndex {
            let fit = holding.liveManifests.filter {
                holding.manifest($0, .sha256) == .there && (form == .index || $0.form == .dockerImage)
            }.sorted { $0.number < $1.number }
            plan.children =
                isSloppy
                ? [ManifestPlan(number: made + 40_000, config: newBlob())] : dice.some(dice.number(0...3), of: fit)
        } else {
            let there = holding.liveBlobs.filter { $0.size < 300_000 }
            plan.config = newBlob()
            plan.layers = dice.some(dice.number(0...3), of: there)
            if isSloppy { plan.layers.append(newBlob()) }
            if dice.oneIn(20), let layer = plan.layers.first { plan.layers += Array(repeating: layer, count: 120) }
        }
        if !form.isDocker { dress(&plan, holding) }
        plans.append(plan)
        return plan
    }

    private mutating func dress(_ plan: inout ManifestPlan, _ holding: Holding) {
        plan.writing = dice.oneIn(2) ? .plain : dice.pick(ManifestPlan.Writing.allCases, or: .plain)
        plan.annotations = dice.oneIn(3) ? dice.number(0...6) : 0
        guard dice.oneIn(2) else { return }
        plan.artifactType = dice.oneIn(3) ? nil : dice.pick(Player.types)
        if plan.artifactType == nil || dice.oneIn(4) {
            plan.configType = plan.form.isIndex ? nil : "application/vnd.aerugo.config"
        }
        let subjects = holding.liveManifests.filter { !$0.form.isDocker && $0.subject.isEmpty }.sorted {
            $0.number < $1.number
        }
        if dice.oneIn(6) {
            plan.subject = [ManifestPlan(number: made + 70_000, config: BlobKey(number: 2, size: 700))]
            plans += plan.subject
        } else if let subject = dice.pick(subjects.suffix(3)) {
            plan.subject = [subject]
        }
    }

    private mutating func putManifest(_ world: World, _ at: Int) -> Act {
        let isNew = plans.isEmpty || dice.oneIn(2)
        let plan = isNew ? newPlan(world, at) : dice.pick(plans.suffix(20), or: plans[0])
        let tag = dice.pick(Player.tags, or: "latest")
        let reference: Reference =
            dice.weighted([
                (7, .tag(tag)), (5, .digest(plan, .sha256)), (1, .digest(plan, .sha512)),
            ]) ?? .tag(tag)
        var tags: [String] = []
        if case .digest(_, .sha256) = reference, dice.oneIn(2) {
            tags = dice.some(dice.number(1...3), of: Player.tags.filter { $0.utf8.count < 60 })
        }
        let condition: PushCondition = dice.oneIn(6) ? dice.pick(PushCondition.allCases, or: .none) : .none
        let put = Act.putManifest(at, plan, reference, tags: tags, condition)
        return prepared(put, plan, world, at)
    }

    /// Pushes what a manifest lacks before it; a few are pushed as they are, and may be refused.
    private mutating func prepared(_ act: Act, _ plan: ManifestPlan, _ world: World, _ at: Int) -> Act {
        guard !dice.oneIn(10), !plan.children.contains(where: { $0.number > 40_000 }) else { return act }
        let holding = world.holdings[at]
        var before: [Act] = []
        for key in plan.blobs.uniqued where holding.blob(key, .sha256) != .there {
            before.append(.pushBlob(at, key, form(key.size), .sha256))
        }
        for child in plan.children where holding.manifest(child, .sha256) != .there {
            for key in child.blobs.uniqued where holding.blob(key, .sha256) != .there {
                before.append(.pushBlob(at, key, form(key.size), .sha256))
            }
            before.append(.putManifest(at, child, .digest(child, .sha256), tags: [], .none))
        }
        pending += before.dropFirst() + (before.isEmpty ? [] : [act])
        return before.first ?? act
    }

    // MARK: Deleting

    private mutating func delete(_ world: World, _ at: Int) -> Act {
        let holding = world.holdings[at]
        let tags = holding.liveTags.keys.sorted()
        let manifests = holding.manifests.filter { $0.value == .there }.map(\.key).sorted {
            $0.key.number < $1.key.number
        }
        let blobs = holding.blobs.filter { $0.value == .there }.map(\.key).sorted {
            ($0.key.number, $0.algorithm.rawValue) < ($1.key.number, $1.algorithm.rawValue)
        }
        let free = blobs.filter { holding.naming($0.key).isEmpty }
        let missing = BlobKey(number: 900_000 + dice.number(0...999), size: 30)
        let ghost = ManifestPlan(number: 910_000 + dice.number(0...999))
        let victim: Victim? =
            dice.weighted([
                (5, dice.pick(tags).map { .tag($0) }),
                (5, dice.pick(manifests).map { .manifest($0.key, $0.algorithm) }),
                (4, dice.pick(free).map { .blob($0.key, $0.algorithm) }),
                (1, dice.pick(blobs).map { .blob($0.key, $0.algorithm) }),
                (1, .blob(missing, .sha256)), (1, .manifest(ghost, .sha256)), (1, .tag("never-\(dice.number(0...99))")),
            ]) ?? nil
        return .delete(dice.oneIn(25) ? homes : at, victim ?? .tag("never"))
    }

    // MARK: Races and bulks

    private mutating func race(_ world: World, _ at: Int) -> Act {
        let holding = world.holdings[at]
        let free = holding.liveBlobs.filter { holding.naming($0).isEmpty }
        let config = BlobKey(number: 2, size: 700)
        func plans(_ count: Int, _ subject: ManifestPlan?) -> [ManifestPlan] {
            (0..<count).map {
                ManifestPlan(
                    number: made * 10 + $0 + 200_000, config: config, subject: subject.map { [$0] } ?? [],
                    artifactType: subject == nil ? nil : Player.types[$0 % 2])
            }
        }
        made += 1
        let subject = holding.liveManifests.filter { !$0.form.isDocker && $0.subject.isEmpty }.min {
            $0.number < $1.number
        }
        let race: Race =
            dice.weighted(
                [
                    (2, .sameBlob(newBlob(), clients: dice.number(2...5))), (1, .oneSession(newBlob(), clients: 3)),
                    (2, .oneTag("race-\(made)", plans(4, nil))),
                    (2, .tagsWhileListing((0..<4).map { "r\(made)-\($0)" }, plans(1, nil)[0])),
                    (2, .referrers(plans(5, subject))), (1, dice.pick(free).map { .deleteWhilePulling($0) }),
                    (1, .firstWriter("first-\(made)", plans(4, nil))),
                ].compactMap { weight, race in race.map { (weight: weight, choice: $0) } })
            ?? .sameBlob(newBlob(), clients: 2)
        if holding.blob(config, .sha256) == .there { return .race(at, race) }
        pending.append(.race(at, race))
        return .pushBlob(at, config, .put(streamed: false, escaped: true), .sha256)
    }

    /// Counts past the usual: many tags of one manifest, many referrers of another.
    private mutating func bulk(_ world: World, _ at: Int) -> Act {
        let holding = world.holdings[at]
        guard bulks < 2,
            let plan = holding.liveManifests.filter({ $0.form == .image && holding.isComplete($0) })
                .min(by: { $0.number < $1.number })
        else { return putManifest(world, at) }
        bulks += 1
        made += 1
        let number = made
        if bulks == 1 {
            let count = dice.oneIn(2) ? 105 : 24
            pending = (0..<count / 8).map { part in
                .putManifest(
                    at, plan, .digest(plan, .sha256), tags: (0..<8).map { "bulk\(number)-\(part)-\($0)" }, .none)
            }
        } else if let config = plan.config {
            pending = (0..<24).map {
                let referrer = ManifestPlan(
                    number: number * 100 + $0 + 300_000, config: config, subject: [plan],
                    artifactType: Player.types[$0 % 3],
                    annotations: $0 % 3)
                return .putManifest(at, referrer, .digest(referrer, .sha256), tags: [], .none)
            }
        }
        return pending.removeFirst()
    }
}
