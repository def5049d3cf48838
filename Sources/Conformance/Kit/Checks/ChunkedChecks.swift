import Vocabulary

/// distribution-spec "Pushing a blob in chunks" (end-5, end-6, end-13) and "Cancel a blob upload" (end-14).
enum ChunkedChecks {
    static let section = "distribution-spec: Pushing a blob in chunks"

    static let checks: [Check] = inOrder + streams + outOfOrder + malformed + state + cancel

    /// Chunk ranges that respect the least chunk that the registry asked for.
    static func parts(_ upload: Upload, _ count: Int) -> [Range<Int>] {
        let size = max(1_000, upload.leastChunk)
        return (0..<count).map { $0 * size..<($0 + 1) * size }
    }

    /// Sends a chunk with its Content-Range and expects 202, Range and a Location; gives the Location.
    static func chunk(_ probe: Probe, _ place: Place, _ content: Content, _ part: Range<Int>) throws -> Place {
        let answer = try probe.patch(place, content[part], range: "\(part.lowerBound)-\(part.upperBound - 1)")
        try answer.expect(202)
        return try probe.expectLocation(answer)
    }

    private static let inOrder: [Check] = [
        Check(
            "push.chunked.in-order", .must, section, "three chunks in order make one blob: 202 each, then 201",
            ["chunk-202", "put-201", "chunk-first-zero", "range-inclusive", "category-whole"]
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = parts(upload, 3)
            let content = try probe.random(parts[2].upperBound)
            var place = upload.place
            for part in parts { place = try chunk(probe, place, content, part) }
            try probe.finish(place, digest: content.digest).expect(201)
            let pulled = try probe.get(probe.blobPlace(content.digest))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.chunked.range-header", .must, section,
            "the answer to a chunk tells how far the upload is: Range: 0-N", ["chunk-202"]
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = parts(upload, 2)
            let content = try probe.random(parts[1].upperBound)
            var place = upload.place
            for part in parts {
                let answer = try probe.patch(
                    place, content[part], range: "\(part.lowerBound)-\(part.upperBound - 1)")
                try answer.expect(202)
                try answer.expectHeader("Range", "0-\(part.upperBound - 1)")
                place = try probe.expectLocation(answer)
            }
        },
        Check(
            "push.chunked.last-in-put", .must, section, "the last chunk may come with the closing PUT", ["put-201"]
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = parts(upload, 1)
            let content = try probe.random(parts[0].upperBound + 77)
            let place = try chunk(probe, upload.place, content, parts[0])
            let rest = parts[0].upperBound..<content.count
            try probe.finish(
                place, digest: content.digest, body: content[rest], range: "\(rest.lowerBound)-\(rest.upperBound - 1)"
            ).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.chunked.location", .must, section, "the Location of a closed chunked upload leads to the blob",
            ["put-201"]
        ) { probe in
            let upload = try probe.beginUpload()
            let content = try probe.random(parts(upload, 1)[0].upperBound)
            let place = try chunk(probe, upload.place, content, 0..<content.count)
            let answer = try probe.finish(place, digest: content.digest)
            try answer.expect(201)
            let pulled = try probe.get(try probe.expectLocation(answer))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.chunked.whole-digest", .should, section,
            "the closing digest is the whole blob's: the last chunk's alone is refused by 400",
            ["put-whole-digest", "digest-bad-400"]
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = parts(upload, 2)
            let content = try probe.random(parts[1].upperBound)
            var place = upload.place
            for part in parts { place = try chunk(probe, place, content, part) }
            try probe.finish(place, digest: content[parts[1]].digest).expect(400)
        },
        Check(
            "push.chunked.minimum", .should, section,
            "OCI-Chunk-Min-Length, where it is sent, is a number, and chunks of that size are taken",
            ["chunk-min-length"]
        ) { probe in
            let upload = try probe.beginUpload()
            guard let told = upload.opening.headers[HeaderName.ociChunkMinLength] else {
                throw Skip("the registry names no least chunk size")
            }
            guard let size = Int(told), size > 0, size <= 64 << 20 else {
                throw upload.opening.failure("OCI-Chunk-Min-Length: a number of bytes", told)
            }
            let content = try probe.random(size)
            try probe.patch(upload.place, content, range: "0-\(size - 1)").expect(202)
        },
    ]

