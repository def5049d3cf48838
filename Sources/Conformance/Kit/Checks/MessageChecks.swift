import Vocabulary

/// RFC 9110 on what an answer says of itself: validators, lengths, parts of large things.
enum MessageChecks {
    static let checks: [Check] = validators("blob") + validators("manifest") + parts + framing

    private static let size = 2_500_000
    private static let ranges = "RFC 9110 §14: Range requests"

    /// Something to pull, and its length.
    private static func make(_ probe: Probe, _ kind: String) throws -> (place: Place, count: Int) {
        if kind == "blob" {
            let blob = try probe.newBlob()
            return (probe.blobPlace(blob.digest), blob.count)
        }
        let image = try probe.newTaggedImage()
        return (probe.manifestPlace("latest"), image.content.count)
    }

    private static func tag(_ answer: Answer) throws -> String {
        try answer.expect(200)
        guard let tag = answer.headers["ETag"] else { throw Skip("no ETag is sent") }
        return tag
    }

    private static func validators(_ kind: String) -> [Check] {
        [
            Check(
                "conditional.\(kind).not-modified", .must, "RFC 9110 §15.4.5: 304 Not Modified",
                "304 of a \(kind) bears the ETag of the 200, and no Content-Length but that of the 200",
                ["http-304-fields", "http-length-304"]
            ) { probe in
                let (place, count) = try make(probe, kind)
                let tag = try tag(try probe.get(place, ("Accept", MediaTypes.all)))
                let answer = try probe.get(place, ("Accept", MediaTypes.all), ("If-None-Match", tag))
                if answer.status == 200 { throw Skip("If-None-Match is not looked at") }
                try answer.expect(304)
                try answer.expectHeader("ETag", tag)
                let length = answer.headers["Content-Length"] ?? "\(count)"
                try require(length == "\(count)", "Content-Length: \(count), or none", length, answer)
            },
            Check(
                "conditional.\(kind).head", .should, "RFC 9110 §9.3.2: HEAD",
                "HEAD of a \(kind) tells the ETag that GET tells", ["http-head-fields"]
            ) { probe in
                let (place, _) = try make(probe, kind)
                let whole = try probe.get(place, ("Accept", MediaTypes.all))
                let tag = try tag(whole)
                let answer = try probe.head(place, ("Accept", MediaTypes.all))
                try answer.expect(200)
                if (answer.redirect == nil) != (whole.redirect == nil) {
                    throw Skip("GET is redirected and HEAD is not, so that two places answer")
                }
                if answer.headers["ETag"] == nil { throw Skip("HEAD tells no ETag") }
                try answer.expectHeader("ETag", tag)
            },
        ]
    }

    /// A 206 to a range; skips the check where ranges are ignored, which §14.2 allows.
    private static func part(_ probe: Probe, _ place: Place, _ range: String) throws -> Answer {
        let answer = try probe.get(place, ("Range", range))
        if answer.status == 200 { throw Skip("the registry ignores Range, which RFC 9110 §14.2 allows") }
        return try answer.expect(206)
    }

    /// The part that `Content-Range` tells must be `range`, of `count` bytes or of a size that is not told.
    private static func expectRange(_ answer: Answer, _ range: Range<Int>, of count: Int) throws {
        let told = try answer.expectHeader("Content-Range")
        let wanted = "bytes \(range.lowerBound)-\(range.upperBound - 1)/"
        try require(
            told == wanted + "\(count)" || told == wanted + "*", "Content-Range: \(wanted)\(count)", told, answer)
    }

    private static let parts: [Check] = [
        Check(
            "pull.range.large", .must, ranges,
            "parts of a blob of 2,500,000 bytes are what Content-Range says: far into it, long, and to its end",
            ["blob-range", "http-206-range"]
        ) { probe in
            let blob = try probe.newBlob(size)
            for range in [1_500_000..<1_501_000, 70_000..<400_000, 1_048_577..<1_300_000, 2_400_000..<size] {
                let end = range.upperBound == size ? "" : "\(range.upperBound - 1)"
                let answer = try part(probe, probe.blobPlace(blob.digest), "bytes=\(range.lowerBound)-\(end)")
                try expectRange(answer, range, of: size)
                try answer.expectBody(Array(blob.bytes[range]))
            }
        },
        Check(
            "pull.range.etag", .must, "RFC 9110 §15.3.7: 206 Partial Content",
            "206 bears the ETag that the 200 would have borne", ["http-206-fields"]
        ) { probe in
            let blob = try probe.newBlob()
            let tag = try tag(try probe.get(probe.blobPlace(blob.digest)))
            try part(probe, probe.blobPlace(blob.digest), "bytes=10-19").expectHeader("ETag", tag)
        },
        Check(
            "pull.range.digest-header", .should, "distribution-spec: Pulling blobs",
            "206 too tells the digest of the uploaded blob, the whole of it", ["blob-get-digest"]
        ) { probe in
            let blob = try probe.newBlob()
            try part(probe, probe.blobPlace(blob.digest), "bytes=10-19").expectDigestHeader(of: blob.bytes)
        },
        Check(
            "pull.manifest.range", .must, ranges,
            "a Range of a manifest is ignored, or answered with the very part that was asked for",
            ["http-206-range", "manifest-get-200"]
        ) { probe in
            let image = try probe.newTaggedImage()
            let count = image.content.count
            for reference in ["latest", image.digest] {
                let place = probe.manifestPlace(reference)
                let answer = try probe.get(place, ("Accept", image.type), ("Range", "bytes=20-59"))
                try answer.expect(200, 206)
                if answer.status == 206 { try expectRange(answer, 20..<60, of: count) }
                try answer.expectBody(answer.status == 200 ? image.content.bytes : Array(image.content.bytes[20..<60]))
            }
        },
    ]

    private static let framing: [Check] = [
        Check(
            standing: "http.no-content", .must, "RFC 9110 §8.6: Content-Length",
            "204 has neither Content-Length nor Transfer-Encoding", ["http-length-204"]
        ) { exchange in
            guard let response = exchange.response, response.status == 204 else { return nil }
            for name in ["Content-Length", "Transfer-Encoding"] {
                guard let value = response.headers[name] else { continue }
                return .broken(expected: "\(exchange.line): no \(name)", got: "\(name): \(value)", .headerAbsent(name))
            }
            return .kept
        },
        Check(
            standing: "http.two-lengths", .must, "RFC 9112 §6.2: Content-Length",
            "no answer bears both Content-Length and Transfer-Encoding: two readers would end it at two places",
            ["http-two-lengths"]
        ) { exchange in
            guard let headers = exchange.response?.headers, let coding = headers["Transfer-Encoding"] else {
                return nil
            }
            guard let length = headers["Content-Length"] else { return .kept }
            return .broken(
                expected: "\(exchange.line): Content-Length or Transfer-Encoding",
                got: "Content-Length: \(length) and Transfer-Encoding: \(coding)",
                .notBoth("Content-Length", "Transfer-Encoding"))
        },
        Check(
            "methods.head-of-lists", .should, "RFC 9110 §9.3.2: HEAD",
            "HEAD of a list of tags or of referrers is as GET, or refused by 404 or 405",
            ["http-semantics", "http-head-fields"]
        ) { probe in
            let image = try probe.newTaggedImage()
            for place in [probe.tagsPlace(), probe.referrersPlace(image.digest)] {
                let wanted = try probe.get(place).status
                try probe.head(place).expect(anyOf: [wanted, 404, 405, 501], "as for GET, or a refusal")
            }
        },
    ]
}
