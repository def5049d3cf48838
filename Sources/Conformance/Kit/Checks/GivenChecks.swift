import Vocabulary

/// A registry that may only be read: what the run was told exists is looked at, nothing is made.
enum GivenChecks {
    private static let section = "distribution-spec: Pulling manifests"

    private static func given(_ probe: Probe) throws -> Target.Given {
        guard let given = probe.run.target.given else { throw Skip("needs --read-only") }
        return given
    }

    private static func all(_ probe: Probe) throws -> [(reference: String, answer: Answer)] {
        let given = try given(probe)
        return try (given.tags + given.digests).map { reference in
            let place = probe.manifestPlace(reference, in: given.repository)
            return (reference, try probe.get(place, ("Accept", MediaTypes.all)).expect(200))
        }
    }

    static let checks: [Check] = [
        Check(
            "read.manifest", .must, section, "what is said to exist is there, 200", ["manifest-get-200"],
            needs: [.given]
        ) {
            _ = try all($0)
        },
        Check(
            "read.manifest.digest-header", .must, section, "each answer tells the digest of its body",
            ["manifest-get-digest"], needs: [.given]
        ) { probe in
            for (_, answer) in try all(probe) { try answer.expectDigestHeader(of: answer.body) }
        },
        Check(
            "read.manifest.by-digest", .must, section, "a digest gives the bytes of that digest", ["manifest-get-200"],
            needs: [.given]
        ) { probe in
            for (_, answer) in try all(probe) {
                let digest = Digests.sha256(answer.body)
                let again = try probe.get(
                    probe.manifestPlace(digest, in: try given(probe).repository), ("Accept", MediaTypes.all))
                try again.expect(200)
                try again.expectBody(answer.body)
            }
        },
        Check(
            "read.manifest.head", .must, "distribution-spec: Checking if content exists",
            "HEAD tells 200, digest and size", ["head-200", "head-digest", "head-length"], needs: [.given]
        ) { probe in
            for (reference, answer) in try all(probe) {
                let head = try probe.head(
                    probe.manifestPlace(reference, in: try given(probe).repository), ("Accept", MediaTypes.all))
                try head.expect(200)
                try head.expectDigestHeader(of: answer.body)
                try head.expectHeader("Content-Length", String(answer.body.count))
            }
        },
        Check(
            "read.manifest.missing", .must, section, "a tag and a digest that are not there are 404", ["manifest-404"],
            needs: [.given]
        ) { probe in
            let repository = try given(probe).repository
            for reference in [try probe.word("no-such-"), try probe.random(8).digest] {
                try probe.get(probe.manifestPlace(reference, in: repository), ("Accept", MediaTypes.all)).expect(404)
            }
        },
        Check(
            "read.blobs", .must, "distribution-spec: Pulling blobs",
            "the blobs of the manifests are there with their sizes; the smallest comes back whole",
            ["head-200", "head-length", "blob-get-200"], needs: [.given]
        ) { probe in
            let repository = try given(probe).repository
            for (_, answer) in try all(probe) {
                let json = try answer.json()
                let entries = ([json["config"]].compactMap { $0 } + (json["layers"]?.array ?? [])).filter {
                    $0["urls"] == nil
                }
                let blobs = entries.compactMap { entry -> (String, Int)? in
                    guard let digest = entry["digest"]?.string, let size = entry["size"]?.integer else { return nil }
                    return (digest, size)
                }
                for (digest, size) in blobs.prefix(12) {
                    let head = try probe.head(probe.blobPlace(digest, in: repository))
                    try head.expect(200)
                    try head.expectHeader("Content-Length", String(size))
                }
                guard let (digest, size) = blobs.min(by: { $0.1 < $1.1 }), size < 16 << 20 else { continue }
                let blob = try probe.get(probe.blobPlace(digest, in: repository)).expect(200)
                if let real = Digests.same(as: digest, blob.body) {
                    try require(real == digest, "content of \(digest)", real, blob)
                }
            }
        },
        Check(
            "read.tags", .must, "distribution-spec: Listing Tags", "the tags that are said to exist are listed",
            ["tags-200", "tags-json"], needs: [.given]
        ) { probe in
            let given = try given(probe)
            if given.tags.isEmpty { throw Skip("no tag was given") }
            let tags = Set(try probe.tags(in: given.repository))
            let missing = given.tags.filter { !tags.contains($0) }
            try require(missing.isEmpty, "\(given.tags) in the list", "without \(missing)")
        },
        Check(
            "read.referrers", .must, "distribution-spec: Listing Referrers",
            "the referrers list of what exists is an OCI index",
            ["referrers-200", "referrers-type", "referrers-index"],
            needs: [.given]
        ) { probe in
            for (_, answer) in try all(probe) {
                let place = probe.referrersPlace(Digests.sha256(answer.body), in: try given(probe).repository)
                let list = try probe.get(place)
                if list.status == 404 { throw Skip("the registry has no referrers API (404)") }
                try list.expect(200)
                try list.expectHeader("Content-Type", MediaType.ociIndex)
                try require(try list.json()["manifests"]?.array != nil, "a manifests array", "none", list)
            }
        },
    ]
}
