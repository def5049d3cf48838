extension Tour {
    /// Every endpoint with parameters that are none.
    static var queries: [Act] {
        let values = ["nonsense", "sha256:abc", "%00", ".a", "a%20b", ""]
        let uploads = ["digest-algorithm", "mount", "digest"].flatMap { name in
            values.map { Act.odd(0, .query(.uploads, name + "=" + $0)) }
        }
        let tags = values.dropFirst().dropLast().flatMap { value -> [Act] in
            [.odd(0, .query(.manifest, "tag=" + value)), .askTags(0, .whole)]
        }
        let reads = [Oddity.Endpoint.version, .blob, .tags, .referrers].flatMap { endpoint in
            ["ns=docker.io", "x-unknown=%00", "last=%FF", "artifactType="].map { Act.odd(0, .query(endpoint, $0)) }
        }
        return begin + [.putManifest(0, image, .tag("one"), tags: [], .none)] + uploads + tags + reads
    }

    /// Counts past the usual, all of them legal.
    static var counts: [Act] {
        let children = (0..<14).map { ManifestPlan(number: 600 + $0, config: config) }
        // Each the index of the one before.
        let nested = (1...4).reduce([ManifestPlan(number: 620, form: .index, children: [image])]) { inner, level in
            inner + [ManifestPlan(number: 620 + level, form: .index, children: inner.suffix(1))]
        }
        var all: [ManifestPlan] = children
        all.append(ManifestPlan(number: 630, form: .index, children: children))
        all.append(image)
        all += nested
        all.append(ManifestPlan(number: 640, config: config, layers: Array(repeating: layer, count: 240)))
        all.append(ManifestPlan(number: 641, config: config, layers: [layer], annotations: 130))
        return begin
            + all.flatMap { plan -> [Act] in
                [
                    .putManifest(0, plan, .digest(plan, .sha256), tags: [], .none),
                    .askManifest(0, .digest(plan, .sha256), .both),
                ]
            } + all.suffix(6).map { .askManifest(0, .digest($0, .sha256), .get) }
    }

    static var races: [Act] {
        var all: [Act] = []
        all += begin
        all += [
            .race(0, .oneSession(BlobKey(number: 211, size: 60_000), clients: 4)),
            .race(0, .oneSession(BlobKey(number: 212, size: 60_000), clients: 4)),
            .race(0, .sameBlob(BlobKey(number: 210, size: 200_000), clients: 5)),
            .askBlob(0, BlobKey(number: 210, size: 200_000), .sha256, .both),
            .putManifest(0, image, .tag("one"), tags: [], .none), .putManifest(0, other, .tag("one"), tags: [], .none),
            .putManifest(0, other, .tag("one"), tags: [], .ifNew), .putManifest(0, image, .tag("two"), tags: [], .none),
            .race(0, .oneTag("race", several(500, nil))), .askManifest(0, .tag("race"), .both),
            .race(0, .tagsWhileListing(["r1", "r2", "r3", "r4"], image)), .askTags(0, .whole), .delete(0, .tag("two")),
            .race(0, .referrers(several(510, image))), .askReferrers(0, image, filter: nil),
            .race(0, .firstWriter("first", several(520, nil))), .pushBlob(0, large, .stream, .sha256),
            .pushBlob(0, keys[4], .single, .sha256), .delete(0, .blob(keys[4], .sha256)),
            .race(0, .deleteWhilePulling(large)), .askBlob(0, large, .sha256, .both),
        ]
        return all + several(500, nil).map { .askManifest(0, .digest($0, .sha256), .get) }
    }

    private static func several(_ number: Int, _ subject: ManifestPlan?) -> [ManifestPlan] {
        (0..<6).map {
            ManifestPlan(
                number: number + $0, config: config, subject: subject.map { [$0] } ?? [],
                artifactType: subject == nil ? nil : Player.types[$0 % 2])
        }
    }
}