    private static let streams: [Check] = [
        Check(
            "push.streamed.chunked-coding", .must, "Docker V2: Stream upload",
            "a PATCH in chunked transfer coding without Content-Range, as docker sends it, is taken", ["chunk-202"]
        ) { probe in
            let content = try probe.random(400_001)
            let upload = try probe.beginUpload()
            let answer = try probe.patch(upload.place, content, framing: .chunked)
            try answer.expect(202)
            try answer.expectHeader("Range", "0-\(content.count - 1)")
            try probe.finish(try probe.expectLocation(answer), digest: content.digest).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.streamed.with-length", .must, "Docker V2: Stream upload",
            "a PATCH with Content-Length and without Content-Range is taken", ["chunk-202"]
        ) { probe in
            let content = try probe.random(50_000)
            let upload = try probe.beginUpload()
            let answer = try probe.patch(upload.place, content)
            try answer.expect(202)
            try answer.expectHeader("Range", "0-\(content.count - 1)")
            try probe.finish(try probe.expectLocation(answer), digest: content.digest).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.streamed.large", .must, "Docker V2: Stream upload",
            "a streamed blob of several MiB arrives whole", ["chunk-202", "put-201"]
        ) { probe in
            let content = try probe.random(5_000_003)
            let upload = try probe.beginUpload()
            let answer = try probe.patch(upload.place, content, framing: .chunked)
            try answer.expect(202)
            try probe.finish(try probe.expectLocation(answer), digest: content.digest).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.streamed.no-content-type", .must, "Docker V2: Stream upload",
            "docker's PATCH has no Content-Type: it is taken all the same", ["chunk-202"]
        ) { probe in
            let content = try probe.random(2_000)
            let upload = try probe.beginUpload()
            var request = Request("PATCH", upload.place)
            request.body = content
            request.framing = .chunked
            let answer = try probe.send(request)
            try answer.expect(202)
            try probe.finish(try probe.expectLocation(answer), digest: content.digest).expect(201)
        },
    ]

    private static let outOfOrder: [Check] =
        [
            ("gap", "a chunk that leaves a gap", 1_000), ("repeated", "a chunk that was sent already", -1_000),
            ("overlap", "a chunk that overlaps the last", -500),
        ].map { name, what, shift in
            Check(
                "push.chunked.out-of-order\(name == "gap" ? "" : "." + name)", .must, section,
                "\(what) is refused by 416", ["chunk-416", "chunk-order"]
            ) { probe in
                let upload = try probe.beginUpload()
                let size = parts(upload, 1)[0].upperBound
                let content = try probe.random(size * 4)
                let place = try probe.prepare("a first chunk") { try chunk(probe, upload.place, content, 0..<size) }
                let start = shift < 0 ? max(0, size + shift * size / 1_000) : size + shift * size / 1_000
                let part = start..<start + size
                try probe.patch(place, content[part], range: "\(part.lowerBound)-\(part.upperBound - 1)").expect(416)
            }
        } + [
            Check(
                "push.chunked.first-not-zero", .must, section,
                "a first chunk that does not begin at 0 is refused by 416",
                ["chunk-416", "chunk-first-zero"]
            ) { probe in
                let upload = try probe.beginUpload()
                let size = parts(upload, 1)[0].upperBound
                let content = try probe.random(size)
                try probe.patch(upload.place, content, range: "\(size)-\(2 * size - 1)").expect(416)
            },
            Check(
                "push.chunked.put-out-of-order", .must, section,
                "a last chunk out of order in the PUT is refused by 416",
                ["put-416"]
            ) { probe in
                let upload = try probe.beginUpload()
                let size = parts(upload, 1)[0].upperBound
                let content = try probe.random(size * 2)
                let place = try probe.prepare("a first chunk") { try chunk(probe, upload.place, content, 0..<size) }
                try probe.finish(
                    place, digest: content.digest, body: content[size..<2 * size],
                    range: "\(size + 50)-\(2 * size + 49)"
                ).expect(416)
            },
            Check(
                "push.chunked.after-416", .must, section,
                "after a 416 the upload is still there, tells its offset, and can be finished",
                ["status-204", "chunk-416"]
            ) { probe in
                let upload = try probe.beginUpload()
                let size = parts(upload, 1)[0].upperBound
                let content = try probe.random(size * 2)
                var place = try probe.prepare("a first chunk") { try chunk(probe, upload.place, content, 0..<size) }
                let refused = try probe.patch(place, content[size..<2 * size], range: "\(2 * size)-\(3 * size - 1)")
                if refused.status != 416 {
                    throw Skip("chunks out of order are not refused (see push.chunked.out-of-order)")
                }
                let status = try probe.get(place)
                try status.expect(204)
                try status.expectHeader("Range", "0-\(size - 1)")
                place = try chunk(probe, try probe.expectLocation(status), content, size..<2 * size)
                try probe.finish(place, digest: content.digest).expect(201)
                try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
            },
        ]

    private static let malformed: [Check] =
        [
            ("text", "bytes"), ("one-number", "0"), ("reversed", "9-0"), ("negative", "-1-9"),
            ("huge", "0-99999999999999999999"),
        ].map { name, range in
            Check(
                "push.chunked.range-form.\(name)", .should, section,
                "Content-Range '\(range)' is a client error, not a server's", ["chunk-range-form", "http-semantics"]
            ) { probe in
                let upload = try probe.beginUpload()
                let answer = try probe.patch(upload.place, try probe.random(10), range: range)
                try answer.expectClientError("for a malformed Content-Range")
            }
        } + [
            Check(
                "push.chunked.range-length", .should, section,
                "a Content-Range of another length than the body is a client error", ["range-inclusive"]
            ) { probe in
                let upload = try probe.beginUpload()
                let answer = try probe.patch(upload.place, try probe.random(100), range: "0-9")
                try answer.expectClientError("for 100 bytes told as 0-9")
            },
            Check(
                "push.chunked.empty-patch", .should, "RFC 9110 §15.5: Client errors",
                "a PATCH of no bytes is taken or refused as a client's; the upload goes on", ["http-semantics"]
            ) { probe in
                let upload = try probe.beginUpload()
                let content = try probe.random(2_000)
                let empty = try probe.patch(upload.place, Content([]))
                try require(
                    empty.status == 202 || (400..<500).contains(empty.status), "202 or 4xx", "status \(empty.status)",
                    empty)
                let place = empty.status == 202 ? try probe.expectLocation(empty) : upload.place
                let answer = try probe.patch(place, content)
                try answer.expect(202)
                try probe.finish(try probe.expectLocation(answer), digest: content.digest).expect(201)
            },
        ]

