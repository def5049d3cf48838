import Vocabulary

/// distribution-spec "POST then PUT" (end-4a, end-6) and "Single POST" (end-4b).
enum PushBlobChecks {
    private static let section = "distribution-spec: POST then PUT"

    static let checks: [Check] = opening + sizes + closing + refused

    private static let opening: [Check] = [
        Check(
            "push.upload.begin", .must, section, "POST begins an upload: 202 with a Location", ["upload-post-202"]
        ) { probe in
            let answer = try probe.postUpload()
            try answer.expect(202)
            _ = try probe.expectLocation(answer)
        },
        Check(
            "push.upload.uuid", .must, section, "the Location of an upload holds a UUID of its own",
            ["upload-uuid"]
        ) { probe in
            let first = try probe.postUpload()
            let second = try probe.postUpload()
            var seen: Set<String> = []
            for answer in [first, second] {
                try answer.expect(202)
                let location = try answer.expectHeader("Location")
                guard let uuid = location.firstMatch(of: UUIDForm.pattern)?.output else {
                    throw answer.failure("a Location with a UUID", location)
                }
                seen.insert(uuid.lowercased())
            }
            try require(seen.count == 2, "two sessions with two UUIDs", "the same UUID twice", second)
        },
        Check(
            "push.upload.pullable", .must, section,
            "a finished upload is 201 with a Location from which the blob can be pulled", ["upload-put-201"]
        ) { probe in
            let content = try probe.random(1_000)
            let upload = try probe.beginUpload()
            let answer = try probe.finish(upload.place, digest: content.digest, body: content)
            try answer.expect(201)
            let pulled = try probe.get(try probe.expectLocation(answer))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.upload.digest-header", .should, "Docker V2: what clients need",
            "a finished upload tells the blob's digest: ctr fails without", ["opinion"]
        ) { probe in
            let content = try probe.random(1_000)
            let upload = try probe.beginUpload()
            let answer = try probe.finish(upload.place, digest: content.digest, body: content)
            try answer.expect(201)
            try answer.expectDigestHeader(of: content.bytes)
        },
        Check(
            "push.upload.no-length", .should, "Docker V2: what clients need",
            "POST without a body begins an upload as well as one with Content-Length: 0", ["opinion"]
        ) { probe in
            let reply = try probe.raw([
                Array(
                    "POST /v2/\(probe.repository)/blobs/uploads/ HTTP/1.1\r\nHost: \(probe.base.hostHeader)\r\nConnection: close\r\n\r\n"
                        .utf8)
            ])
            if reply.status == 401 { throw Skip("raw requests carry no credentials") }
            if let location = RawReader.firstFinal(reply.bytes).0["Location"] {
                probe.ledger.add(.upload(probe.base.resolving(location)))
            }
            if [307, 308].contains(reply.status) { throw Skip("uploads are redirected (status \(reply.status ?? 0))") }
            guard reply.status != 202 else { return }
            throw CheckFailure(
                expected: "POST without Content-Length: 202", got: reply.status.map { "status \($0)" } ?? "no answer",
                exchange: reply.exchange, assertion: .status([202]))
        },
    ]

    private static let sizes: [Check] = [("empty", 0), ("one-byte", 1), ("large", 6_291_457)].map { name, count in
        Check(
            "push.upload.size.\(name)", .must, section, "a blob of \(count) bytes is pushed in one PUT and is there",
            ["upload-put-201", "blob-get-200"]
        ) { probe in
            let content = try probe.random(count)
            let upload = try probe.beginUpload()
            try probe.finish(upload.place, digest: content.digest, body: content).expect(201)
            let answer = try probe.get(probe.blobPlace(content.digest))
            try answer.expect(200)
            try answer.expectBody(content.bytes)
        }
    }

