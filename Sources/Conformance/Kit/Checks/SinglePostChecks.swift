import Vocabulary

/// distribution-spec "Single POST" (end-4b) and `digest-algorithm` (end-4c).
enum SinglePostChecks {
    private static let section = "distribution-spec: Single POST"

    static let checks: [Check] = [
        Check(
            "push.single.answer", .must, section,
            "a POST with digest and body is 201, or 202 with a Location to go on at", ["single-201", "single-fallback"]
        ) { probe in
            let content = try probe.random(1_500)
            let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), body: content)
            try answer.expect(201, 202)
            let place = try probe.expectLocation(answer)
            guard answer.status == 201 else { return }
            let pulled = try probe.get(place)
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.single.fallback", .should, section,
            "a registry without single POST answers 202, and the PUT that follows works", ["single-fallback"]
        ) { probe in
            let content = try probe.random(1_500)
            let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), body: content)
            if answer.status == 201 { throw Skip("the registry takes blobs in a single POST") }
            try answer.expect(202)
            try probe.finish(try probe.expectLocation(answer), digest: content.digest, body: content).expect(201)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "push.single.stored", .must, section, "a blob that was pushed by a single POST is there whole",
            ["single-201", "single-digest"]
        ) { probe in
            for count in [0, 1, 300_000] {
                let content = try probe.random(count)
                let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), body: content)
                if answer.status == 202 { throw Skip("the registry does not take blobs in a single POST") }
                try answer.expect(201)
                let pulled = try probe.get(probe.blobPlace(content.digest))
                try pulled.expect(200)
                try pulled.expectBody(content.bytes)
            }
        },
        Check(
            "push.single.digest-header", .may, section, "where a single POST tells a digest, it is the blob's"
        ) { probe in
            let content = try probe.random(800)
            let answer = try probe.postUpload("digest=" + queryEscaped(content.digest), body: content)
            if answer.status == 202 { throw Skip("the registry does not take blobs in a single POST") }
            try answer.expect(201)
            try ToldDigest.require(answer, of: content)
        },
        Check(
            "push.single.wrong-digest", .must, section,
            "a single POST of other content than the digest says stores nothing", ["single-digest", "blob-404"]
        ) { probe in
            let content = try probe.random(900)
            let other = try probe.random(900)
            let answer = try probe.postUpload("digest=" + queryEscaped(other.digest), body: content)
            try require(
                answer.status == 202 || (400..<500).contains(answer.status), "a 4xx status, or 202",
                "status \(answer.status)", answer)
            try probe.get(probe.blobPlace(other.digest)).expect(404)
            try probe.get(probe.blobPlace(content.digest)).expect(404)
        },
        Check(
            "push.single.length", .must, section,
            "a single POST that ends before its Content-Length stores nothing", ["single-length", "blob-404"]
        ) { probe in
            let content = try probe.random(200_000)
            var request = Request("POST", probe.uploadsPlace("digest=" + queryEscaped(content[0..<90_000].digest)))
            request.headers = [("Content-Type", MediaType.octetStream)]
            (request.body, request.cutUploadAfter) = (content, 90_000)
            do {
                let answer = try probe.send(request)
                try require(answer.status != 201, "any status but 201", "201 before the whole body came", answer)
            } catch let failure as TransportFailure where failure.kind == .cutByRunner || failure.kind == .cut {
                // The connection is gone, as it was meant to be.
            }
            try probe.expectMissing(probe.blobPlace(content[0..<90_000].digest))
        },
        Check(
            "push.single.malformed-digest", .should, "distribution-spec: Pushing blobs",
            "a single POST with a malformed digest is 400", ["digest-bad-400"]
        ) { probe in
            let answer = try probe.postUpload("digest=sha256%3Anonsense", body: try probe.random(100))
            if answer.status == 202 { throw Skip("the registry does not take blobs in a single POST") }
            try answer.expect(400)
        },
        Check(
            "push.algorithm.sha512", .may, "distribution-spec: Pushing a blob in chunks",
            "an upload that names digest-algorithm=sha512 is closed by a sha512 digest", ["head-200"]
        ) { probe in
            let content = try probe.random(3_000)
            try SecondAlgorithm.push(content, probe)
            try probe.head(probe.blobPlace(content.digest512)).expect(200)
        },
        Check(
            "push.algorithm.sha512.location", .may, "distribution-spec: POST then PUT",
            "the Location of a blob that was pushed by sha512 leads to it", ["upload-put-201"]
        ) { probe in
            let content = try probe.random(3_000)
            let opening = try probe.postUpload("digest-algorithm=sha512")
            if (400..<500).contains(opening.status) { throw Skip("no sha512 uploads (POST: \(opening.status))") }
            let answer = try probe.finish(
                try probe.expectLocation(opening), digest: content.digest512, body: content)
            if (400..<500).contains(answer.status) { throw Skip("no sha512 digests (PUT: \(answer.status))") }
            try answer.expect(201)
            let pulled = try probe.get(try probe.expectLocation(answer))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "push.algorithm.sha512.wrong", .may, "distribution-spec: Pushing blobs",
            "other content than the sha512 digest says is refused and stores nothing", ["blob-404"]
        ) { probe in
            let content = try probe.random(300)
            let other = try probe.random(300)
            let opening = try probe.postUpload("digest-algorithm=sha512")
            if (400..<500).contains(opening.status) { throw Skip("no sha512 uploads (POST: \(opening.status))") }
            let answer = try probe.finish(
                try probe.expectLocation(opening), digest: other.digest512, body: content)
            try answer.expectClientError("for content of another digest")
            let pulled = try probe.get(probe.blobPlace(other.digest512))
            try pulled.expectClientError("for a blob that was refused")
        },
        Check(
            "push.algorithm.sha512.chunked", .may, "distribution-spec: Pushing a blob in chunks",
            "chunks of an upload that names digest-algorithm=sha512 make one blob", ["chunk-202", "put-201"]
        ) { probe in
            let opening = try probe.postUpload("digest-algorithm=sha512")
            if (400..<500).contains(opening.status) { throw Skip("no sha512 uploads (POST: \(opening.status))") }
            var place = try probe.expectLocation(opening)
            let upload = Upload(place: place, repository: probe.repository, opening: opening)
            let first = max(4_000, upload.leastChunk)
            let content = try probe.random(first + 2_000)
            for part in [0..<first, first..<first + 2_000] {
                let answer = try probe.patch(
                    place, content[part], range: "\(part.lowerBound)-\(part.upperBound - 1)")
                try answer.expect(202)
                place = try probe.expectLocation(answer)
            }
            let answer = try probe.finish(place, digest: content.digest512)
            if (400..<500).contains(answer.status) { throw Skip("no sha512 digests (PUT: \(answer.status))") }
            try answer.expect(201)
            try probe.get(probe.blobPlace(content.digest512)).expectBody(content.bytes)
        },
        Check(
            "push.algorithm.unknown", .should, "distribution-spec: Pushing blobs",
            "an upload for an algorithm that nobody knows is refused by 400, or ignored until the PUT",
            ["digest-bad-400"]
        ) { probe in
            let answer = try probe.postUpload("digest-algorithm=nonsense9")
            if answer.status == 202 { throw Skip("the registry does not look at digest-algorithm") }
            try answer.expect(400)
        },
    ]
}
