import Foundation
import Vocabulary

/// distribution-spec "Listing Referrers": the descriptors of a list, and filters with awkward types.
enum ReferrerEntryChecks {
    private static let section = "distribution-spec: Listing Referrers"

    /// The one entry of `digest` in a list.
    static func only(_ entries: [JSON], _ digest: String) throws -> JSON {
        let matching = entries.filter { $0["digest"]?.string == digest }
        guard matching.count == 1, let entry = matching.first else {
            throw CheckFailure(
                expected: "\(digest) once in the referrers list",
                got: "\(matching.count) times among \(entries.count) entries")
        }
        return entry
    }

    /// An entry must tell the manifest's size and type, and its bytes where it embeds any (image-spec "Descriptors").
    static func requireFits(_ entry: JSON, _ manifest: Manifest) throws {
        try require(
            entry["size"]?.integer == manifest.content.count && entry["mediaType"]?.string == manifest.type,
            "size \(manifest.content.count), mediaType \(manifest.type)",
            "\(entry["size"]?.integer ?? -1), \(entry["mediaType"]?.string ?? "none")")
        guard let data = entry["data"] else { return }
        let bytes = data.string.flatMap { Data(base64Encoded: $0) }
        try require(
            bytes.map(Array.init) == manifest.content.bytes, "data: the manifest in base64, or none",
            data.string.map { "data: \($0.prefix(60))" } ?? "data that is no string")
    }

    /// An entry must bear these annotations; a registry may add some of its own.
    static func requireAnnotations(_ entry: JSON, _ wanted: [String: String]) throws {
        let got = entry["annotations"]?.dictionary ?? [:]
        try require(
            wanted.allSatisfy { got[$0.key] == $0.value }, "annotations \(wanted), among others or alone", "\(got)")
    }

    /// An index with a subject and more members.
    private static func index(_ subject: Manifest, _ type: String?, _ annotations: [String: String]) -> Manifest {
        var members = [("subject", subject.descriptor().json)]
        if let type { members.append(("artifactType", JSONText.string(type))) }
        let pairs = annotations.sorted { $0.key < $1.key }.map { ($0.key, JSONText.string($0.value)) }
        if !pairs.isEmpty { members.append(("annotations", JSONText.object(pairs))) }
        return Manifest(index: [], members: members)
    }

    static let checks: [Check] = [
        Check(
            "referrers.artifact-type.over-config", .must, section,
            "an artifactType is told as it is, whatever the configuration's media type", ["referrers-artifact-type"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            var config = try probe.newConfig()
            config.type = "application/vnd.aerugo.config"
            let type = "application/vnd.aerugo.sbom"
            let referrer = try probe.newReferrer(to: subject.descriptor(), artifactType: type, config: config)
            try probe.push(referrer)
            let got = try only(try probe.referrers(of: subject.digest), referrer.digest)["artifactType"]?.string
            try require(got == type, "artifactType: \(type)", got ?? "none")
        },
        Check(
            "referrers.annotations.many", .must, section,
            "all of six annotations are in the descriptor, of an image manifest and of an index",
            ["referrers-annotations"]
        ) { probe in
            var wanted = [
                "org.opencontainers.image.created": "2026-01-01T00:00:00Z", "empty": "", "com.example/x": "1",
            ]
            for name in ["a", "dev.b.c", "long"] { wanted[name] = String(repeating: name, count: 40) }
            let subject = try probe.newTaggedImage()
            let pairs = wanted.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
            let referrers = [
                try probe.newReferrer(to: subject.descriptor(), annotations: pairs), index(subject, nil, wanted),
            ]
            for referrer in referrers { try probe.push(referrer) }
            let found = try probe.referrers(of: subject.digest)
            for referrer in referrers {
                try requireAnnotations(try only(found, referrer.digest), wanted)
            }
        },
        Check(
            "referrers.filter.escaped", .should, section,
            "the filter is percent-decoded: %2B is a plus, as in types that end with +json", ["referrers-filter"]
        ) { probe in
            let type = "application/vnd.aerugo.sbom.v1+json"
            let subject = try probe.newTaggedImage()
            let referrer = try probe.newReferrer(to: subject.descriptor(), artifactType: type)
            try probe.push(referrer)
            let found = try probe.referrers(of: subject.digest, "artifactType=" + queryEscaped(type))
            _ = try only(found, referrer.digest)
        },
        Check(
            "referrers.filter.index", .should, section, "the filter also finds indexes of that type",
            ["referrers-filter"]
        ) { probe in
            let type = "application/vnd.aerugo.one"
            let subject = try probe.newTaggedImage()
            let referrer = index(subject, type, [:])
            try probe.push(referrer)
            let listed = try probe.referrers(of: subject.digest).contains { $0["digest"]?.string == referrer.digest }
            if !listed { throw Skip("the registry lists no indexes as referrers") }
            _ = try only(try probe.referrers(of: subject.digest, "artifactType=\(queryEscaped(type))"), referrer.digest)
        },
    ]
}
