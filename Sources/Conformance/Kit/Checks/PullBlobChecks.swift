import Vocabulary

/// distribution-spec "Pulling blobs" (end-2).
enum PullBlobChecks {
    private static let section = "distribution-spec: Pulling blobs"

    static let checks: [Check] = sizes + others

    private static let sizes: [Check] = [
        ("empty", 0), ("one-byte", 1), ("small", 1_000), ("medium", 100_003), ("large", 5_300_017),
    ].map { name, count in
        Check(
            "pull.blob.\(name)", .must, section, "a blob of \(count) bytes comes back whole, 200",
            ["blob-get-200"]
        ) { probe in
            let blob = try probe.newBlob(count)
            let answer = try probe.get(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        }
    }

    private static let others: [Check] = [
        Check(
            "pull.blob.digest-header", .must, section, "the answer tells the blob's digest, and the right one",
            ["blob-get-digest", "blob-digest-matches"]
        ) { probe in
            let blob = try probe.newBlob()
            let answer = try probe.get(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectDigestHeader(of: blob.bytes)
        },
        Check(
            "pull.blob.missing", .must, section, "a blob that is not there is 404", ["blob-404"]
        ) { probe in
            _ = try probe.newBlob()
            let answer = try probe.get(probe.blobPlace(try probe.random(64).digest))
            try answer.expect(404)
        },
        Check(
            "pull.blob.unknown-repository", .must, section, "a blob of a repository that does not exist is 404",
            ["blob-404", "unknown-repository-404"], needs: []
        ) { probe in
            let place = probe.blobPlace(try probe.random(64).digest, in: probe.repository("never-made"))
            try probe.get(place).expect(404)
        },
        Check(
            "pull.blob.malformed-digest", .should, section, "a malformed digest is a client error, not a server's",
            ["http-semantics"]
        ) { probe in
            _ = try probe.newBlob()
            for digest in ["sha256:abc", "sha256:", "sha256:" + String(repeating: "Z", count: 64), "nonsense"] {
                try probe.get(probe.blobPlace(digest)).expectClientError("for the digest \(digest)")
            }
        },
        Check(
            "pull.blob.twice", .must, section, "the same blob twice is the same bytes, also on a kept connection",
            ["blob-get-200"]
        ) { probe in
            let blob = try probe.newBlob(70_001)
            for _ in 0..<3 {
                let answer = try probe.get(probe.blobPlace(blob.digest))
                try answer.expect(200)
                try answer.expectBody(blob.bytes)
            }
        },
        Check(
            "pull.blob.manifest-as-blob", .must, section,
            "a manifest asked for as a blob is the manifest or 404, nothing else", ["blob-get-200", "blob-404"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.blobPlace(image.digest))
            try answer.expect(200, 404)
            if answer.status == 200 { try answer.expectBody(image.content.bytes) }
        },
        Check(
            "pull.blob.sha512", .may, section, "a blob that was pushed by its sha512 digest is pulled by it",
            ["blob-get-200", "blob-get-digest"]
        ) { probe in
            let content = try probe.random(2_000)
            try SecondAlgorithm.push(content, probe)
            let answer = try probe.get(probe.blobPlace(content.digest512))
            try answer.expect(200)
            try answer.expectBody(content.bytes)
            try answer.expectDigestHeader(of: content.bytes)
        },
    ]
}

/// What checks of the second digest algorithm share.
enum SecondAlgorithm {
    /// Pushes by sha512, or skips the check where the registry refuses the algorithm by a client error.
    static func push(_ content: Content, _ probe: Probe) throws {
        let opening = try probe.postUpload("digest-algorithm=sha512")
        if (400..<500).contains(opening.status) {
            throw Skip("the registry takes no sha512 uploads (POST: \(opening.status))")
        }
        try opening.expect(202)
        let place = try probe.expectLocation(opening)
        let answer = try probe.finish(place, digest: content.digest512, body: content)
        if (400..<500).contains(answer.status) {
            throw Skip("the registry takes no sha512 digests (PUT: \(answer.status))")
        }
        try answer.expect(201)
    }
}
