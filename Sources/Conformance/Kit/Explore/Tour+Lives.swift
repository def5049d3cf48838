/// Lives of one tag, one blob and one subject, and names that are almost those of what is there: what a run that plays
/// little must not leave to chance.
extension Tour {
    static var lives: [Act] { begin + tagLives + blobLives + digestLives + referrerLives + nears }

    private static let twin = ManifestPlan(number: 701, config: config)
    private static let same = ManifestPlan(number: 702, config: config)
    private static let both = ManifestPlan(number: 703, form: .index, children: [twin])

    /// Puts a manifest under a tag in the first two repositories or one of them, and looks at both.
    private static func puts(_ plan: ManifestPlan, _ tag: String, in places: [Int] = [0]) -> [Act] {
        places.map { .putManifest($0, plan, .tag(tag), tags: [], .none) } + looks(tag)
    }

    private static func looks(_ tag: String) -> [Act] { (0...1).map { .askManifest($0, .tag(tag), .both) } }

    private static var tagLives: [Act] {
        let ready: [Act] = [.pushBlob(1, config, .single, .sha256)]
        let moves =
            puts(twin, "life", in: [0, 1]) + puts(same, "life") + puts(both, "life") + puts(twin, "life")
            + puts(same, "life") + puts(same, "life", in: [1])
        let again =
            puts(twin, "next") + [.delete(0, .tag("life"))] + looks("life") + [.askTags(0, .behind("life", 2))]
            + puts(twin, "life")
            + [.delete(0, .tag("life"))] + puts(both, "life") + puts(same, "other") + puts(same, "life")
            + [.askTags(0, .whole)]
        return ready + moves + again
    }

    private static var blobLives: [Act] {
        let key = BlobKey(number: 710, size: 400)
        let asks: [Act] = [
            .askBlob(0, key, .sha256, .both), .askBlob(0, key, .sha512, .both), .askBlob(1, key, .sha256, .both),
        ]
        let changes: [Act] = [
            .pushBlob(0, key, .put(streamed: false, escaped: true), .sha256),
            .pushBlob(0, key, .put(streamed: false, escaped: true), .sha512), .mount(0, from: 0, key, escaped: true),
            .mount(1, from: 0, key, escaped: true), .pushBlob(0, BlobKey(number: 711, size: 90), .stream, .sha256),
            .mount(1, from: 0, key, escaped: true), .delete(0, .blob(key, .sha256)),
            .pushBlob(0, key, .single, .sha256), .delete(1, .blob(key, .sha256)),
        ]
        return changes.flatMap { [$0] + asks }
    }

    /// One manifest by two digests, of which one is deleted: what it names may still be named.
    private static var digestLives: [Act] {
        let key = BlobKey(number: 740, size: 60)
        let plan = ManifestPlan(number: 741, config: key)
        return [
            .pushBlob(0, key, .single, .sha256), .putManifest(0, plan, .digest(plan, .sha256), tags: [], .none),
            .putManifest(0, plan, .digest(plan, .sha512), tags: [], .none), .delete(0, .manifest(plan, .sha256)),
            .askManifest(0, .digest(plan, .sha256), .both), .askManifest(0, .digest(plan, .sha512), .get),
            .delete(0, .blob(key, .sha256)),
        ]
    }

    private static var referrerLives: [Act] {
        let subject = ManifestPlan(number: 720, config: config)
        let plans = (0...2).map {
            ManifestPlan(number: 721 + $0, config: config, subject: [subject], artifactType: Player.types[$0 % 2])
        }
        let changes: [Act] = [
            .putManifest(0, plans[0], .tag("signature"), tags: [], .none),
            .putManifest(0, plans[1], .digest(plans[1], .sha256), tags: [], .none),
            .putManifest(0, subject, .digest(subject, .sha256), tags: [], .none),
            .putManifest(0, plans[0], .digest(plans[0], .sha256), tags: [], .none),
            .putManifest(0, plans[2], .tag("signature"), tags: [], .none), .delete(0, .tag("signature")),
            .delete(0, .manifest(plans[1], .sha256)), .delete(0, .manifest(subject, .sha256)),
            .delete(0, .manifest(plans[0], .sha256)), .delete(0, .manifest(plans[2], .sha256)),
        ]
        return changes.flatMap { [$0, .askReferrers(0, subject, filter: nil)] }
    }

    private static var nears: [Act] {
        let tags = ["Life", "lif", "ife", "life-", "life."].map { Act.near(0, .tag($0)) }
        let digests = Near.DigestForm.allCases.flatMap { form -> [Act] in
            [.near(0, .blob(config, form)), .near(0, .manifest(same, form))]
        }
        let names = Near.NameForm.allCases.flatMap { form -> [Act] in
            [.near(0, .name(config, form)), .near(2, .name(config, form))]
        }
        return tags + digests + [.pushBlob(2, config, .single, .sha256)] + names + [
            .near(0, .deleteAmongBlobs(same)), .askManifest(0, .digest(same, .sha256), .get),
            .pushBlob(0, BlobKey(number: 730, size: 50), .single, .sha256),
            .near(0, .deleteAmongManifests(BlobKey(number: 730, size: 50))),
            .askBlob(0, BlobKey(number: 730, size: 50), .sha256, .get),
        ]
    }
}
