import Vocabulary

/// Parameters that nobody knows, and known ones with values that make no sense.
extension Stage {
    func askQuery(_ probe: Probe, _ at: Int, _ endpoint: Oddity.Endpoint, _ query: String) throws {
        switch endpoint {
        case .uploads: try beginOddly(probe, at, query)
        case .manifest: try tagOddly(probe, at, query)
        case .version, .blob, .tags, .referrers: try readOddly(probe, at, endpoint, query)
        }
    }

    /// A read is answered as it is without the parameter, or refused as a client's error.
    private func readOddly(_ probe: Probe, _ at: Int, _ endpoint: Oddity.Endpoint, _ query: String) throws {
        let blob = world.holdings[at].liveBlobs.first
        let digest = try cast.digest(blob ?? BlobKey(number: 99_999, size: 9))
        let answer = try probe.get(path(endpoint, at, digest).adding(query), ("Accept", MediaTypes.all))
        try hold(.oddRequest) {
            try require(
                answer.status < 500 || answer.status == 501, "\(answer.request): no server's error",
                "status \(answer.status)", answer)
        }
        guard endpoint == .blob, answer.status == 200, let blob else { return }
        try hold(.blobBytes) { try answer.expectBody(try cast.content(blob).bytes) }
    }

    /// An upload that is asked for in words that nobody knows begins, or is refused; nothing is stored by it.
    private func beginOddly(_ probe: Probe, _ at: Int, _ query: String) throws {
        let answer = try probe.postUpload(query, in: names[at])
        try hold(.oddRequest) {
            try require(
                answer.status == 202 || (300..<500).contains(answer.status) || answer.status == 501,
                "\(answer.request): 202, or a client error", "status \(answer.status)", answer)
        }
    }

    /// A manifest that is pushed with a tag outside the grammar in its query: no such tag is made.
    private func tagOddly(_ probe: Probe, _ at: Int, _ query: String) throws {
        let plans = world.holdings[at].liveManifests.filter {
            world.holdings[at].manifest($0, .sha256) == .there && $0.form == .image && $0.subject.isEmpty
        }
        let word = query.hasPrefix("tag=") ? query.dropFirst(4).removingPercentEncoding : nil
        // A tag within the grammar may be made.
        if let word, word.wholeMatch(of: /[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}/) != nil { return }
        guard let plan = plans.min(by: { $0.number < $1.number }) else { return }
        let manifest = try cast.manifest(plan)
        let answer = try probe.putManifest(
            manifest.content, manifest.digest, type: manifest.type, in: names[at], query: query)
        try hold(.oddRequest) {
            try require(
                answer.status == 201 || (400..<500).contains(answer.status), "\(answer.request): 201 or 4xx",
                "status \(answer.status)", answer)
        }
        guard let word, !word.isEmpty else { return }
        let told = answer.headers.all(HeaderName.ociTag).joined(separator: ", ")
        try hold(.tagRefused) {
            try require(!told.contains(word), "\(answer.request): no OCI-Tag outside the grammar", told, answer)
        }
    }
}

extension Player {
    /// A parameter, known or not, and a value that it cannot have.
    mutating func query() -> Oddity {
        let endpoint = dice.pick(Oddity.Endpoint.allCases, or: .uploads)
        let names: [String] =
            switch endpoint {
            case .uploads: ["digest-algorithm", "mount", "digest", "from", "x-unknown"]
            case .manifest: ["tag", "tag", "x-unknown"]
            case .version, .blob, .tags, .referrers: ["ns", "last", "artifactType", "digest", "x-unknown"]
            }
        let values = [
            "nonsense", "", "sha256:abc", "%00", "a%2Fb%2F..", "%C3%A9", "-1", "md5", ".a", "a%20b",
            String(repeating: "q", count: 200), "%22%3E",
        ]
        return .query(endpoint, dice.pick(names, or: "x") + "=" + dice.pick(values, or: "nonsense"))
    }
}
