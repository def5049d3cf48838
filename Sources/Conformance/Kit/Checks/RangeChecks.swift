import Vocabulary

/// RFC 9110 section 14 as the distribution-spec asks for it on blobs.
enum RangeChecks {
    private static let section = "RFC 9110 §14: Range requests"
    private static let size = 1_000

    static let checks: [Check] = [supported, headAdvertises] + single + odd + past

    private static let supported = Check(
        "pull.range.supported", .should, "distribution-spec: Pulling blobs",
        "a Range request for a blob is answered with that part, 206", ["blob-range"]
    ) { probe in
        let blob = try probe.newBlob(size)
        let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", "bytes=100-199"))
        try answer.expect(206)
    }

    private static let headAdvertises = Check(
        "pull.range.advertised", .may, section, "Accept-Ranges, where it is sent, says bytes or none, truthfully"
    ) { probe in
        let blob = try probe.newBlob(size)
        let whole = try probe.get(probe.blobPlace(blob.digest))
        guard let value = whole.headers["Accept-Ranges"] else { throw Skip("Accept-Ranges is not sent") }
        let part = try probe.get(probe.blobPlace(blob.digest), ("Range", "bytes=0-0"))
        try require(
            value.lowercased() == (part.status == 206 ? "bytes" : "none"),
            "Accept-Ranges: bytes exactly when ranges work", "\(value), and a Range request is \(part.status)", whole)
    }

    private static let single: [Check] = [
        ("first-byte", "bytes=0-0", 0..<1), ("middle", "bytes=100-199", 100..<200),
        ("from", "bytes=900-", 900..<1_000), ("suffix", "bytes=-10", 990..<1_000),
        ("whole", "bytes=0-999", 0..<1_000), ("last-byte", "bytes=999-999", 999..<1_000),
        ("end-clamped", "bytes=990-5000", 990..<1_000), ("suffix-too-long", "bytes=-5000", 0..<1_000),
        ("huge-end", "bytes=10-9223372036854775807", 10..<1_000), ("unit-case", "Bytes=1-2", 1..<3),
    ].map { name, range, part in
        Check(
            "pull.range.\(name)", .must, section,
            "\(range) of 1,000 bytes, when answered with 206, is bytes \(part.lowerBound)-\(part.upperBound - 1)",
            ["blob-range", "http-206-range"]
        ) { probe in
            let blob = try probe.newBlob(size)
            let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", range))
            try answer.expect(200, 206)
            if answer.status == 200 {
                try answer.expectBody(blob.bytes)
                throw Skip("the registry ignores this Range, which RFC 9110 §14.2 allows")
            }
            // RFC 9110 §14.4: an asterisk where the whole length is not told.
            let told = "bytes \(part.lowerBound)-\(part.upperBound - 1)/"
            if try answer.expectHeader("Content-Range") != told + "*" {
                try answer.expectHeader("Content-Range", told + "\(size)")
            }
            try answer.expectBody(Array(blob.bytes[part]))
        }
    }

    private static let odd: [Check] =
        [
            ("unknown-unit", "lines=1-2"), ("no-digits", "bytes=-"), ("text", "bytes=a-b"), ("reversed", "bytes=9-5"),
            ("no-unit", "0-9"), ("too-big", "bytes=99999999999999999999999-"), ("empty", "bytes="),
        ].map { name, range in
            Check(
                "pull.range.odd.\(name)", .must, section,
                "'\(range)' is ignored, or refused by 416 or 400: never answered with a wrong part",
                ["blob-get-200", "http-206-range", "http-range-unit"]
            ) { probe in
                let blob = try probe.newBlob(size)
                let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", range))
                try answer.expect(200, 416, 400)
                if answer.status == 200 { try answer.expectBody(blob.bytes) }
            }
        } + [
            Check(
                "pull.range.several", .must, section,
                "two parts are sent as multipart/byteranges, or one of them, or the whole",
                ["blob-range", "http-206-parts"]
            ) { probe in
                let blob = try probe.newBlob(size)
                let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", "bytes=0-9,100-109"))
                try answer.expect(200, 206, 416)
                if answer.status == 200 { return try answer.expectBody(blob.bytes) }
                guard answer.status == 206 else { return }
                let type = answer.headers["Content-Type"] ?? ""
                if type.lowercased().hasPrefix("multipart/byteranges") {
                    for part in [0..<10, 100..<110] {
                        try require(
                            answer.body.holds(Array(blob.bytes[part])), "both parts in the multipart body",
                            "bytes \(part) are not in it", answer)
                    }
                } else {
                    let range = try answer.expectHeader("Content-Range")
                    let first = range.hasPrefix("bytes 0-9/") ? 0..<10 : 0..<110
                    try answer.expectBody(Array(blob.bytes[first]))
                }
            }
        ]

    private static let past: [Check] =
        [
            ("past-end", "bytes=1000-"), ("far-past-end", "bytes=5000-6000"), ("suffix-zero", "bytes=-0"),
        ].map { name, range in
            Check(
                "pull.range.unsatisfiable.\(name)", .should, "RFC 9110 §15.5.17: 416 Range Not Satisfiable",
                "\(range) of 1,000 bytes is 416, with Content-Range: bytes */1000", ["blob-range", "http-semantics"]
            ) { probe in
                let blob = try probe.newBlob(size)
                let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", range))
                if answer.status == 200 {
                    try answer.expectBody(blob.bytes)
                    throw Skip("the registry ignores this Range, which RFC 9110 §14.2 allows")
                }
                try answer.expect(416)
                try answer.expectHeader("Content-Range", "bytes */\(size)")
            }
        } + [
            Check(
                "pull.range.of-empty", .must, section, "a Range of a blob of no bytes is 416 or the empty whole",
                ["blob-get-200"]
            ) { probe in
                let blob = Content([])
                try probe.pushBlob(blob)
                let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", "bytes=0-"))
                try answer.expect(200, 416)
                if answer.status == 200 { try answer.expectBody([]) }
            }
        ]
}

extension [UInt8] {
    /// Whether `part` stands somewhere in these bytes.
    func holds(_ part: [UInt8]) -> Bool {
        guard let first = part.first, count >= part.count else { return part.isEmpty }
        return (0...(count - part.count)).contains {
            self[$0] == first && self[$0..<$0 + part.count].elementsEqual(part)
        }
    }
}
