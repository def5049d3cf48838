import Vocabulary

/// distribution-spec "Pushing a blob in chunks": longer series, and what is told at their end.
enum ChunkSeriesChecks {
    static let checks: [Check] = [
        Check(
            "push.chunked.seven", .must, ChunkedChecks.section,
            "seven chunks in order make one blob: 202 each, then 201",
            ["chunk-202", "put-201"]
        ) { probe in
            let upload = try probe.beginUpload()
            if upload.leastChunk > 8 << 20 { throw Skip("seven chunks of \(upload.leastChunk) bytes are too much") }
            let parts = ChunkedChecks.parts(upload, 7)
            let content = try probe.random(parts[6].upperBound)
            var place = upload.place
            for part in parts { place = try ChunkedChecks.chunk(probe, place, content, part) }
            try probe.finish(place, digest: content.digest).expect(201)
            let pulled = try probe.get(probe.blobPlace(content.digest))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.chunked.digest-header", .may, ChunkedChecks.section,
            "where the end of an upload without a last chunk tells a digest, it is the blob's"
        ) { probe in
            let upload = try probe.beginUpload()
            let parts = ChunkedChecks.parts(upload, 1)
            let content = try probe.random(parts[0].upperBound)
            let place = try ChunkedChecks.chunk(probe, upload.place, content, parts[0])
            let answer = try probe.finish(place, digest: content.digest)
            try answer.expect(201)
            try ToldDigest.require(answer, of: content)
        },
    ]
}

/// What checks of an optional Docker-Content-Digest share.
enum ToldDigest {
    /// A digest that is told must be that of `content`; skips the check where none is told, or by an algorithm that
    /// the runner does not know.
    static func require(_ answer: Answer, of content: Content) throws {
        guard let told = answer.headers[HeaderNames.digest] else { throw Skip("the registry tells no digest here") }
        if Digests.same(as: told, content.bytes) == nil, !told.isEmpty {
            throw Skip("the registry tells a digest of another algorithm: \(told.prefix(40))")
        }
        try answer.expectDigestHeader(of: content.bytes)
    }
}
