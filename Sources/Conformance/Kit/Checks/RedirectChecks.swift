import Vocabulary

/// distribution-spec "API": any request may be answered by a redirect, and what is ruled is what comes behind it.
enum RedirectChecks {
    static let checks: [Check] = [
        Check(
            "pull.blob.redirect", .may, "distribution-spec: API",
            "where a blob is somewhere else, GET leads to its bytes and HEAD to its size, without credentials"
        ) { probe in
            let blob = try probe.newBlob()
            let place = probe.blobPlace(blob.digest)
            let pulled = try probe.get(place)
            let head = try probe.head(place)
            if pulled.redirect == nil, head.redirect == nil { throw Skip("blobs are not redirected") }
            try pulled.expect(200)
            try pulled.expectBody(blob.bytes)
            try head.expect(200)
            try head.expectHeader("Content-Length", String(blob.count))
            for answer in [pulled, head] where answer.headers[HeaderNames.digest] == nil {
                // One finding for all checks that miss it, and a note: of a redirect's end only the status is ruled.
                if answer.redirect?[HeaderNames.digest] == nil {
                    throw Skip("blobs are redirected to a place that tells no Docker-Content-Digest")
                }
            }
        }
    ]
}
