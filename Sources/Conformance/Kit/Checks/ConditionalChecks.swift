import Vocabulary

/// RFC 9110 section 13 on pulls: what holds where the registry sends validators.
enum ConditionalChecks {
    private static let section = "RFC 9110 §13: Conditional requests"

    static let checks: [Check] =
        reading(
            "blob",
            prepare: { probe in
                let blob = try probe.newBlob()
                return (probe.blobPlace(blob.digest), blob)
            })
        + reading(
            "manifest",
            prepare: { probe in
                let image = try probe.newTaggedImage()
                return (probe.manifestPlace("latest"), image.content)
            }) + ifRange

    private static func tag(_ answer: Answer) throws -> String {
        try answer.expect(200)
        guard let tag = answer.headers["ETag"] else { throw Skip("no ETag is sent") }
        return tag
    }

    private static func fetch(_ probe: Probe, _ place: Place, _ headers: (String, String)...) throws -> Answer {
        var request = Request("GET", place)
        request.headers = [("Accept", MediaTypes.all)] + headers
        return try probe.send(request)
    }

    private static func reading(
        _ name: String, prepare: @escaping @Sendable (Probe) throws -> (Place, Content)
    ) -> [Check] {
        [
            Check(
                "conditional.\(name).etag-form", .must, "RFC 9110 §8.8.3: ETag",
                "an ETag of a \(name), where it is sent, is a quoted string", ["http-grammar"]
            ) { probe in
                let answer = try fetch(probe, try prepare(probe).0)
                let tag = try tag(answer)
                let strong = tag.hasPrefix("W/") ? tag.dropFirst(2) : tag[...]
                try require(
                    strong.count >= 2 && strong.first == "\"" && strong.last == "\""
                        && !strong.dropFirst().dropLast().contains("\""), "ETag: \"…\"", tag, answer)
            },
            Check(
                "conditional.\(name).if-none-match", .should, section,
                "If-None-Match with the ETag of a \(name) is 304 without a body",
                ["http-semantics", "http-if-none-match"]
            ) { probe in
                let (place, _) = try prepare(probe)
                let tag = try tag(try fetch(probe, place))
                try probe.each([tag, "\"other\", \(tag)", "W/" + tag.replacing("W/", with: "")]) { value in
                    let answer = try fetch(probe, place, ("If-None-Match", value))
                    try answer.expect(304)
                    try answer.expectBody([])
                }
            },
            Check(
                "conditional.\(name).if-none-match.other", .must, section,
                "If-None-Match with another ETag gets the \(name)", ["http-semantics", "http-if-none-match"]
            ) { probe in
                let (place, content) = try prepare(probe)
                let answer = try fetch(probe, place, ("If-None-Match", "\"something-else\""))
                try answer.expect(200)
                try answer.expectBody(content.bytes)
            },
            Check(
                "conditional.\(name).if-match.other", .may, section,
                "If-Match with another ETag is 412, or not looked at", ["http-if-match"]
            ) { probe in
                let (place, content) = try prepare(probe)
                let answer = try fetch(probe, place, ("If-Match", "\"something-else\""))
                try answer.expect(412, 200)
                guard answer.status == 200 else { return }
                try answer.expectBody(content.bytes)
                throw Skip("If-Match on GET is not looked at")
            },
        ]
    }

    private static let ifRange: [Check] = [
        Check(
            "conditional.if-range.same", .should, "RFC 9110 §13.1.5: If-Range",
            "If-Range with the strong ETag lets the Range work", ["http-if-range-true"]
        ) { probe in
            let blob = try probe.newBlob()
            let place = probe.blobPlace(blob.digest)
            let tag = try tag(try fetch(probe, place))
            if tag.hasPrefix("W/") { throw Skip("the ETag is weak, and If-Range needs a strong one") }
            let plain = try fetch(probe, place, ("Range", "bytes=5-9"))
            if plain.status != 206 { throw Skip("ranges are not supported") }
            let answer = try fetch(probe, place, ("Range", "bytes=5-9"), ("If-Range", tag))
            try answer.expect(206)
            try answer.expectBody(Array(blob.bytes[5..<10]))
        },
        Check(
            "conditional.if-range.other", .must, "RFC 9110 §13.1.5: If-Range",
            "If-Range with another ETag makes the Range be ignored: 200 and the whole", ["http-if-range"]
        ) { probe in
            let blob = try probe.newBlob()
            let answer = try fetch(
                probe, probe.blobPlace(blob.digest), ("Range", "bytes=5-9"), ("If-Range", "\"something-else\""))
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        },
    ]
}
