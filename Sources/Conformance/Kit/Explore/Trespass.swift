import Vocabulary

/// What somebody does who may nothing in a repository.
enum Trespass: Hashable, Sendable {
    case pull(Reference)
    case pullBlob(BlobKey)
    case listTags
    case listReferrers(ManifestPlan)
    case push(ManifestPlan, tag: String)
    case begin
    /// Of a blob that the game has, into a repository of the stranger's own.
    case takeAway(BlobKey)
    case session(Int, method: String)
    case delete(Victim)
}

extension Stage {
    /// The stranger of this number does what must be refused. What it left is asked by the questions behind it.
    func trespass(_ at: Int, _ who: Int, _ deed: Trespass) throws {
        guard !strangers.isEmpty else { return }
        let stranger = strangers[who % strangers.count]
        let probe = seats[0]
        switch deed {
        case .pull(let reference):
            let place = probe.manifestPlace(try text(reference), in: names[at])
            try refuse(try probe.other(stranger, "GET", place), stranger)
            try refuse(try probe.other(stranger, "HEAD", place), stranger)
        case .pullBlob(let key):
            let place = probe.blobPlace(try cast.digest(key), in: names[at])
            try refuse(try probe.other(stranger, "GET", place), stranger)
            try refuse(try probe.other(stranger, "HEAD", place), stranger)
        case .listTags:
            let answer = try probe.other(stranger, "GET", probe.tagsPlace(in: names[at]))
            try hold(.strangers) { try answer.expectNothing(in: "tags", as: stranger) }
        case .listReferrers(let plan):
            let answer = try probe.other(
                stranger, "GET", probe.referrersPlace(try cast.digest(plan), in: names[at]))
            try hold(.strangers) { try answer.expectNothing(in: "manifests", as: stranger) }
        case .push(let plan, let tag):
            let manifest = try cast.manifest(plan)
            let place = probe.manifestPlace(tag, in: names[at])
            try refuse(
                try probe.other(stranger, "PUT", place, body: manifest.content, type: manifest.type), stranger)
        case .begin: try refuse(try probe.other(stranger, "POST", probe.uploadsPlace(in: names[at])), stranger)
        case .takeAway(let key): try takeAway(probe, at, stranger, key)
        case .session(let number, let method): try touchStrange(probe, number, stranger, method)
        case .delete(let victim):
            let place =
                switch victim {
                case .blob(let key, let algorithm):
                    probe.blobPlace(try cast.digest(key, algorithm), in: names[at])
                case .manifest(let plan, let algorithm):
                    probe.manifestPlace(try cast.digest(plan, algorithm), in: names[at])
                case .tag(let tag): probe.manifestPlace(tag, in: names[at])
                }
            try refuse(try probe.other(stranger, "DELETE", place), stranger)
        }
    }

    private func text(_ reference: Reference) throws -> String {
        switch reference {
        case .tag(let tag): tag
        case .digest(let plan, let algorithm): try cast.digest(plan, algorithm)
        }
    }

    private func refuse(_ answer: Answer, _ stranger: Identity) throws {
        try hold(.strangers) { try answer.expectClientError("as \(stranger.name), who may nothing there") }
    }

    /// A mount needs the right to read where the blob is.
    private func takeAway(_ probe: Probe, _ at: Int, _ stranger: Identity, _ key: BlobKey) throws {
        let theirs = "\(stranger.name)/\(probe.run.seed)/explore"
        let query = "mount=\(try cast.digest(key))&from=\(names[at])"
        let answer = try probe.other(stranger, "POST", probe.uploadsPlace(query, in: theirs))
        try hold(.strangers) {
            try require(
                answer.status != 201, "\(answer.request): any status but 201 for \(stranger.name)", "201", answer)
        }
    }

    private func touchStrange(_ probe: Probe, _ number: Int, _ stranger: Identity, _ method: String) throws {
        guard let session = world.sessions[number], session.state == .open, let place = places[number],
            session.total > session.received
        else { return }
        let content = try cast.content(session.key)[session.received..<session.total]
        let writes = method == "PUT" || method == "PATCH"
        let at = method == "PUT" ? place.adding("digest=" + queryEscaped(content.digest)) : place
        let answer = try probe.other(
            stranger, method, at, body: writes ? content : nil, type: writes ? MediaType.octetStream : nil)
        try refuse(answer, stranger)
    }
}

