import Vocabulary

/// distribution-spec "Pushing Manifests": what is not to be taken.
enum RefusedManifestChecks {
    private static let section = "distribution-spec: Pushing Manifests"

    static let checks: [Check] = digests + documents + missing + sizes + names

    private static let digests: [Check] = [
        Check(
            "push.refused.wrong-digest", .must, section,
            "a manifest that is not what its digest says is a client error and is stored under neither",
            ["manifest-put-digest", "digest-bad-400"]
        ) { probe in
            let image = try probe.newImage()
            let other = try probe.random(99).digest
            let answer = try probe.putManifest(image.content, other, type: image.type)
            try answer.expectClientError("for a manifest of another digest")
            for digest in [other, image.digest] { try probe.get(probe.manifestPlace(digest)).expect(404) }
        },
        Check(
            "push.refused.malformed-digest", .should, "distribution-spec: Pushing blobs",
            "a manifest pushed by a malformed digest is 400", ["reference-no-other", "push-reference-form"]
        ) { probe in
            let image = try probe.newImage()
            try probe.putManifest(image.content, "sha256:abc", type: image.type).expect(400)
        },
    ]

    private static let documents: [Check] =
        [
            ("no-json", "this is no JSON"), ("cut", "{\"schemaVersion\":2,\"layers\":["), ("empty", ""),
            ("array", "[1,2,3]"), ("number", "42"),
            ("wrong-types", "{\"schemaVersion\":2,\"config\":\"x\",\"layers\":7}"),
            ("deep", String(repeating: "[", count: 50_000)),
        ].map { name, text in
            Check(
                "push.refused.\(name)", .should, section,
                "a body that is no manifest (\(name)) is a client error and is not stored",
                ["http-semantics"]
            ) { probe in
                _ = try probe.newBlob()
                let answer = try probe.putManifest(Content(text), "bad", type: MediaType.ociManifest)
                try answer.expectClientError("for a body that is no manifest")
                try probe.get(probe.manifestPlace("bad")).expect(404)
            }
        } + [
            Check(
                "push.refused.schema1", .should, "Docker V2: what clients need",
                "Docker schema 1 is refused as a client error: that makes clients fall back", ["opinion"]
            ) { probe in
                let blob = try probe.newBlob()
                let text =
                    "{\"schemaVersion\":1,\"name\":\"\(probe.repository)\",\"tag\":\"one\",\"architecture\":\"amd64\","
                    + "\"fsLayers\":[{\"blobSum\":\"\(blob.digest)\"}],\"history\":[{\"v1Compatibility\":\"{}\"}]}"
                let answer = try probe.putManifest(Content(text), "one", type: MediaType.dockerSchema1)
                try answer.expectClientError("for an unsigned schema 1 manifest")
            },
            Check(
                "push.refused.type-confusion", .should, "CVE-2021-41190: media type confusion",
                "a body whose mediaType is not the Content-Type is refused", ["opinion"]
            ) { probe in
                let image = try probe.newImage()
                let answer = try probe.putManifest(image.content, "latest", type: MediaType.ociIndex)
                try answer.expectClientError("for an image manifest pushed as an index")
            },
            Check(
                "push.refused.both-lists", .should, "CVE-2021-41190: media type confusion",
                "a body with both manifests and layers is refused", ["opinion"]
            ) { probe in
                let image = try probe.newImage()
                try probe.push(image)
                let text =
                    String(String(decoding: image.content.bytes, as: UTF8.self).dropLast())
                    + ",\"manifests\":[\(image.descriptor().json)]}"
                let answer = try probe.putManifest(Content(text), "both", type: MediaType.ociManifest)
                try answer.expectClientError("for a manifest that is also an index")
            },
        ]

