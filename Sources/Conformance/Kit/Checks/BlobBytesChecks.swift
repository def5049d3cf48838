import Vocabulary

/// distribution-spec "Pulling blobs": what is text, JSON or compressed stays as it was pushed, under no other coding.
enum BlobBytesChecks {
    private static let section = "distribution-spec: Pulling blobs"

    /// JSON written as no serializer would write it again.
    private static func json(_ probe: Probe) throws -> Content {
        Content("{ \"b\" :1.50 ,\n\t\"a\": [ ],\"w\":\"\(try probe.word())\\/\\u00e9\"  }")
    }

    /// Pulls a blob that was just pushed; it must be there byte for byte and claim no coding, but one that the request
    /// takes and that has the blob under it (RFC 9110 section 8.4).
    private static func expectKept(_ probe: Probe, _ content: Content, accept coding: String? = nil) throws {
        try probe.pushBlob(content)
        var request = Request("GET", probe.blobPlace(content.digest))
        if let coding { request.headers = [("Accept-Encoding", coding)] }
        var answer = try probe.send(request)
        try answer.expect(200)
        if coding != nil, let told = answer.headers["Content-Encoding"], told != "identity" {
            request.decodes = true
            answer = try probe.send(request)
            try answer.expect(200)
            return try answer.expectBody(content.bytes)
        }
        if answer.headers.list("Content-Encoding") != ["identity"] { try answer.expectNoHeader("Content-Encoding") }
        try answer.expectBody(content.bytes)
        try answer.expectDigestHeader(of: content.bytes)
    }

    static let checks: [Check] = [
        Check(
            "pull.blob.bytes.json", .must, section,
            "a blob of JSON is never written anew: blanks, order and numbers stay",
            ["blob-get-200", "blob-digest-matches"]
        ) { probe in
            try expectKept(probe, try json(probe))
        },
        Check(
            "pull.blob.bytes.text", .must, section, "a blob of text keeps its line ends, and its lack of a last one",
            ["blob-get-200", "blob-digest-matches"]
        ) { probe in
            try expectKept(probe, Content("#!/bin/sh\necho \(try probe.word())\r\n\n exit\t0"))
        },
        Check(
            "pull.blob.bytes.gzip", .must, section,
            "a blob that is gzip comes as it is: not unpacked, and not told as a coding that clients take off",
            ["blob-get-200", "blob-digest-matches"]
        ) { probe in
            try expectKept(probe, Content.gzip(try probe.random(700).bytes))
        },
        Check(
            "pull.blob.accept-encoding", .must, section,
            "a blob is the same bytes for a client that would take gzip, once a coding is taken off",
            ["blob-get-200", "blob-digest-matches"]
        ) { probe in
            try expectKept(probe, try json(probe), accept: "gzip, deflate")
            try expectKept(probe, Content.gzip(try probe.random(700).bytes), accept: "gzip")
        },
    ]
}
