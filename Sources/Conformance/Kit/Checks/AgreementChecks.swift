import Vocabulary

/// RFC 9110 on what two answers about the same thing must have in common: HEAD and GET, a tag's ETag before and after.
enum AgreementChecks {
    static let checks: [Check] = fields + etags

    /// Fields that are about the connection or the moment.
    private static let momentary: Set<String> = [
        "date", "age", "connection", "keep-alive", "transfer-encoding", "trailer", "set-cookie", "expires",
    ]

    /// What has to be pulled, by name.
    private static func place(_ probe: Probe, _ kind: String) throws -> Place {
        switch kind {
        case "blob": return probe.blobPlace(try probe.newBlob().digest)
        case "manifest": return probe.manifestPlace(try probe.newTaggedImage().digest)
        case "tag":
            _ = try probe.newTaggedImage()
            return probe.manifestPlace("latest")
        default:
            let image = try probe.newImage()
            try probe.push(image)
            let index = Manifest(index: [image.descriptor()])
            try probe.push(index, as: "both")
            return probe.manifestPlace(kind == "index-tag" ? "both" : index.digest)
        }
    }

    private static let fields: [Check] = ["blob", "manifest", "tag", "index", "index-tag"].map { kind in
        Check(
            "exists.fields.\(kind)", .should, "RFC 9110 §9.3.2: HEAD",
            "HEAD of a \(kind) is answered with the header fields of GET: every one that two GETs agree in",
            ["http-head-fields", "http-length-head"]
        ) { probe in
            let place = try place(probe, kind)
            let accept = ("Accept", MediaTypes.all)
            let first = try probe.get(place, accept).expect(200)
            let second = try probe.get(place, accept).expect(200)
            let head = try probe.head(place, accept).expect(200)
            if first.url != head.url { throw Skip("GET and HEAD are answered by different servers") }
            for name in Set(first.headers.fields.map { $0.name.lowercased() }).subtracting(momentary).sorted() {
                let wanted = first.headers.all(name)
                let got = head.headers.all(name)
                // What is known only with the content may be left out (§9.3.2); of HEAD alone other checks ask more.
                guard wanted == second.headers.all(name), got != wanted, !got.isEmpty else { continue }
                throw head.failure(
                    "\(head.request): \(name): \(wanted.joined(separator: ", ")), as GET tells",
                    "\(name): \(got.joined(separator: ", "))", .header(name, wanted.last ?? ""))
            }
        }
    }

    private static let etags: [Check] = [
        Check(
            "conditional.tag-moved", .must, "RFC 9110 §13.1.2: If-None-Match",
            "after a tag moved, If-None-Match with the ETag that it had gets the new manifest, not 304",
            ["manifest-get-200"]
        ) { probe in
            let old = try probe.newTaggedImage()
            let seen = try probe.get(probe.manifestPlace("latest"), ("Accept", old.type)).expect(200)
            guard let tag = seen.headers["ETag"] else { throw Skip("no ETag is sent") }
            let new = try probe.newTaggedImage()
            let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", new.type), ("If-None-Match", tag))
            try answer.expect(200)
            try answer.expectBody(new.content.bytes)
        },
        Check(
            "conditional.etag-moves", .should, "RFC 9110 §8.8.1: Weak versus Strong",
            "the ETag of a tag is another when the tag names another manifest", ["http-etag-changes"]
        ) { probe in
            var seen: [String] = []
            for _ in 0..<2 {
                let image = try probe.newTaggedImage()
                let answer = try probe.get(probe.manifestPlace("latest"), ("Accept", image.type)).expect(200)
                guard let tag = answer.headers["ETag"] else { throw Skip("no ETag is sent") }
                seen.append(tag)
            }
            try require(seen[0] != seen[1], "two ETags for two manifests", "\(seen[0]) twice")
        },
    ]
}