    private static let missing: [Check] = [
        Check(
            "push.missing.blobs", .must, "distribution-spec: Push",
            "a manifest of blobs that are not there, when refused, is MANIFEST_BLOB_UNKNOWN", ["manifest-blob-unknown"]
        ) { probe in
            let layer = Descriptor(MediaType.ociLayer, try probe.random(70))
            let image = Manifest(image: try probe.newConfig(), layers: [layer])
            let answer = try probe.putManifest(image.content, "latest", type: image.type)
            if answer.status == 201 { throw Skip("the registry takes manifests before their blobs") }
            try answer.expectClientError("for a manifest of missing blobs")
            try requireCode(answer)
        },
        Check(
            "push.missing.config", .must, "distribution-spec: Push",
            "a manifest of a configuration that is not there, when refused, is MANIFEST_BLOB_UNKNOWN",
            ["manifest-blob-unknown"]
        ) { probe in
            let layer = Descriptor(MediaType.ociLayer, try probe.newBlob(70))
            let image = Manifest(image: Descriptor(MediaType.ociConfig, try probe.random(70)), layers: [layer])
            let answer = try probe.putManifest(image.content, "latest", type: image.type)
            if answer.status == 201 { throw Skip("the registry takes manifests before their configurations") }
            try requireCode(answer)
        },
        Check(
            "push.missing.children", .must, "distribution-spec: Push",
            "an index of manifests that are not there, when refused, is MANIFEST_BLOB_UNKNOWN",
            ["manifest-blob-unknown"]
        ) { probe in
            let image = try probe.newImage()
            let index = Manifest(index: [image.descriptor()])
            let answer = try probe.putManifest(index.content, "latest", type: index.type)
            if answer.status == 201 { throw Skip("the registry takes sparse indexes") }
            try requireCode(answer)
        },
        Check(
            "push.missing.named", .should, "distribution-spec: Push",
            "a refusal that names missing blobs names each of them, so that a client can push them",
            ["manifest-blob-unknown"]
        ) { probe in
            let blobs = [try probe.random(70), try probe.random(71)]
            let image = Manifest(
                image: try probe.newConfig(), layers: blobs.map { Descriptor(MediaType.ociLayer, $0) })
            let answer = try probe.putManifest(image.content, "latest", type: image.type)
            if answer.status == 201 { throw Skip("the registry takes manifests before their blobs") }
            // The detail is OPTIONAL: only where one names what is missing, it has to name it all.
            let text = String(decoding: answer.body, as: UTF8.self)
            if !text.contains("sha256:") { throw Skip("the refusal does not say what is missing") }
            for blob in blobs {
                try require(text.contains(blob.digest), "each missing digest in the error", "no \(blob.digest)", answer)
            }
        },
        Check(
            "push.missing.not-stored", .must, "distribution-spec: Push",
            "a manifest that was refused is not there", ["manifest-404"]
        ) { probe in
            let image = Manifest(
                image: try probe.newConfig(), layers: [Descriptor(MediaType.ociLayer, try probe.random(70))])
            let tag = probe.ownTag
            let answer = try probe.putManifest(image.content, tag, type: image.type)
            if answer.status == 201 { throw Skip("the registry takes manifests before their blobs") }
            try probe.get(probe.manifestPlace(tag)).expect(404)
            try probe.get(probe.manifestPlace(image.digest)).expect(404)
        },
    ]

    private static func requireCode(_ answer: Answer) throws {
        try answer.expectClientError("for what is missing")
        if !answer.hasJSON { throw Skip("the refusal has no JSON body, and a 4XX may have any") }
        try require(
            answer.errorCodes.contains(ErrorCode.manifestBlobUnknown), "error code MANIFEST_BLOB_UNKNOWN",
            answer.errorCodes.isEmpty ? "no error code" : answer.errorCodes.joined(separator: ", "), answer)
    }

    /// An image manifest of about `size` bytes, padded in an annotation.
    private static func padded(_ probe: Probe, _ size: Int) throws -> Content {
        let config = try probe.newConfig()
        let head =
            "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociManifest)\",\"config\":\(config.json),"
            + "\"layers\":[],\"annotations\":{\"padding\":\""
        return Content.padded(head, count: size - head.utf8.count - 3, "\"}}")
    }

    private static let sizes: [Check] = [
        Check(
            "push.size.four-mebibytes", .should, section, "a manifest of 4,000,000 bytes is taken and comes back",
            ["manifest-4mb"]
        ) { probe in
            let content = try padded(probe, 4_000_000)
            try probe.putManifest(content, "latest", type: MediaType.ociManifest).expect(201)
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", MediaType.ociManifest))
            try answer.expect(200)
            try answer.expectBody(content.bytes)
        },
        Check(
            "push.size.limit", .should, section, "a manifest of 24 MiB is past any sensible limit: 413",
            ["manifest-limit", "manifest-413"]
        ) { probe in
            let content = try padded(probe, 24 << 20)
            try probe.putManifest(content, "latest", type: MediaType.ociManifest).expect(413)
        },
    ]

    private static let names: [Check] = [
        ("too-long", String(repeating: "t", count: 129)), ("leading-dot", ".tag"), ("leading-dash", "-tag"),
        ("blank", "a%20b"), ("beyond-ascii", "t%C3%A9g"), ("plus", "a+b"), ("at", "a@b"),
    ].map { name, tag in
        Check(
            "push.tag.refused.\(name)", .must, "distribution-spec: Pulling manifests",
            "a tag outside the grammar (\(name)) is a client error",
            ["tag-grammar", "reference-no-other", "push-reference-form"]
        ) { probe in
            let image = try probe.newImage()
            let answer = try probe.putManifest(image.content, tag, type: image.type)
            try answer.expectClientError("for a tag outside the grammar")
        }
    }
}