    private static let closing: [Check] = [
        Check(
            "push.upload.again", .must, section, "a blob that is there already can be pushed once more",
            ["upload-put-201"]
        ) { probe in
            let content = try probe.newBlob()
            let upload = try probe.beginUpload()
            try probe.finish(upload.place, digest: content.digest, body: content).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.upload.streamed-put", .must, "RFC 9112 §7.1: Chunked transfer coding",
            "a PUT in chunked transfer coding is taken like one with Content-Length, or 411", ["http-chunked"]
        ) { probe in
            let content = try probe.random(200_000)
            let upload = try probe.beginUpload()
            let answer = try probe.finish(
                upload.place, digest: content.digest, body: content, framing: .chunked)
            try answer.expect(201, 411)
            if answer.status == 411 { return }
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.upload.expect-continue", .must, "RFC 9110 §10.1.1: Expect",
            "a PUT that waits for 100 Continue is answered", ["http-expect"]
        ) { probe in
            let content = try probe.random(100_000)
            let upload = try probe.beginUpload()
            var request = Request("PUT", upload.place.adding("digest=" + queryEscaped(content.digest)))
            request.headers = [("Content-Type", MediaType.octetStream)]
            request.body = content
            request.expectContinue = true
            try probe.send(request).expect(201)
            probe.ledger.add(.blob(repository: probe.repository, digest: content.digest))
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.upload.closed", .should, section, "a closed session is gone: a second PUT is 404", ["http-semantics"]
        ) { probe in
            let content = try probe.random(500)
            let upload = try probe.beginUpload()
            try probe.finish(upload.place, digest: content.digest, body: content).expect(201)
            let answer = try probe.finish(upload.place, digest: content.digest, body: content)
            try answer.expectClientError("for a session that is closed")
        },
        Check(
            "push.upload.unescaped-digest", .must, section,
            "the digest parameter is read with its colon escaped or plain", ["upload-put-201"]
        ) { probe in
            let content = try probe.random(500)
            let upload = try probe.beginUpload()
            var request = Request("PUT", upload.place.adding("digest=" + content.digest))
            request.body = content
            request.headers = [("Content-Type", MediaType.octetStream)]
            try probe.send(request).expect(201)
            probe.ledger.add(.blob(repository: probe.repository, digest: content.digest))
            try probe.head(probe.blobPlace(content.digest)).expect(200)
        },
    ]

    private static let refused: [Check] =
        [
            Check(
                "push.upload.wrong-digest", .should, "distribution-spec: Pushing blobs",
                "content that is not what the digest says is refused by 400", ["digest-bad-400"]
            ) { probe in
                let content = try probe.random(700)
                let upload = try probe.beginUpload()
                let answer = try probe.finish(upload.place, digest: try probe.random(700).digest, body: content)
                try answer.expect(400)
            },
            Check(
                "push.upload.wrong-digest.invisible", .must, "distribution-spec: Content Verification",
                "what was pushed under a wrong digest is served under neither", ["blob-404", "blob-get-200"]
            ) { probe in
                let content = try probe.random(700)
                let other = try probe.random(700)
                let upload = try probe.beginUpload()
                let answer = try probe.finish(upload.place, digest: other.digest, body: content)
                try answer.expectClientError("for content of another digest")
                try probe.get(probe.blobPlace(other.digest)).expect(404)
                try probe.get(probe.blobPlace(content.digest)).expect(404)
            },
            Check(
                "push.upload.no-digest", .should, section, "a PUT without the digest is a client error",
                ["put-whole-digest"]
            ) { probe in
                let upload = try probe.beginUpload()
                var request = Request("PUT", upload.place)
                request.body = try probe.random(100)
                request.headers = [("Content-Type", MediaType.octetStream)]
                try probe.send(request).expectClientError("for a PUT without a digest")
            },
            Check(
                "push.upload.unknown-session", .should, section, "a session that never was is a client error",
                ["http-semantics"]
            ) { probe in
                _ = try probe.newBlob()
                let path = "/v2/\(probe.repository)/blobs/uploads/00000000-0000-4000-8000-00000000dead"
                let content = try probe.random(100)
                for answer in [
                    try probe.finish(.path(path), digest: content.digest, body: content),
                    try probe.patch(.path(path), content), try probe.get(.path(path)),
                ] {
                    try answer.expectClientError("for a session that never was")
                }
            },
        ]
        + [
            ("short", "sha256:abcdef"), ("not-hexadecimal", "sha256:" + String(repeating: "x", count: 64)),
            ("algorithm", "md9:d41d8cd98f00b204e9800998ecf8427e"), ("no-algorithm", String(repeating: "a", count: 64)),
            ("upper-case", "sha256:" + String(repeating: "A", count: 64)), ("empty", ""),
        ].map { name, digest in
            Check(
                "push.upload.digest-form.\(name)", .should, "distribution-spec: Pushing blobs",
                "the digest '\(digest.prefix(20))' is refused by 400", ["digest-bad-400"]
            ) { probe in
                let upload = try probe.beginUpload()
                try probe.finish(upload.place, digest: digest, body: try probe.random(50)).expect(400)
            }
        }
}

/// How a UUID is written.
enum UUIDForm {
    /// With dashes, or 32 hexadecimal digits in a row.
    static var pattern: Regex<Substring> {
        /[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}/
    }
}