    private static let state: [Check] = [
        Check(
            "push.status.fresh", .must, section, "GET of an upload that has no bytes yet is 204 with a Location",
            ["status-204"]
        ) { probe in
            let upload = try probe.beginUpload()
            let answer = try probe.get(upload.place)
            try answer.expect(204)
            _ = try probe.expectLocation(answer)
        },
        Check(
            "push.status.after-chunk", .must, section, "GET of an upload tells what arrived: 204 with Range: 0-N",
            ["status-204"]
        ) { probe in
            let upload = try probe.beginUpload()
            let size = parts(upload, 1)[0].upperBound
            let content = try probe.random(size)
            let place = try probe.prepare("a first chunk") { try chunk(probe, upload.place, content, 0..<size) }
            let answer = try probe.get(place)
            try answer.expect(204)
            try answer.expectHeader("Range", "0-\(size - 1)")
            _ = try probe.expectLocation(answer)
        },
        Check(
            "push.status.goes-on", .must, section, "the Location of GET is one at which the upload goes on",
            ["status-204"]
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = parts(upload, 2)
            let content = try probe.random(parts[1].upperBound)
            let place = try probe.prepare("a first chunk") { try chunk(probe, upload.place, content, parts[0]) }
            let status = try probe.get(place)
            try status.expect(204)
            let next = try chunk(probe, try probe.expectLocation(status), content, parts[1])
            try probe.finish(next, digest: content.digest).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.chunked.two-sessions", .must, section, "two uploads at once do not mix", ["chunk-202", "put-201"]
        ) { probe in
            let first = try probe.beginUpload()
            let second = try probe.beginUpload()
            let parts = parts(first, 2)
            let one = try probe.random(parts[1].upperBound)
            let two = try probe.random(parts[1].upperBound)
            var (here, there) = (first.place, second.place)
            for part in parts {
                here = try chunk(probe, here, one, part)
                there = try chunk(probe, there, two, part)
            }
            try probe.finish(there, digest: two.digest).expect(201)
            try probe.finish(here, digest: one.digest).expect(201)
            try probe.get(probe.blobPlace(one.digest)).expectBody(one.bytes)
            try probe.get(probe.blobPlace(two.digest)).expectBody(two.bytes)
        },
        Check(
            "push.chunked.unfinished-invisible", .must, section,
            "a blob of which all bytes came is not there before its upload is closed",
            ["blob-404", "session-closed-by-put"]
        ) { probe in
            let upload = try probe.beginUpload()
            let content = try probe.random(parts(upload, 1)[0].upperBound)
            _ = try chunk(probe, upload.place, content, 0..<content.count)
            try probe.get(probe.blobPlace(content.digest)).expect(404)
        },
    ]

    private static let cancel: [Check] = [
        Check(
            "push.cancel.answer", .should, "distribution-spec: Cancel a blob upload", "DELETE of an upload is 204",
            ["cancel-204"]
        ) { probe in
            let upload = try probe.beginUpload()
            let answer = try probe.delete(upload.place)
            // What is answered where it is not successful is not said, and clients ignore it.
            if (400..<500).contains(answer.status) || answer.saysUnsupported {
                throw Skip("uploads cannot be cancelled (status \(answer.status))")
            }
            try answer.expect(204)
        },
        Check(
            "push.cancel.gone", .should, "distribution-spec: Cancel a blob upload",
            "a cancelled upload is gone: GET, PATCH and PUT are client errors", ["http-semantics"]
        ) { probe in
            let upload = try probe.beginUpload()
            let content = try probe.random(100)
            let answer = try probe.delete(upload.place)
            guard (200..<300).contains(answer.status) else {
                throw Skip("the upload was not cancelled (\(answer.status))")
            }
            for gone in [
                try probe.get(upload.place), try probe.patch(upload.place, content),
                try probe.finish(upload.place, digest: content.digest, body: content),
            ] {
                try gone.expectClientError("for an upload that was cancelled")
            }
        },
        Check(
            "push.cancel.unknown", .should, "distribution-spec: Cancel a blob upload",
            "DELETE of an upload that never was is a client error, or done", ["http-semantics"]
        ) { probe in
            _ = try probe.newBlob()
            let path = "/v2/\(probe.repository)/blobs/uploads/00000000-0000-4000-8000-00000000dead"
            let answer = try probe.delete(.path(path))
            if answer.status != 204 { try answer.expectClientError("for an upload that never was, or 204") }
        },
    ]
}
