/// Lives: one thing that much happens to in a row, where a registry remembers what it was before. Chance alone comes back
/// to the same tag, blob or manifest too seldom.
extension Player {
    mutating func life(_ world: World, _ at: Int) -> Act {
        let beside = (at + 1) % homes
        let acts: [Act] =
            switch dice.number(1...10) {
            case 1...5: tagLife(at, beside)
            case 6...7: blobLife(at, beside)
            default: referrerLife(at)
            }
        comes(acts)
        return .pushBlob(at, Tour.config, .put(streamed: false, escaped: true), .sha256)
    }

    /// Manifests of one length that differ, of other kinds, and of other types.
    private mutating func family() -> [ManifestPlan] {
        let number = 600_000 + 10 * next()
        let first = ManifestPlan(number: number, config: Tour.config)
        return [
            first, ManifestPlan(number: number + 1, config: Tour.config),
            ManifestPlan(number: number + 2, form: .index, children: [first]),
            ManifestPlan(number: number + 3, config: Tour.config, artifactType: Player.types[0]),
        ]
    }

    /// A tag that is moved, taken away and made again, beside one of the same name elsewhere.
    private mutating func tagLife(_ at: Int, _ beside: Int) -> [Act] {
        let family = family()
        let tag =
            dice.oneIn(3)
            ? dice.pick(Player.tags.filter { $0.utf8.count < 60 }, or: "latest") : "life-\(family[0].number)"
        func put(_ plan: ManifestPlan, _ at: Int, _ tag: String) -> Act {
            .putManifest(at, plan, .tag(tag), tags: [], .none)
        }
        var acts = [put(family[0], at, tag)]
        if dice.oneIn(2) {
            acts += [
                .pushBlob(beside, Tour.config, .single, .sha256),
                put(dice.pick(family.dropLast(2), or: family[0]), beside, tag),
            ]
        }
        for _ in 0..<dice.number(5...9) {
            let plan = dice.pick(family, or: family[0])
            let choices: [(weight: Int, choice: Act)] = [
                (9, put(plan, at, tag)), (2, put(plan, at, tag + "-too")), (1, put(family[1], beside, tag)),
                (4, .delete(at, .tag(tag))), (1, .delete(at, .tag(tag + "-too"))),
                (2, .delete(at, .manifest(plan, .sha256))),
                (2, .putManifest(at, plan, .digest(plan, .sha256), tags: [], .none)),
            ]
            acts += dice.weighted(choices).map { [$0] } ?? []
        }
        return acts
    }

    /// A blob that comes by every way, by each of its digests, and goes.
    private mutating func blobLife(_ at: Int, _ beside: Int) -> [Act] {
        let key = BlobKey(number: 700_000 + next(), size: dice.number(2...900))
        var acts: [Act] = []
        for _ in 0..<dice.number(5...9) {
            let put = PushForm.put(streamed: dice.oneIn(4), escaped: dice.oneIn(2))
            let choices: [(weight: Int, choice: Act)] = [
                (4, .pushBlob(at, key, put, .sha256)), (2, .pushBlob(at, key, .single, .sha256)),
                (3, .pushBlob(at, key, .put(streamed: false, escaped: true), .sha512)),
                (2, .mount(beside, from: at, key, escaped: true)), (2, .mount(at, from: beside, key, escaped: true)),
                (2, .mount(at, from: at, key, escaped: true)), (3, .delete(at, .blob(key, .sha256))),
                (1, .delete(at, .blob(key, .sha512))), (1, .delete(beside, .blob(key, .sha256))),
                (1, .pushWrong(at, BlobKey(number: key.number + 1, size: 60), .digestOfAnother, other: key)),
            ]
            acts += dice.weighted(choices).map { [$0] } ?? []
        }
        return acts
    }

    /// A subject and what refers to it, by digests and by tags that move and go.
    private mutating func referrerLife(_ at: Int) -> [Act] {
        let number = 800_000 + 10 * next()
        let subject = ManifestPlan(number: number, config: Tour.config)
        let referrers = [ManifestPlan.Form.image, .image, .index].enumerated().map { index, form in
            ManifestPlan(
                number: number + 1 + index, form: form, config: form == .image ? Tour.config : nil, subject: [subject],
                artifactType: Player.types[index % 2], annotations: index)
        }
        let tag = "signature-\(number)"
        var acts: [Act] = [.putManifest(at, subject, .digest(subject, .sha256), tags: [], .none)]
        for _ in 0..<dice.number(6...10) {
            let referrer = dice.pick(referrers, or: referrers[0])
            let digest = Reference.digest(referrer, .sha256)
            let choices: [(weight: Int, choice: Act)] = [
                (4, .putManifest(at, referrer, digest, tags: [], .none)),
                (4, .putManifest(at, referrer, .tag(tag), tags: [], .none)), (3, .delete(at, .tag(tag))),
                (3, .delete(at, .manifest(referrer, .sha256))), (1, .delete(at, .manifest(subject, .sha256))),
                (2, .putManifest(at, subject, .tag(tag + "-subject"), tags: [], .none)),
            ]
            acts += dice.weighted(choices).map { [$0] } ?? []
            acts.append(.askReferrers(at, subject, filter: dice.oneIn(3) ? Player.types[0] : nil))
        }
        return acts
    }

    // MARK: Near misses

    /// Something that is there, asked for by a name that is almost its own.
    mutating func near(_ world: World, _ at: Int) -> Act {
        let holding = world.holdings[at]
        let form = dice.pick(Near.DigestForm.allCases, or: .upper)
        let choices: [(weight: Int, choice: Near?)] = [
            (4, dice.pick(holding.liveTags.keys.sorted()).map { .tag(slip(of: $0)) }),
            (2, dice.pick(holding.liveBlobs).map { .blob($0, form) }),
            (2, dice.pick(holding.liveManifests).map { .manifest($0, form) }),
            (3, dice.pick(holding.liveBlobs).map { .name($0, dice.pick(Near.NameForm.allCases, or: .upper)) }),
            (1, dice.pick(holding.liveManifests).map { .deleteAmongBlobs($0) }),
            (1, dice.pick(holding.liveBlobs.filter { holding.naming($0).isEmpty }).map { .deleteAmongManifests($0) }),
        ]
        let near = dice.weighted(choices.filter { $0.choice != nil }) ?? nil
        return near.map { .near(at, $0) } ?? .askTags(at, .whole)
    }

    /// A tag that one slip of the hand makes of another.
    private mutating func slip(of tag: String) -> String {
        let letter = dice.pick(["a", "Z", "0", ".", "_", "-"], or: "a")
        switch dice.number(1...4) {
        case 1: return tag == tag.uppercased() ? tag.lowercased() : tag.uppercased()
        case 2: return tag.count > 1 ? String(tag.dropLast()) : tag + letter
        case 3: return tag.count > 1 ? String(tag.dropFirst()) : tag + letter
        default: return tag.count < 128 ? tag + letter : String(tag.dropLast()) + letter
        }
    }
}
