import Vocabulary

/// Repository names at and past the edges of the grammar.
enum NameChecks {
    private static let section = "distribution-spec: Pulling manifests"

    static let checks: [Check] = good + long + bad

    /// An image under a name: that it can be pushed is the question itself here, no preparation. Skips the check where
    /// a registry refuses a name for its depth, its words or its length: name is bound by the grammar, and no sentence
    /// says that every name of it has to be taken.
    private static func pushed(_ probe: Probe, _ repository: String, mayRefuse: Bool) throws -> Manifest {
        let opening = try probe.postUpload(in: repository)
        if mayRefuse, [400, 403, 404].contains(opening.status) {
            throw Skip("the registry takes no such name (status \(opening.status))")
        }
        do {
            return try probe.newTaggedImage(in: repository)
        } catch let setup as SetupFailure {
            throw setup.failure
        }
    }

    /// Limits that real registries have: on parts, on their length, on words of the API.
    private static let limits: Set<String> = ["deep", "digits", "short", "like-endpoints"]

    private static let good: [Check] = [
        ("dot", "a.b"), ("underscore", "a_b"), ("two-underscores", "a__b"), ("dashes", "a---b"), ("digits", "0/1/2"),
        ("deep", "a/b/c/d/e/f/g/h"), ("short", "x/y"),
        ("like-endpoints", "manifests/blobs/uploads/tags/list"),
    ].map { name, part in
        Check(
            "names.taken.\(name)", .must, section, "the repository name …/\(part) is in the grammar and is taken",
            ["name-grammar"]
        ) { probe in
            if !probe.isRepositoryFresh { throw Skip("only one repository may be used") }
            let repository = probe.repository + "/" + part
            let isDeep = probe.run.isFlat
            let image = try pushed(probe, repository, mayRefuse: isDeep || limits.contains(name))
            let answer = try probe.get(probe.manifestPlace("latest", in: repository), ("Accept", image.type))
            try answer.expect(200)
            try answer.expectBody(image.content.bytes)
            let tags = try probe.tags(in: repository)
            try require(tags == ["latest"], "the tag latest", "\(tags)")
        }
    }

    private static let long: [Check] = [
        Check(
            "names.taken.long", .should, section, "a repository name of 200 characters is taken", ["name-grammar"]
        ) { probe in
            if !probe.isRepositoryFresh { throw Skip("only one repository may be used") }
            let repository = probe.repository + "/"
            let whole = repository + String(repeating: "n", count: max(1, 200 - repository.count))
            let image = try pushed(probe, whole, mayRefuse: probe.run.isFlat)
            try probe.get(probe.manifestPlace("latest", in: whole), ("Accept", image.type)).expect(200)
        },
        Check(
            "names.refused.too-long", .should, "RFC 9110 §15.5: Client errors",
            "a repository name of 3,000 characters is taken or refused as a client's, not a server's error",
            ["http-semantics"]
        ) { probe in
            let answer = try probe.postUpload(in: probe.repository + "/" + String(repeating: "n", count: 3_000))
            try require(
                answer.status == 202 || (400..<500).contains(answer.status), "202 or 4xx",
                "status \(answer.status)", answer)
        },
    ]

    private static let bad: [Check] = [
        ("upper-case", "Upper"), ("leading-dash", "-a"), ("trailing-dash", "a-"), ("leading-dot", ".a"),
        ("two-dots", "a..b"), ("three-underscores", "a___b"), ("mixed-separators", "a._b"), ("empty-part", "a//b"),
        ("parent", "../etc"), ("escaped-slash", "a%2Fb%2F..%2F..%2Fc"), ("escaped-dots", "%2e%2e/%2e%2e/x"),
        ("beyond-ascii", "caf%C3%A9"), ("blank", "a%20b"), ("nul", "a%00b"), ("8-bit", "a%FFb"), ("backslash", "a%5Cb"),
    ].map { name, part in
        Check(
            "names.refused.\(name)", .must, section, "a repository name outside the grammar (\(name)) is never made",
            ["name-grammar"]
        ) { probe in
            let repository = probe.repository + "/" + part
            let content = try probe.random(64)
            let digest = queryEscaped(content.digest)
            let answer = try probe.postUpload("digest=" + digest, in: repository, body: content, follows: false)
            if answer.status == 201 || answer.status == 202 { try skipWhereCleaned(probe, repository, content, answer) }
            try require(
                (300..<500).contains(answer.status), "a 4xx status, or a redirect to a clean path",
                "status \(answer.status)", answer)
        }
    }

    /// Skips the check where a path is decoded, merged and resolved on its way, so that the registry was asked for
    /// another name, which is in the grammar: the upload or the blob is that one's.
    private static func skipWhereCleaned(
        _ probe: Probe, _ repository: String, _ content: Content, _ answer: Answer
    ) throws {
        let clean = Address.cleaned("/" + repository).dropFirst()
        guard clean != repository, let place = probe.location(answer) else { return }
        let isItsOwn = Address(place.url(on: probe.base))?.target.hasPrefix("/v2/\(clean)/blobs/") ?? false
        let isThere =
            answer.status == 202
            ? isItsOwn
            : try probe.head(
                probe.blobPlace(content.digest, in: String(clean))
            ).status == 200
        guard isItsOwn || isThere else { return }
        probe.ledger.add(.blob(repository: String(clean), digest: content.digest))
        throw Skip("the path is cleaned on its way: \(repository) is \(clean)")
    }
}
