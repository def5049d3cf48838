import Vocabulary

/// A name that is almost that of something which is there: it names nothing.
enum Near: Hashable, Sendable {
    /// Ways to write a digest that is not quite the one.
    enum DigestForm: Hashable, Sendable, CaseIterable {
        case upper
        case short
        case long
        case otherAlgorithm
        case bare
    }

    /// Ways to write the name of a repository that nobody made.
    enum NameForm: Hashable, Sendable, CaseIterable {
        case upper
        case otherSeparator
        case longer
        case deeper
        case parent
    }

    case tag(String)
    case blob(BlobKey, DigestForm)
    case manifest(ManifestPlan, DigestForm)
    case name(BlobKey, NameForm)
    /// A manifest's digest, deleted as a blob's.
    case deleteAmongBlobs(ManifestPlan)
    /// A blob's digest, deleted as a manifest's.
    case deleteAmongManifests(BlobKey)

    /// Whether it changes nothing, whatever the registry makes of it.
    var isQuestion: Bool {
        switch self {
        case .tag, .blob, .manifest, .name: true
        case .deleteAmongBlobs, .deleteAmongManifests: false
        }
    }
}

extension Stage {
    func ask(_ near: Near, _ probe: Probe, _ at: Int) throws {
        switch near {
        case .tag(let tag): try askNearTag(probe, at, tag)
        case .blob(let key, let form):
            guard world.holdings[at].blob(key, .sha256) == .there else { return }
            let digest = written(try cast.digest(key), form)
            try expectNothing(
                try probe.get(probe.blobPlace(digest, in: names[at])), .oddRequest, "a digest that is none")
        case .manifest(let plan, let form):
            guard world.holdings[at].manifest(plan, .sha256) == .there else { return }
            let place = probe.manifestPlace(written(try cast.digest(plan), form), in: names[at])
            try expectNothing(try probe.get(place, ("Accept", MediaTypes.all)), .oddRequest, "a digest that is none")
        case .name(let key, let form):
            guard let name = written(names[at], form), world.holdings[at].blob(key, .sha256) == .there else { return }
            let answer = try probe.get(probe.blobPlace(try cast.digest(key), in: name))
            try expectNothing(answer, .blobMissing, "a repository that nobody made")
        case .deleteAmongBlobs(let plan): try deleteAmongBlobs(probe, at, plan)
        case .deleteAmongManifests(let key): try deleteAmongManifests(probe, at, key)
        }
    }

    /// Not found, or refused: anything but what another name has.
    private func expectNothing(_ answer: Answer, _ rule: PlayRule, _ what: String) throws {
        try hold(rule) {
            try require(
                !(200..<300).contains(answer.status), "\(answer.request): nothing, for \(what)",
                "status \(answer.status)", answer)
        }
    }

    private func askNearTag(_ probe: Probe, _ at: Int, _ tag: String) throws {
        let isTag = tag.wholeMatch(of: /[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}/) != nil
        let holding = world.holdings[at]
        guard isTag, !holding.unsureTags.contains(tag), (holding.tags[tag] ?? nil) == nil else { return }
        let answer = try probe.get(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
        try expectNothing(answer, .manifestMissing, "a tag that nobody made")
    }

    private func written(_ digest: String, _ form: Near.DigestForm) -> String {
        let (algorithm, hex) = (digest.prefix { $0 != ":" }, digest.drop { $0 != ":" }.dropFirst())
        switch form {
        case .upper: return "\(algorithm):\(hex.uppercased())"
        case .short: return String(digest.dropLast(hex.count / 3))
        case .long: return digest + "0"
        case .otherAlgorithm: return "\(algorithm == "sha256" ? "sha512" : "sha256"):\(hex)"
        case .bare: return String(hex)
        }
    }

    /// Nil where the form makes no other name of it, or that of a repository which is there.
    private func written(_ name: String, _ form: Near.NameForm) -> String? {
        let parts = name.split(separator: "/").map(String.init)
        guard let last = parts.last, parts.count > 1 else { return nil }
        let parent = parts.dropLast().joined(separator: "/")
        let other: String
        switch form {
        case .upper: other = "\(parent)/\(last.uppercased())"
        case .otherSeparator: other = "\(parent)/\(last.replacing("-", with: "_"))"
        case .longer: other = name + "x"
        case .deeper: other = name + "/x"
        case .parent: other = parent
        }
        return other == name || names.contains(other) || name == seats[0].run.target.onlyRepository ? nil : other
    }

    /// What is not read as a blob is not deleted as one: it is 404, and the manifest stays.
    private func deleteAmongBlobs(_ probe: Probe, _ at: Int, _ plan: ManifestPlan) throws {
        guard world.holdings[at].manifest(plan, .sha256) == .there else { return }
        let place = probe.blobPlace(try cast.digest(plan), in: names[at])
        let seen = try probe.get(place)
        let answer = try probe.delete(place)
        guard answer.status < 400 || answer.status >= 500 else { return }
        world.doubt(.delete(at, .manifest(plan, .sha256)))
        guard seen.status == 404 else { return }
        try hold(.deleteMissingBlob) {
            _ = try answer.expectClientError("for a manifest's digest, which is no blob's")
        }
    }

    /// What is no manifest is not deleted as one. A registry may say of anything that it is gone; a blob stays.
    private func deleteAmongManifests(_ probe: Probe, _ at: Int, _ key: BlobKey) throws {
        guard world.holdings[at].blob(key, .sha256) == .there else { return }
        let answer = try probe.delete(probe.manifestPlace(try cast.digest(key), in: names[at]))
        if !(400..<500).contains(answer.status) { world.holdings[at].doubt(key) }
        try hold(.deleteMissing) {
            try require(
                answer.status < 500, "\(answer.request): no server's error", "status \(answer.status)", answer)
        }
    }
}
