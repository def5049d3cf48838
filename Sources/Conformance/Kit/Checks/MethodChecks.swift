import Vocabulary

/// RFC 9110 section 9 and 15.5.6: methods that an endpoint does not have.
enum MethodChecks {
    private static let section = "RFC 9110 §15.5.6: 405 Method Not Allowed"

    private static let endpoints: [(name: String, methods: [String], place: @Sendable (Probe) -> Place)] = [
        ("version", ["POST", "PUT", "PATCH", "DELETE"], { _ in .path("/v2/") }),
        ("blob", ["POST", "PUT", "PATCH"], { $0.blobPlace(Content("x").digest) }),
        ("manifest", ["POST", "PATCH"], { $0.manifestPlace("latest") }),
        ("uploads", ["PUT", "PATCH", "DELETE"], { $0.uploadsPlace() }),
        ("tags", ["POST", "PUT", "PATCH", "DELETE"], { $0.tagsPlace() }),
        ("catalog", ["POST", "PUT", "PATCH", "DELETE"], { _ in .path("/v2/_catalog") }),
        ("referrers", ["POST", "PUT", "PATCH", "DELETE"], { $0.referrersPlace(Content("x").digest) }),
    ]

    static let checks: [Check] =
        endpoints.map { name, methods, place in
            Check(
                "methods.\(name)", .should, section,
                "\(methods.joined(separator: ", ")) on the \(name) endpoint is 405, or another client error, or 501",
                ["http-semantics"]
            ) { probe in
                _ = try probe.newTaggedImage()
                for method in methods {
                    let answer = try probe.send(Request(method, place(probe)))
                    // RFC 9110 §15.5.6 says what 405 means, and not that nothing else may be answered.
                    if answer.status != 501 { try answer.expectClientError("for a method that the endpoint has not") }
                }
            }
        } + [
            Check(
                "methods.unknown", .should, section, "a method that nobody knows is a client error or 501",
                ["http-semantics"], needs: []
            ) { probe in
                let answer = try probe.send(Request("FROBNICATE", .path("/v2/")))
                try require(
                    (400..<500).contains(answer.status) || answer.status == 501, "4xx or 501",
                    "status \(answer.status)", answer)
            },
            Check(
                "methods.put-on-reads-changes-nothing", .must, section,
                "PUT on a blob's URL neither makes nor changes the blob", ["blob-get-200", "blob-404"]
            ) { probe in
                let blob = try probe.newBlob()
                let other = try probe.random(99)
                for content in [blob, other] {
                    var request = Request("PUT", probe.blobPlace(content.digest))
                    request.body = other
                    try probe.send(request).expectClientError("for PUT on a blob")
                }
                try probe.get(probe.blobPlace(blob.digest)).expectBody(blob.bytes)
                try probe.get(probe.blobPlace(other.digest)).expect(404)
            },
        ]
}
