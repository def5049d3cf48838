import Vocabulary

/// distribution-spec "Pulling manifests" (end-3).
enum PullManifestChecks {
    private static let section = "distribution-spec: Pulling manifests"

    static let checks: [Check] = found + types + missing + negotiation

    private static let found: [Check] = [
        Check(
            "pull.manifest.by-tag", .must, section, "a manifest comes back by its tag, 200 and the exact bytes",
            ["manifest-get-200", "manifest-exact-bytes", "reference-form"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "pull.manifest.by-digest", .must, section, "a manifest comes back by its digest, 200 and the exact bytes",
            ["manifest-get-200", "manifest-exact-bytes", "reference-form"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace(image.digest), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "pull.manifest.digest-header.by-tag", .must, section,
            "the answer to a pull by tag tells the manifest's digest", ["manifest-get-digest"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectDigestHeader(of: image.content.bytes)
        },
        Check(
            "pull.manifest.digest-header.by-digest", .must, section,
            "the answer to a pull by digest tells the manifest's digest", ["manifest-get-digest"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace(image.digest), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectDigestHeader(of: image.content.bytes)
        },
        Check(
            "pull.manifest.sha512", .may, section, "a manifest that was pushed by its sha512 digest is pulled by it",
            ["manifest-get-200"]
        ) { probe in
            let image = try probe.newImage()
            let pushed = try probe.putManifest(image.content, image.content.digest512, type: image.type)
            if (400..<500).contains(pushed.status) {
                throw Skip("the registry takes no sha512 manifest digests (status \(pushed.status))")
            }
            try pushed.expect(201)
            let answer = try probe.get(probe.manifestPlace(image.content.digest512), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
    ]

    /// The kinds of manifest whose type must survive, by name.
    static let kinds = [
        ("oci-manifest", MediaType.ociManifest), ("docker-manifest", MediaType.dockerManifest),
        ("oci-index", MediaType.ociIndex), ("docker-list", MediaType.dockerManifestList),
    ]

    /// Pushes a manifest of a type as `latest`; skips the check where the registry takes none of Docker's.
    static func pushed(_ type: String, _ probe: Probe) throws -> Manifest {
        let isDocker = type == MediaType.dockerManifest || type == MediaType.dockerManifestList
        let image = try probe.newImage(type: isDocker ? MediaType.dockerManifest : MediaType.ociManifest)
        let platform = ("platform", "{\"architecture\":\"amd64\",\"os\":\"linux\"}")
        let index = Manifest(index: [image.descriptor([platform])], type: type)
        let isImage = type == image.type
        for manifest in isImage ? [image] : [image, index] {
            let reference = manifest.type == type ? "latest" : manifest.digest
            let answer = try probe.putManifest(manifest.content, reference, type: manifest.type)
            if isDocker, [400, 415].contains(answer.status) {
                throw Skip("the registry takes no Docker manifests (status \(answer.status))")
            }
            try probe.prepare("a pushed manifest") { _ = try answer.expect(201) }
        }
        return isImage ? image : index
    }

    private static let types: [Check] =
        kinds.map { name, type in
            Check(
                "pull.manifest.content-type.\(name)", .should, section,
                "Content-Type is the one that the manifest was pushed with, by tag and by digest: \(type)",
                ["content-type-as-pushed"]
            ) { probe in
                let manifest = try pushed(type, probe)
                // The type stands last among others, as clients that take any write it.
                let many = kinds.map(\.1).filter { $0 != type } + [type]
                for reference in ["latest", manifest.digest] {
                    for accept in [type, many.joined(separator: ", ")] {
                        let answer = try probe.get(probe.manifestPlace(reference), ("Accept", accept))
                        try answer.expect(200)
                        try requireType(answer, type)
                    }
                }
            }
        } + [
            Check(
                "pull.manifest.content-type.no-parameters", .should, section,
                "Content-Type of a manifest has no parameters", ["content-type-no-parameters"]
            ) { probe in
                let image = try probe.newTaggedImage()
                let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
                try answer.expect(200)
                let type = try answer.expectHeader("Content-Type")
                try require(!type.contains(";"), "Content-Type without parameters", type, answer)
            }
        ]

    /// The type without parameters must be `type`.
    static func requireType(_ answer: Answer, _ type: String) throws {
        let got = try answer.expectHeader("Content-Type")
        let bare = got.prefix { $0 != ";" }.trimmed
        guard bare != type else { return }
        throw answer.failure("\(answer.request): Content-Type: \(type)", got, .header("Content-Type", type))
    }

    private static let missing: [Check] = [
        Check(
            "pull.manifest.missing-tag", .must, section, "a tag that is not there is 404",
            ["manifest-404"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace(try probe.word("no-such-")))
            try answer.expect(404)
        },
        Check(
            "pull.manifest.missing-digest", .must, section, "a digest that is not there is 404",
            ["manifest-404"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace(try probe.random(64).digest))
            try answer.expect(404)
        },
        Check(
            "pull.manifest.malformed-digest", .should, section,
            "a reference that is neither a tag nor a digest is a client error",
            ["reference-no-other", "http-semantics"]
        ) { probe in
            _ = try probe.newTaggedImage()
            for reference in ["sha256:abc", "sha256:" + String(repeating: "g", count: 64), "md5:x", "a:b:c"] {
                try probe.get(probe.manifestPlace(reference)).expectClientError("for the reference \(reference)")
            }
        },
        Check(
            "pull.manifest.blob-is-none", .must, section, "a blob's digest is no manifest: 404", ["manifest-404"]
        ) { probe in
            let blob = try probe.newBlob()
            try probe.get(probe.manifestPlace(blob.digest)).expect(404)
        },
    ]

    private static let negotiation: [Check] = [
        Check(
            "pull.manifest.accept.lines", .must, "RFC 9110 §12.5.1: Accept",
            "Accept over several lines is one list: docker sends a line a type", ["manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(
                probe.manifestPlace("latest"), ("Accept", MediaType.dockerManifestList),
                ("Accept", MediaType.ociIndex), ("Accept", MediaType.ociManifest), ("Accept", "*/*;q=0.1"))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "pull.manifest.accept.any", .must, "RFC 9110 §12.5.1: Accept", "Accept: */* gets the manifest",
            ["manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", "*/*"))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "pull.manifest.accept.none", .should, "RFC 9110 §12.5.1: Accept",
            "no Accept at all means that any type will do", ["http-semantics"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace("latest"))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "pull.manifest.accept.other", .must, "RFC 9110 §12.1: Proactive negotiation",
            "a type that is not accepted is sent as it is, or refused by 404 or 406; never rewritten",
            ["manifest-exact-bytes"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace(image.digest), ("Accept", MediaType.dockerManifestList))
            try answer.expect(200, 404, 406)
            if answer.status == 200 { try answer.expectBody(image.content.bytes) }
        },
    ]
}
