import Vocabulary

/// distribution-spec end-7b (`?tag=`), and tags that move only when they are what the writer thinks.
enum TagQueryChecks {
    private static let section = "distribution-spec: Pushing Manifests"

    static let checks: [Check] = query + conditional

    private static let unsupported = Skip("the registry does not push tags by query (no OCI-Tag)")

    private static func put(_ probe: Probe, _ tags: [String]) throws -> (Manifest, Answer) {
        let image = try probe.newImage()
        let answer = try probe.putManifest(
            image.content, image.digest, type: image.type, query: tags.map { "tag=" + $0 }.joined(separator: "&"))
        try answer.expect(201)
        for tag in tags { probe.ledger.add(.tag(repository: probe.repository, name: tag)) }
        return (image, answer)
    }

    private static func push(_ probe: Probe, _ tags: [String]) throws -> (Manifest, Answer) {
        let (image, answer) = try put(probe, tags)
        if answer.headers[HeaderName.ociTag] == nil { throw unsupported }
        return (image, answer)
    }

    private static let query: [Check] = [
        Check(
            "push.tag-query.made", .must, section, "tags of a push by digest are made, each as OCI-Tag says",
            ["tag-query-header"]
        ) { probe in
            let (image, answer) = try push(probe, ["one", "two", "1.2.3"])
            for tag in answer.headers.list(HeaderName.ociTag) {
                let pulled = try probe.get(probe.manifestPlace(tag), ("Accept", image.type))
                try pulled.expect(200)
                try pulled.expectBody(image.content.bytes)
            }
        },
        Check(
            "push.tag-query.header", .must, section, "OCI-Tag names each tag that was made", ["tag-query-header"]
        ) { probe in
            let (_, answer) = try put(probe, ["one", "two"])
            let told = Set(answer.headers.list(HeaderName.ociTag))
            let made = try Set(
                ["one", "two"].filter { tag in
                    try probe.head(probe.manifestPlace(tag), ("Accept", MediaTypes.all)).status == 200
                })
            if told.isEmpty, made.isEmpty { throw unsupported }
            try require(
                told == made, "OCI-Tag of exactly the tags that exist: \(made.sorted())", "\(told.sorted())", answer)
        },
        Check(
            "push.tag-query.ten", .should, section, "ten tags in one push are made", ["tag-query-ten"]
        ) { probe in
            let tags = (0..<10).map { "t\($0)" }
            let (_, answer) = try push(probe, tags)
            let told = answer.headers.list(HeaderName.ociTag).sorted()
            try require(told == tags, "OCI-Tag of all ten", "\(told)", answer)
        },
        Check(
            "push.tag-query.malformed", .must, section, "a tag outside the grammar in the query is never made",
            ["tag-grammar"]
        ) { probe in
            _ = try push(probe, ["good"])
            let image = try probe.newImage()
            let answer = try probe.putManifest(image.content, image.digest, type: image.type, query: "tag=.bad")
            if answer.status == 201 {
                try require(
                    !answer.headers.list(HeaderName.ociTag).contains(".bad"), "no OCI-Tag of .bad", "OCI-Tag: .bad",
                    answer)
            } else {
                try answer.expectClientError("for a tag outside the grammar")
            }
        },
    ]

    private static let unseen = Skip("conditions on manifest PUT are not looked at")

    /// PUT of a new image under `tag` with `If-Match` of an ETag that nothing has.
    private static func putStale(_ probe: Probe, _ tag: String) throws -> Answer {
        let image = try probe.newImage()
        return try probe.putManifest(
            image.content, tag, type: image.type, headers: [("If-Match", "\"\(image.digest)\"")])
    }

    private static let conditional: [Check] = [
        Check(
            "push.conditional.if-none-match", .may, "RFC 9110 §13.1.2: If-None-Match",
            "If-None-Match: * makes a tag only when there is none: 412 otherwise", ["http-if-none-match"]
        ) { probe in
            let old = try probe.newTaggedImage()
            let new = try probe.newImage()
            let answer = try probe.putManifest(
                new.content, "latest", type: new.type, headers: [("If-None-Match", "*")])
            if answer.status == 201 { throw unseen }
            try answer.expect(412)
            try probe.get(probe.manifestPlace("latest"), ("Accept", MediaTypes.all)).expectBody(old.content.bytes)
            try probe.putManifest(new.content, "fresh", type: new.type, headers: [("If-None-Match", "*")]).expect(201)
        },
        Check(
            "push.conditional.if-match", .may, "RFC 9110 §13.1.1: If-Match",
            "If-Match with the tag's ETag moves it, with a stale one is 412 and leaves it", ["http-if-match"]
        ) { probe in
            let first = try probe.newTaggedImage()
            let second = try probe.newImage()
            _ = try probe.newTaggedImage("moves")
            try probe.push(second, as: "moves")  // Skips the check where no tag can be moved.
            let third = try probe.newImage()
            let seen = try probe.get(probe.manifestPlace("latest"), ("Accept", first.type))
            guard let tag = seen.headers["ETag"] else { throw Skip("manifests have no ETag") }
            // RFC 9110 §13.1.1: If-Match compares strongly, and a weak ETag fits nothing.
            if tag.hasPrefix("W/") { throw Skip("the ETag is weak, and If-Match needs a strong one") }
            let stale = try putStale(probe, "latest")
            // Whoever refuses If-Match where there is no tag at all does look at it, and has to compare.
            if stale.status == 201, try putStale(probe, "fresh").status != 412 { throw unseen }
            try stale.expect(412)
            try probe.putManifest(second.content, "latest", type: second.type, headers: [("If-Match", tag)]).expect(201)
            try probe.putManifest(third.content, "latest", type: third.type, headers: [("If-Match", tag)]).expect(412)
            try probe.get(probe.manifestPlace("latest"), ("Accept", MediaTypes.all)).expectBody(second.content.bytes)
        },
        Check(
            "push.conditional.if-match-missing", .may, "RFC 9110 §13.1.1: If-Match",
            "If-Match on a tag that is not there is 412", ["http-if-match"]
        ) { probe in
            _ = try probe.newTaggedImage()
            let answer = try putStale(probe, "fresh")
            if answer.status == 201, try putStale(probe, "latest").status != 412 { throw unseen }
            try answer.expect(412)
        },
    ]
}
