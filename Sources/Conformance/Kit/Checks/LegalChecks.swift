import Foundation
import Vocabulary

/// What the image specification allows and few clients push: refused legal content is a fault as well, but for its size.
enum LegalChecks {
    private static let section = "image-spec: Image Manifest, Image Index, Descriptor"

    static let checks: [Check] = embedded + members + counts

    /// One check a kind of content: what `make` gives is taken by tag, and comes back byte for byte.
    private static func legal(
        _ name: String, _ gist: String, _ statement: String,
        excuse: @escaping @Sendable (Probe, Answer) throws -> String? = { _, _ in nil },
        _ make: @escaping @Sendable (Probe) throws -> Manifest
    ) -> Check {
        Check("push.legal.\(name)", .should, section, gist, [statement, "manifest-put-201", "manifest-exact-bytes"]) {
            probe in
            let manifest = try make(probe)
            let answer = try probe.putManifest(manifest.content, "legal", type: manifest.type)
            if answer.status == 413 || answer.errorCodes.contains(ErrorCode.sizeInvalid) {
                throw Skip("larger than the registry lets a manifest be (status \(answer.status))")
            }
            if (400..<500).contains(answer.status), let reason = try excuse(probe, answer) { throw Skip(reason) }
            try answer.expect(201)
            for reference in ["legal", manifest.digest] {
                let pulled = try probe.get(probe.manifestPlace(reference), ("Accept", manifest.type))
                try pulled.expect(200)
                try pulled.expectBody(manifest.content.bytes)
            }
        }
    }

    /// `data` of a descriptor: the content itself.
    private static func data(_ content: Content) -> (String, String) {
        ("data", JSONText.string(Data(content.bytes).base64EncodedString()))
    }

    /// A registry may refuse an index of what it has as no manifest. Where the refusal tells no code, as bodies are of any
    /// format, that is learned by an index of a manifest that nobody pushed.
    private static func unknownChild(_ probe: Probe, _ answer: Answer) throws -> String? {
        let reason = "the registry takes no index of what it has as no manifest (status \(answer.status))"
        guard answer.errorCodes.isEmpty else {
            return answer.errorCodes.contains(ErrorCode.manifestBlobUnknown) ? reason : nil
        }
        let index = Manifest(index: [try probe.newImage().descriptor()])
        let other = try probe.putManifest(index.content, index.digest, type: index.type)
        return (400..<500).contains(other.status) ? reason : nil
    }

    /// A small blob that is there, as a layer.
    private static func layer(_ probe: Probe, _ members: [(String, String)] = []) throws -> Descriptor {
        Descriptor(MediaType.ociLayer, try probe.newBlob(90), members)
    }

    private static let embedded: [Check] = [
        legal("data.config", "an artifact whose empty configuration is embedded as data is taken", "image-data") {
            probe in
            let empty = Content("{}")
            try probe.pushBlob(empty)
            let config = Descriptor(MediaType.ociEmpty, empty, [data(empty)])
            return Manifest(
                image: config, layers: [config], members: [("artifactType", "\"application/vnd.aerugo.test\"")])
        },
        legal("data.layer", "an image whose layer is embedded as data is taken", "image-data") { probe in
            let blob = try probe.newBlob(90)
            return Manifest(
                image: try probe.newConfig(), layers: [Descriptor(MediaType.ociLayer, blob, [data(blob)])])
        },
        legal("data.child", "an index whose manifest is embedded as data is taken", "image-data") { probe in
            let image = try probe.newImage()
            try probe.push(image)
            return Manifest(index: [image.descriptor([data(image.content)])])
        },
    ]

    /// Optional members of a descriptor, but `data` and `urls`, and of its platform.
    private static let descriptorMembers: [(String, String)] = [
        ("annotations", "{\"org.opencontainers.image.title\":\"a.tar\",\"empty\":\"\"}"),
        ("artifactType", "\"application/vnd.aerugo.test\""),
    ]
    private static let platform = (
        "platform",
        "{\"architecture\":\"arm64\",\"os\":\"windows\",\"os.version\":\"10.0.14393.1066\","
            + "\"os.features\":[\"win32k\"],\"variant\":\"v8\",\"features\":[\"sse4\"]}"
    )

