import Vocabulary

/// distribution-spec "Pushing Manifests" (end-7a): what is taken, and that it is kept as it is.
enum PushManifestChecks {
    private static let section = "distribution-spec: Pushing Manifests"

    static let checks: [Check] = answers + kinds + bytes + tags

    private static let answers: [Check] = [
        Check(
            "push.manifest.by-tag", .must, section,
            "a manifest pushed by tag is 201 with a Location that leads to it", ["manifest-put-201"]
        ) { probe in
            let image = try probe.newImage()
            let answer = try probe.putManifest(image.content, "latest", type: image.type)
            try answer.expect(201)
            var request = Request("GET", try probe.expectLocation(answer))
            request.headers = [("Accept", image.type)]
            let pulled = try probe.send(request)
            try pulled.expect(200)
            try pulled.expectBody(image.content.bytes)
        },
        Check(
            "push.manifest.by-digest", .must, section,
            "a manifest pushed by digest is 201 with a Location that leads to it", ["manifest-put-201"]
        ) { probe in
            let image = try probe.newImage()
            let answer = try probe.putManifest(image.content, image.digest, type: image.type)
            try answer.expect(201)
            var request = Request("GET", try probe.expectLocation(answer))
            request.headers = [("Accept", image.type)]
            let pulled = try probe.send(request)
            try pulled.expect(200)
            try pulled.expectBody(image.content.bytes)
        },
        Check(
            "push.manifest.digest-header", .must, section,
            "the answer to a push tells the manifest's digest: docker and ctr fail without", ["manifest-put-digest"]
        ) { probe in
            let image = try probe.newImage()
            for manifest in [image, Manifest(index: [image.descriptor()])] {
                for reference in ["latest", manifest.digest] {
                    let answer = try probe.putManifest(manifest.content, reference, type: manifest.type)
                    try answer.expect(201)
                    try answer.expectHeader(HeaderName.dockerContentDigest, manifest.digest)
                }
            }
        },
        Check(
            "push.manifest.sha512", .may, section, "a manifest pushed by sha512 is told by that digest",
            ["manifest-put-digest"]
        ) { probe in
            let image = try probe.newImage()
            let digest = image.content.digest512
            let answer = try probe.putManifest(image.content, digest, type: image.type)
            if (400..<500).contains(answer.status) { throw Skip("no sha512 manifest digests (\(answer.status))") }
            try answer.expect(201)
            try answer.expectHeader(HeaderName.dockerContentDigest, digest)
        },
        Check(
            "push.manifest.again", .must, section, "the same manifest can be pushed once more", ["manifest-put-201"]
        ) { probe in
            let image = try probe.newTaggedImage()
            try probe.putManifest(image.content, "latest", type: image.type).expect(201)
            try probe.putManifest(image.content, image.digest, type: image.type).expect(201)
        },
        Check(
            "push.manifest.parameters", .should, section, "parameters on the pushed Content-Type are ignored",
            ["push-parameters-ignored"]
        ) { probe in
            let image = try probe.newImage()
            let answer = try probe.putManifest(image.content, "latest", type: image.type + "; charset=utf-8")
            try answer.expect(201)
            let pulled = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type))
            try pulled.expect(200)
            try PullManifestChecks.requireType(pulled, image.type)
        },
    ]

    /// One check a kind: what `make` gives is pushed by tag and comes back byte for byte.
    private static func kind(
        _ name: String, _ level: Level, _ gist: String, _ make: @escaping @Sendable (Probe) throws -> Manifest
    ) -> Check {
        Check("push.kind.\(name)", level, section, gist, ["manifest-put-201", "manifest-exact-bytes"]) { probe in
            let manifest = try make(probe)
            let answer = try probe.putManifest(manifest.content, "latest", type: manifest.type)
            if level == .may, (400..<500).contains(answer.status) {
                throw Skip("the registry does not take this kind (status \(answer.status))")
            }
            try answer.expect(201)
            let pulled = try probe.get(probe.manifestPlace("latest"), ("Accept", manifest.type))
            try pulled.expect(200)
            try pulled.expectBody(manifest.content.bytes)
        }
    }

    private static let kinds: [Check] = [
        kind("oci-image", .must, "an OCI image manifest is taken") { try $0.newImage(layers: 3) },
        kind("docker-image", .should, "a Docker schema 2 manifest is taken") {
            try $0.newImage(layers: 2, type: MediaType.dockerManifest)
        },
        kind("oci-index", .must, "an OCI index of two images is taken") { probe in
            let images = [try probe.newImage(), try probe.newImage()]
            for image in images { try probe.push(image) }
            let children = images.enumerated().map { number, image in
                let platform = "{\"architecture\":\"\(number == 0 ? "amd64" : "arm64")\",\"os\":\"linux\"}"
                return image.descriptor([("platform", platform)])
            }
            return Manifest(index: children)
        },
        kind("docker-list", .should, "a Docker manifest list is taken") { probe in
            let image = try probe.newImage(type: MediaType.dockerManifest)
            try probe.push(image)
            let platform = ("platform", "{\"architecture\":\"amd64\",\"os\":\"linux\"}")
            return Manifest(index: [image.descriptor([platform])], type: MediaType.dockerManifestList)
        },
        kind("nested-index", .should, "an index of an index is taken") { probe in
            let image = try probe.newImage()
            try probe.push(image)
            let inner = Manifest(index: [image.descriptor()])
            try probe.push(inner)
            return Manifest(index: [inner.descriptor(), image.descriptor()])
        },
        kind("empty-index", .should, "an index of nothing is taken") { probe in
            Manifest(index: [], members: [("annotations", "{\"n\":\(JSONText.string(try probe.word()))}")])
        },
        kind("no-layers", .should, "an image of no layers is taken: the list of blobs may be empty") { probe in
            Manifest(image: try probe.newConfig(), layers: [])
        },
        kind("artifact", .should, "an artifact with an empty configuration and an artifactType is taken") { probe in
            let empty = Content("{}")
            try probe.pushBlob(empty)
            let layer = Descriptor("application/vnd.aerugo.test.layer", try probe.newBlob(99))
            return Manifest(
                image: Descriptor(MediaType.ociEmpty, empty), layers: [layer],
                members: [("artifactType", "\"application/vnd.aerugo.test\"")])
        },
        kind("oci-artifact-manifest", .may, "an artifact manifest of image-spec 1.1's first drafts") { probe in
            let blob = Descriptor("application/vnd.aerugo.test.layer", try probe.newBlob(99))
            let text =
                "{\"mediaType\":\"\(MediaType.ociArtifact)\",\"artifactType\":\"application/vnd.aerugo.test\","
                + "\"blobs\":[\(blob.json)]}"
            return Manifest(text, type: MediaType.ociArtifact)
        },
        kind("nondistributable", .should, "layers that need not be there, by their type and urls, may be missing") {
            probe in
            let layer = Descriptor(
                MediaType.ociNondistributablePrefix + "v1.tar+gzip", try probe.random(80),
                [("urls", "[\"https://layers.example.org/a\"]")])
            return Manifest(image: try probe.newConfig(), layers: [layer])
        },
        kind("zstd-layer", .should, "a layer type that the registry need not know is taken") { probe in
            let layer = Descriptor("application/vnd.oci.image.layer.v1.tar+zstd", try probe.newBlob(99))
            return Manifest(image: try probe.newConfig(), layers: [layer])
        },
        kind("many-layers", .should, "an image of 120 layers is taken") { probe in
            let blob = try probe.newBlob(99)
            let config = try probe.newConfig()
            return Manifest(image: config, layers: (0..<120).map { _ in Descriptor(MediaType.ociLayer, blob) })
        },
    ]

    /// One check an oddity of writing that must survive.
    private static func exact(
        _ name: String, _ gist: String, _ write: @escaping @Sendable (_ config: String, _ layer: String) -> String
    ) -> Check {
        Check("push.bytes.\(name)", .must, section, gist, ["manifest-exact-bytes"]) { probe in
            let config = try probe.newConfig()
            let layer = Descriptor(MediaType.ociLayer, try probe.newBlob(99))
            let manifest = Manifest(write(config.json, layer.json), type: MediaType.ociManifest)
            try probe.putManifest(manifest.content, "latest", type: manifest.type).expect(201)
            for reference in ["latest", manifest.digest] {
                let pulled = try probe.get(probe.manifestPlace(reference), ("Accept", manifest.type))
                try pulled.expect(200)
                try pulled.expectBody(manifest.content.bytes)
            }
        }
    }

    private static let head = "\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociManifest)\""

    private static let bytes: [Check] = [
        exact("whitespace", "blanks, tabs and line ends of a manifest stay as they are") { config, layer in
            "{\n\t\(head) ,\r\n  \"config\" : \(config),\n\n   \"layers\":[ \(layer) ]\n}\n\n"
        },
        exact("member-order", "the order of a manifest's members stays") { config, layer in
            "{\"layers\":[\(layer)],\"config\":\(config),\(head)}"
        },
        exact("unknown-members", "members that the registry does not know stay") { config, layer in
            "{\(head),\"config\":\(config),\"layers\":[\(layer)],\"x-unknown\":{\"a\":[1,2.50,1e3,null,true]}}"
        },
        exact("escapes", "escapes and characters beyond ASCII stay as they were written") { config, layer in
            "{\(head),\"config\":\(config),\"layers\":[\(layer)],"
                + "\"annotations\":{\"a\":\"\\u00e9\\/<>&\\u2028\",\"b\":\"é漢🎉\"}}"
        },
        exact("no-media-type", "a manifest without mediaType is taken by its Content-Type") { config, layer in
            "{\"schemaVersion\":2,\"config\":\(config),\"layers\":[\(layer)]}"
        },
    ]

    private static let tags: [Check] = [
        Check(
            "push.tag.moves", .must, section,
            "a tag that is pushed again names the new manifest, the old stays by digest",
            ["manifest-get-200"]
        ) { probe in
            let old = try probe.newTaggedImage()
            let new = try probe.newImage()
            try probe.head(probe.manifestPlace("latest"), ("Accept", old.type)).expectDigestHeader(
                of: old.content.bytes)
            try probe.putManifest(new.content, "latest", type: new.type).expect(201)
            try probe.get(probe.manifestPlace("latest"), ("Accept", new.type)).expectBody(new.content.bytes)
            try probe.head(probe.manifestPlace("latest"), ("Accept", new.type)).expectDigestHeader(
                of: new.content.bytes)
            let kept = try probe.get(probe.manifestPlace(old.digest), ("Accept", old.type))
            try kept.expect(200)
            try kept.expectBody(old.content.bytes)
        },
        Check(
            "push.tag.moves-back", .must, section, "a tag can go back to an older manifest", ["manifest-get-200"]
        ) { probe in
            let old = try probe.newTaggedImage()
            let new = try probe.newTaggedImage()
            try probe.putManifest(old.content, "latest", type: old.type).expect(201)
            try probe.get(probe.manifestPlace("latest"), ("Accept", new.type)).expectBody(old.content.bytes)
        },
        Check(
            "push.tag.several", .must, section, "one manifest may have several tags", ["manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage("one")
            try probe.putManifest(image.content, "two", type: image.type).expect(201)
            for tag in ["one", "two"] {
                let answer = try probe.get(probe.manifestPlace(tag), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectBody(image.content.bytes)
            }
        },
        Check(
            "push.tag.none-by-digest", .must, section, "a push by digest makes no tag", ["tags-json"]
        ) { probe in
            let image = try probe.newTaggedImage("only")
            let other = try probe.newImage()
            try probe.push(other)
            let tags = try probe.tags()
            if !probe.isRepositoryFresh { return try require(tags.contains("only"), "the tag", "\(tags)") }
            try require(tags == ["only"], "the one tag 'only' of \(image.digest)", "\(tags)")
        },
        Check(
            "push.tag.forms", .must, "distribution-spec: Pulling manifests",
            "every form of tag that the grammar allows is taken", ["tag-grammar"]
        ) { probe in
            let image = try probe.newImage()
            let longest = "L" + String(repeating: "x", count: 127)
            for tag in ["_", "A", "0", "v1.2.3", "a-b_c.D", "..".replacing(".", with: "_") + "x.-", longest] {
                try probe.putManifest(image.content, tag, type: image.type).expect(201)
                let answer = try probe.get(probe.manifestPlace(tag), ("Accept", image.type))
                try answer.expect(200)
                try answer.expectBody(image.content.bytes)
            }
        },
        Check(
            "push.tag.hexadecimal", .must, "Docker V2: what clients need",
            "64 hexadecimal digits are a tag, not a digest: buildah's cache uses them", ["tag-grammar"]
        ) { probe in
            let image = try probe.newImage()
            let tag = String(try probe.random(32).digest.dropFirst(7))
            try probe.putManifest(image.content, tag, type: image.type).expect(201)
            let answer = try probe.get(probe.manifestPlace(tag), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
        },
        Check(
            "push.tag.case", .must, "distribution-spec: Pulling manifests", "tags that differ in case are two tags",
            ["tag-grammar"]
        ) { probe in
            let lower = try probe.newTaggedImage("v")
            let upper = try probe.newTaggedImage("V")
            try probe.get(probe.manifestPlace("v"), ("Accept", MediaTypes.all)).expectBody(lower.content.bytes)
            try probe.get(probe.manifestPlace("V"), ("Accept", MediaTypes.all)).expectBody(upper.content.bytes)
        },
    ]
}
