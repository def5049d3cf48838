import Crypto
import Vocabulary

/// Gigabytes, for `--large`: chunks and parts of 64 MiB, so that the runner's own memory stays small.
enum LargeChecks {
    private static let parts = 17

    static let checks: [Check] = [
        Check(
            "large.chunks", .must, "distribution-spec: Pushing a blob in chunks",
            "a blob of more than a GiB in chunks of 64 MiB is pushed, and pulled part by part",
            ["chunk-202", "put-201"],
            needs: [.push, .large, .alone]
        ) { probe in
            let part = probe.run.target.largePart
            let upload = try probe.beginUpload()
            var place = upload.place
            var whole = SHA256()
            for number in 0..<parts {
                let content = try probe.random(part)
                whole.update(data: content.bytes)
                let start = number * part
                let answer = try probe.patch(place, content, range: "\(start)-\(start + part - 1)")
                try answer.expect(202)
                try answer.expectHeader("Range", "0-\(start + part - 1)")
                place = try probe.expectLocation(answer)
            }
            let digest = "sha256:" + Hex.encode(whole.finalize())
            try probe.finish(place, digest: digest).expect(201)
            try probe.head(probe.blobPlace(digest)).expectHeader("Content-Length", String(part * parts))
            var pulled = SHA256()
            for number in 0..<parts {
                let range = "bytes=\(number * part)-\((number + 1) * part - 1)"
                let answer = try probe.get(probe.blobPlace(digest), ("Range", range))
                if answer.status == 200 { throw Skip("ranges are not supported, and the whole is too large to hold") }
                try answer.expect(206)
                pulled.update(data: answer.body)
            }
            let got = "sha256:" + Hex.encode(pulled.finalize())
            try require(got == digest, digest, got)
        }
    ]
}