    private static let members: [Check] = [
        legal("descriptor-members", "descriptors with annotations and artifactType are taken", "image-unknown") {
            probe in
            let config = Descriptor(MediaType.ociConfig, try probe.newBlob(60), descriptorMembers)
            return Manifest(image: config, layers: [try layer(probe, descriptorMembers)])
        },
        Check(
            "push.legal.urls", .may, section,
            "a layer with urls, where the registry's policy lets it have some, is kept",
            ["manifest-exact-bytes"]
        ) { probe in
            let urls = ("urls", "[\"https://example.org/a\",\"https://example.org/b\"]")
            let image = Manifest(image: try probe.newConfig(), layers: [try layer(probe, [urls])])
            let answer = try probe.putManifest(image.content, "legal", type: image.type)
            // By 5xx too: that is for errors.never-server to tell.
            if answer.status != 201 { throw Skip("urls are refused (status \(answer.status))") }
            try probe.get(probe.manifestPlace("legal"), ("Accept", image.type)).expectBody(image.content.bytes)
        },
        legal("image-members", "an image with artifactType, subject and annotations at once is taken", "image-unknown")
        {
            probe in
            let subject = try probe.newTaggedImage("subject")
            return Manifest(
                image: try probe.newConfig(), layers: [try layer(probe)],
                members: [
                    ("artifactType", "\"application/vnd.aerugo.test\""), ("subject", subject.descriptor().json),
                    ("annotations", "{\"org.opencontainers.image.ref.name\":\"a b/c\"}"),
                ])
        },
        legal(
            "index-members", "an index with artifactType, subject and annotations, and full platforms, is taken",
            "image-unknown"
        ) { probe in
            let subject = try probe.newTaggedImage("subject")
            let child = try probe.newImage()
            try probe.push(child)
            return Manifest(
                index: [child.descriptor([platform] + descriptorMembers)],
                members: [
                    ("artifactType", "\"application/vnd.aerugo.test\""), ("subject", subject.descriptor().json),
                    ("annotations", "{\"a\":\"b\"}"),
                ])
        },
        legal("unknown-types", "configuration and layers of types that nobody knows are taken", "image-type-unknown") {
            probe in
            Manifest(
                image: Descriptor("application/vnd.aerugo.nobody.v7+json", try probe.newBlob(60)),
                layers: [Descriptor("text/x-nobody; charset=utf-8", try probe.newBlob(60))])
        },
        legal("unknown-members", "members that nobody knows, a hundred levels deep, are taken", "image-unknown") {
            probe in
            let deep = String(repeating: "{\"a\":[", count: 50) + "1" + String(repeating: "]}", count: 50)
            return Manifest(
                image: try probe.newConfig(), layers: [try layer(probe, [("x-deep", deep)])],
                members: [("x-deep", deep)])
        },
        legal(
            "index-of-unknown", "an index that also names what is no manifest type anybody knows is taken",
            "image-type-unknown", excuse: unknownChild
        ) { probe in
            let child = try probe.newImage()
            try probe.push(child)
            let other = Descriptor("application/vnd.aerugo.nobody", try probe.newBlob(60))
            return Manifest(index: [child.descriptor(), other])
        },
    ]

    private static let counts: [Check] = [
        legal("index.forty", "an index of forty manifests is taken", "image-any-count") { probe in
            let config = try probe.newConfig()
            let blob = try layer(probe)
            let children = try (1...40).map { number in
                let child = Manifest(
                    image: config, layers: [blob], members: [("annotations", "{\"n\":\"\(number)\"}")])
                try probe.push(child)
                return child.descriptor([("platform", "{\"architecture\":\"a\(number)\",\"os\":\"linux\"}")])
            }
            return Manifest(index: children)
        },
        legal("index.deep", "an index of an index of an index of an index is taken", "image-any-count") { probe in
            var inner = try probe.newImage()
            for _ in 0..<4 {
                try probe.push(inner)
                inner = Manifest(index: [inner.descriptor()])
            }
            return inner
        },
        legal("layers.many", "an image of 300 layers, three of them many times, is taken", "image-any-count") { probe in
            let blobs = try (0..<3).map { _ in try layer(probe) }
            return Manifest(image: try probe.newConfig(), layers: (0..<300).map { blobs[$0 % 3] })
        },
        legal("annotations.many", "an image of 400 annotations, one of 60,000 characters, is taken", "image-any-count")
        {
            probe in
            let pairs = (0..<400).map { ("org.example.key-\($0)", "\"\($0)\"") }
            let long = ("org.example.long", JSONText.string(String(repeating: "é", count: 60_000)))
            return Manifest(
                image: try probe.newConfig(), layers: [try layer(probe)],
                members: [("annotations", JSONText.object(pairs + [long]))])
        },
    ]
}
