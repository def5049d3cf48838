import Vocabulary

/// distribution-spec "Determining Support" (end-1), and what stands around it.
enum SupportChecks {
    private static let section = "distribution-spec: Determining Support"

    static let checks: [Check] = [
        Check(
            "support.version.get", .must, section, "GET /v2/ answers 200 to who may come in",
            ["pull-category"], needs: []
        ) { probe in
            try probe.get(.path("/v2/")).expect(200)
        },
        Check(
            "support.version.head", .should, "RFC 9110 §9.1: Overview of methods",
            "a resource that answers GET answers HEAD as well, without a body", ["http-get-head"], needs: []
        ) { probe in
            let answer = try probe.head(.path("/v2/"))
            try answer.expect(200)
        },
        Check(
            "support.version.header", .may, "Docker V2: API version check",
            "Docker-Distribution-API-Version, where it is sent, says registry/2.0", needs: []
        ) { probe in
            let answer = try probe.get(.path("/v2/"))
            guard answer.headers[HeaderName.dockerAPIVersion] != nil else { throw Skip("the header is not sent") }
            let words = answer.headers.all(HeaderName.dockerAPIVersion).flatMap { $0.split(separator: " ") }
            try require(
                words.contains("registry/2.0"), "Docker-Distribution-API-Version with registry/2.0",
                words.joined(separator: " "), answer)
        },
        Check(
            "support.categories", .should, "distribution-spec: Requirements",
            "besides Pull there are Push and Content Discovery", ["other-categories"], needs: []
        ) { probe in
            if let given = probe.run.target.given {
                return _ = try probe.tags(in: given.repository)
            }
            let opening = try probe.postUpload()
            if opening.saysNoRepository { throw Skip("the registry takes pushes to repositories that it knows alone") }
            try opening.expect(202)
            _ = try probe.prepare("an image") { try probe.newTaggedImage() }
            try probe.get(probe.tagsPlace()).expect(200)
        },
        Check(
            "support.route.unknown", .should, "RFC 9110 §15.5: Client errors",
            "a path below /v2/ that is no endpoint is a client error", ["http-semantics"], needs: []
        ) { probe in
            for path in ["/v2/\(probe.repository)/nonsense/x", "/v2/\(probe.repository)/blobs/", "/v2/_nonsense"] {
                try probe.get(.path(path)).expectClientError("for a path that is no endpoint")
            }
        },
        Check(
            "support.repository.unknown", .must, "distribution-spec: Pushing Manifests",
            "pulling from a repository that does not exist is 404", ["unknown-repository-404"], needs: []
        ) { probe in
            let answer = try probe.get(probe.manifestPlace("latest", in: probe.repository("never-made")))
            try answer.expect(404)
        },
    ]
}