extension Player {
    /// Somebody who may nothing here tries something.
    mutating func trespass(_ world: World, _ at: Int) -> Act {
        let holding = world.holdings[at]
        let tag = dice.pick(holding.liveTags.keys.sorted(), or: "latest")
        let plan = dice.pick(holding.liveManifests, or: ManifestPlan(number: 1))
        let blob = dice.pick(holding.liveBlobs, or: BlobKey(number: 2, size: 700))
        let open = world.sessions.filter { $0.value.state == .open }.keys.sorted()
        let session = dice.pick(open, or: 0)
        let choices: [(weight: Int, choice: Trespass)] = [
            (3, .pull(.tag(tag))), (2, .pull(.digest(plan, .sha256))), (3, .pullBlob(blob)), (2, .listTags),
            (2, .listReferrers(plan)), (3, .push(plan, tag: tag)), (1, .push(plan, tag: "theirs")), (2, .begin),
            (3, .takeAway(blob)),
            (open.isEmpty ? 0 : 6, .session(session, method: dice.pick(["GET", "PATCH", "PUT", "DELETE"], or: "GET"))),
            (1, .delete(.tag(tag))), (1, .delete(.manifest(plan, .sha256))), (1, .delete(.blob(blob, .sha256))),
        ]
        return .trespass(at, dice.number(0...7), dice.weighted(choices) ?? .listTags)
    }
}

extension Oracle {
    /// What must be as it was after somebody tried what he may not.
    func after(_ deed: Trespass, _ at: Int) -> [Act] {
        switch deed {
        case .pull, .pullBlob, .listTags, .listReferrers, .begin: []
        case .takeAway(let key): [.askBlob(at, key, .sha256, .both)]
        case .push(_, let tag): [.askManifest(at, .tag(tag), .both), .askTags(at, .whole)]
        case .session(let number, _): [.askSession(number)]
        case .delete(.blob(let key, let algorithm)): [.askBlob(at, key, algorithm, .both)]
        case .delete(.manifest(let plan, let algorithm)): [.askManifest(at, .digest(plan, algorithm), .both)]
        case .delete(.tag(let tag)): [.askManifest(at, .tag(tag), .both)]
        }
    }
}

extension World {
    /// After a deed that was not refused as it should have been nobody knows what it did.
    mutating func doubt(_ deed: Trespass, _ at: Int) {
        switch deed {
        case .pull, .pullBlob, .listTags, .listReferrers, .begin, .takeAway: break
        case .push(let plan, let tag):
            holdings[at].doubt(plan)
            holdings[at].doubt(.tag(tag))
        case .session(let number, _):
            sessions[number]?.state = .lost
            if let session = sessions[number] { holdings[session.repository].doubt(session.key) }
        case .delete(.blob(let key, _)): holdings[at].doubt(key)
        case .delete(.manifest(let plan, _)):
            holdings[at].doubt(plan)
            for (tag, named) in holdings[at].tags where named == plan { holdings[at].unsureTags.insert(tag) }
        case .delete(.tag(let tag)): holdings[at].doubt(.tag(tag))
        }
    }
}

extension Tour {
    /// Every deed once, with what must be as it was behind each.
    static var strangers: [Act] {
        let session = BlobKey(number: 210, size: 800)
        let deeds: [Trespass] =
            [
                .pull(.tag("one")), .pull(.digest(image, .sha256)), .pullBlob(layer), .listTags, .listReferrers(image),
                .push(other, tag: "one"), .push(other, tag: "theirs"), .begin, .takeAway(layer),
            ]
            + ["GET", "PATCH", "PUT", "DELETE"].map { .session(0, method: $0) }
            + [.delete(.tag("one")), .delete(.manifest(image, .sha256)), .delete(.blob(layer, .sha256))]
        let after: [Act] = [
            .askManifest(0, .tag("one"), .both), .askManifest(0, .tag("theirs"), .get), .askTags(0, .whole),
            .askBlob(0, layer, .sha256, .both), .askSession(0),
        ]
        return begin
            + [
                .putManifest(0, image, .tag("one"), tags: [], .none), .begin(session: 0, 0, session, .sha256),
                .chunk(session: 0, 300, .ranged),
            ]
            + deeds.enumerated().flatMap { number, deed in [.trespass(0, number, deed)] + after }
            + [.finish(session: 0, .rest(ranged: false)), .askBlob(0, session, .sha256, .both)]
    }
}
