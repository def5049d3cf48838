import Foundation
import Vocabulary

/// distribution-spec "Resumable Push" and "Resumable Pull": connections that end too early.
enum ResumeChecks {
    private static let push = "distribution-spec: Resumable Push"
    private static let size = 2_000_000

    /// Sends what it can before it cuts the connection; whatever comes of that is no verdict.
    private static func cut(_ probe: Probe, _ request: Request) throws {
        do {
            try probe.send(request)
        } catch let failure as TransportFailure where failure.kind != .unreachable && failure.kind != .deadline {
            return
        }
    }

    /// Begins an upload and cuts a PATCH of the content in its middle.
    private static func cutPatch(_ probe: Probe, _ framing: Outgoing.Framing) throws -> (Upload, Content) {
        let content = try probe.random(size)
        let upload = try probe.beginUpload()
        var request = Request("PATCH", upload.place)
        (request.body, request.framing, request.cutUploadAfter) = (content, framing, size / 2)
        try cut(probe, request)
        return (upload, content)
    }

    /// Begins an upload and cuts the PUT that should end it in the middle of the content.
    private static func cutPut(_ probe: Probe) throws -> Content {
        let content = try probe.random(size)
        let upload = try probe.beginUpload()
        var request = Request("PUT", upload.place.adding("digest=" + queryEscaped(content.digest)))
        (request.body, request.cutUploadAfter) = (content, size / 2)
        try cut(probe, request)
        return content
    }

    /// The offset that GET of the upload tells; nil when the upload is gone. What a cut request brought may still be on
    /// its way to the disk: the offset counts when it has not moved for a fifth of a second, or after three seconds.
    private static func offset(_ probe: Probe, _ place: Place) throws -> (next: Int, place: Place)? {
        let end = ContinuousClock.now + .seconds(3)
        var last: (next: Int, since: ContinuousClock.Instant)?
        while true {
            let answer = try probe.get(place)
            if answer.status == 404 { return nil }
            try answer.expect(204)
            let range = answer.headers["Range"] ?? "0-0"
            guard let told = range.split(separator: "-").last.flatMap({ Int($0) }), told < .max else {
                throw answer.failure("Range: 0-N", range)
            }
            // `0-0` stands for nothing as well as for one byte: going on at 0 fits both only when nothing came.
            let next = told == 0 ? 0 : told + 1
            let now = ContinuousClock.now
            if last?.next != next { last = (next, now) }
            if now > end || last.map({ now - $0.since > .milliseconds(200) }) ?? false {
                return (next, try probe.expectLocation(answer))
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
    }

    /// Goes on where GET says, as often as the registry answers 416 because more came in between.
    private static func goOn(_ probe: Probe, _ upload: Upload, _ content: Content) throws -> Place? {
        var place = upload.place
        for _ in 0..<4 {
            guard let (next, there) = try offset(probe, place) else { return nil }
            place = there
            try require(next <= content.count, "at most \(content.count) bytes", "Range: 0-\(next - 1)")
            let answer = try probe.patch(place, content[next..<content.count], range: "\(next)-\(content.count - 1)")
            if answer.status == 416 { continue }
            try answer.expect(202)
            return try probe.expectLocation(answer)
        }
        throw CheckFailure(expected: "a PATCH at the offset that GET tells: 202", got: "416 four times")
    }

    static let checks: [Check] = [
        Check(
            "resume.patch.told", .must, push,
            "after a PATCH that was cut, GET tells no more bytes than were sent", ["status-204"]
        ) { probe in
            let (upload, _) = try cutPatch(probe, .length)
            guard let (next, _) = try offset(probe, upload.place) else {
                throw Skip("the upload did not survive the cut connection")
            }
            try require(next <= size / 2, "at most \(size / 2) bytes", "\(next)")
        },
        Check(
            "resume.patch.kept", .should, push,
            "a PATCH that was cut keeps what arrived, so that nobody sends it again",
            ["status-204"]
        ) { probe in
            let (upload, _) = try cutPatch(probe, .chunked)
            guard let (next, _) = try offset(probe, upload.place) else {
                throw CheckFailure(expected: "the upload goes on after a cut connection", got: "it is gone (404)")
            }
            try require(next > 0, "some of the \(size / 2) bytes kept", "none")
        },
        Check(
            "resume.patch.goes-on", .must, push,
            "an upload that was cut goes on at the offset that GET tells, and is whole",
            ["status-204", "chunk-202", "put-201"]
        ) { probe in
            let (upload, content) = try cutPatch(probe, .chunked)
            guard let place = try goOn(probe, upload, content) else {
                throw Skip("the upload did not survive the cut connection")
            }
            try probe.finish(place, digest: content.digest).expect(201)
            let pulled = try probe.get(probe.blobPlace(content.digest))
            try pulled.expect(200)
            try pulled.expectBody(content.bytes)
        },
        Check(
            "resume.put.cut", .must, push, "a PUT that was cut makes no blob", ["blob-404"]
        ) { probe in
            let content = try cutPut(probe)
            try probe.expectMissing(probe.blobPlace(content.digest))
            try probe.get(probe.blobPlace(content[0..<size / 2].digest)).expect(404)
        },
        Check(
            "resume.put.again", .must, push, "after a PUT that was cut the blob can be pushed anew", ["upload-put-201"]
        ) { probe in
            let content = try cutPut(probe)
            try probe.pushBlob(content)
            try probe.get(probe.blobPlace(content.digest)).expectBody(content.bytes)
        },
        Check(
            "resume.manifest.cut", .must, push, "a manifest PUT that was cut makes no manifest and no tag",
            ["manifest-404"]
        ) { probe in
            let image = try probe.newImage(layers: 1)
            let place = probe.manifestPlace(probe.ownTag)
            var request = Request("PUT", place)
            request.headers = [("Content-Type", image.type)]
            (request.body, request.cutUploadAfter) = (image.content, image.content.count / 2)
            try cut(probe, request)
            try probe.expectMissing(place)
        },
        Check(
            "resume.get.range", .should, "distribution-spec: Resumable Pull",
            "a pull that was cut goes on with a Range from where it stopped", ["blob-range"]
        ) { probe in
            let blob = try probe.newBlob(size)
            var request = Request("GET", probe.blobPlace(blob.digest))
            request.cutDownloadAfter = size / 2
            try cut(probe, request)
            let answer = try probe.get(probe.blobPlace(blob.digest), ("Range", "bytes=\(size / 2)-"))
            try answer.expect(206)
            try answer.expectBody(Array(blob.bytes[(size / 2)...]))
        },
        Check(
            "resume.get.again", .must, "distribution-spec: Resumable Pull",
            "a pull that was cut does the blob no harm", ["blob-get-200"]
        ) { probe in
            let blob = try probe.newBlob(size)
            for _ in 0..<3 {
                var request = Request("GET", probe.blobPlace(blob.digest))
                request.cutDownloadAfter = 70_000
                try cut(probe, request)
            }
            let answer = try probe.get(probe.blobPlace(blob.digest))
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        },
    ]
}

extension Probe {
    /// What a cut request must not have made stays missing for a quarter of a second: the registry may hear of the cut
    /// after it hears of the next request.
    func expectMissing(_ place: Place) throws {
        for _ in 0..<10 {
            try get(place, ("Accept", MediaTypes.all)).expect(404)
            Thread.sleep(forTimeInterval: 0.025)
        }
    }
}
