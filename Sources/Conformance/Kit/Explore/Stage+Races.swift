import Vocabulary

/// Several clients at once: whatever the order was, some things have to be true at the end.
extension Stage {
    func run(_ race: Race, _ probe: Probe, _ at: Int) throws {
        switch race {
        case .sameBlob(let key, let clients): try pushTogether(probe, at, key, clients)
        case .oneTag(let tag, let plans): try tagTogether(probe, at, tag, plans)
        case .tagsWhileListing(let tags, let plan): try tagWhileListing(probe, at, tags, plan)
        case .referrers(let plans): try referTogether(probe, at, plans)
        case .deleteWhilePulling(let key): try deleteWhilePulling(probe, at, key)
        case .firstWriter(let tag, let plans): try writeFirst(probe, at, tag, plans)
        case .oneSession(let key, let clients): try chunkTogether(probe, at, key, clients)
        }
    }

    private func pushTogether(_ probe: Probe, _ at: Int, _ key: BlobKey, _ clients: Int) throws {
        let (content, name) = (try cast.content(key), names[at])
        let answers = try probe.parallel(clients) { probe, _ in
            let opening = try probe.postUpload(in: name)
            guard opening.status == 202, let place = probe.location(opening) else { return opening }
            return try probe.finish(place, digest: content.digest, in: name, body: content)
        }
        for answer in answers { try hold(.push) { _ = try answer.expect(201) } }
        world.holdings[at].pushed(key, .sha256)
        forget("blob \(at) \(key)")
    }

    /// Of those who send the same chunk of one upload at once one is taken: it closes whole, or not at all.
    private func chunkTogether(_ probe: Probe, _ at: Int, _ key: BlobKey, _ clients: Int) throws {
        let content = try cast.content(key)
        guard content.count > 1, let upload = try open(probe, at, .sha256), upload.leastChunk <= content.count else {
            return
        }
        let answers = try probe.parallel(clients) { probe, _ in
            try probe.patch(upload.place, content, range: "0-\(content.count - 1)")
        }
        guard let taken = answers.first(where: { $0.status == 202 }), let place = probe.location(taken) else { return }
        let count = answers.count { $0.status == 202 }
        try hold(.order) {
            try require(count == 1, "\(taken.request) by \(clients) at once: one 202", "\(count) times 202", taken)
        }
        let closing = try probe.finish(place, digest: content.digest, in: names[at])
        if closing.status == 201 { world.holdings[at].pushed(key, .sha256) }
        forget("blob \(at) \(key)")
    }

    /// Manifests that may be pushed at all: what they name is there.
    private func fit(_ plans: [ManifestPlan], _ at: Int) -> Bool {
        plans.count > 1 && plans.allSatisfy { world.holdings[at].isComplete($0) && !$0.form.isDocker }
    }

    private func put(_ probe: Probe, _ at: Int, _ writes: [(ManifestPlan, String)], _ more: [(String, String)] = [])
        throws -> [Answer]
    {
        let manifests = try writes.map { (try cast.manifest($0.0), $0.1) }
        let name = names[at]
        return try probe.parallel(writes.count) { probe, number in
            let (manifest, reference) = manifests[number]
            return try probe.putManifest(
                manifest.content, reference, type: manifest.type, in: name, headers: more)
        }
    }

    private func tagTogether(_ probe: Probe, _ at: Int, _ tag: String, _ plans: [ManifestPlan]) throws {
        guard fit(plans, at), world.holdings[at].tags[tag] == nil, !world.holdings[at].unsureTags.contains(tag),
            habits["the push of another manifest under a tag"] == "201"
        else { return }
        for answer in try put(probe, at, plans.map { ($0, tag) }) {
            try hold(.manifestPush) { _ = try answer.expect(201) }
        }
        for plan in plans { world.holdings[at].pushed(plan, .sha256, tags: []) }
        let seen = try probe.get(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
        let winner = try hold(.manifestThere) {
            try seen.expect(200)
            let winner = try plans.first { try cast.manifest($0).content.bytes == seen.body }
            guard let winner else {
                throw seen.failure(
                    "\(seen.request): one of the \(plans.count) manifests", "\(seen.body.count) other bytes")
            }
            try seen.expectDigestHeader(of: seen.body)
            return winner
        }
        world.holdings[at].pushed(winner, .sha256, tags: [tag])
        forget("manifest \(at) \(tag)")
    }

    private func tagWhileListing(_ probe: Probe, _ at: Int, _ tags: [String], _ plan: ManifestPlan) throws {
        let holding = world.holdings[at]
        guard holding.isComplete(plan), !plan.form.isDocker, !holding.liveTags.isEmpty, probe.run.lateness == .zero,
            !tags.contains(where: { holding.tags[$0] != nil || holding.unsureTags.contains($0) })
        else { return }
        let (manifest, name) = (try cast.manifest(plan), names[at])
        let before = Set(holding.liveTags.keys)
        // What two clients read while the tags come.
        let lists = try hold(.tagPages) {
            try probe.parallel(tags.count + 2) { probe, number -> [String]? in
                if number >= tags.count { return try probe.tags("n=2", in: name) }
                let answer = try probe.putManifest(manifest.content, tags[number], type: manifest.type, in: name)
                return answer.status == 201 ? nil : []
            }
        }
        world.holdings[at].unsureTags.formUnion(tags)
        try hold(.manifestPush) {
            let lost = lists.prefix(tags.count).count { $0 != nil }
            try require(lost == 0, "201 for each of \(tags.count) tags at once", "another status for \(lost)")
        }
        world.holdings[at].pushed(plan, .sha256, tags: tags)
        for list in lists.suffix(2).compactMap({ $0 }) {
            // Without a Link there is no more of it than the first page.
            let isPart = list.count == 2 && habits[Stage.fullPage] != "there"
            let lost = isPart ? [] : before.subtracting(list)
            let extra = Set(list).subtracting(before).subtracting(tags).subtracting(holding.unsureTags)
            try hold(.tagPages) {
                try require(
                    lost.isEmpty && extra.isEmpty && Set(list).count == list.count,
                    "pages of n=2 while tags are pushed: each of \(before.sorted()) once, and new ones", "\(list)")
            }
        }
    }

    private func referTogether(_ probe: Probe, _ at: Int, _ plans: [ManifestPlan]) throws {
        guard fit(plans, at) else { return }
        let writes = try plans.map { ($0, try cast.digest($0)) }
        for answer in try put(probe, at, writes) { try hold(.manifestPush) { _ = try answer.expect(201) } }
        for plan in plans { world.holdings[at].pushed(plan, .sha256, tags: []) }
    }

    private func deleteWhilePulling(_ probe: Probe, _ at: Int, _ key: BlobKey) throws {
        let holding = world.holdings[at]
        guard holding.blob(key, .sha256) == .there, holding.naming(key).isEmpty,
            habits["the deletion of a blob"] == "202"
        else { return }
        let content = try cast.content(key)
        let place = probe.blobPlace(content.digest, in: names[at])
        let answers = try probe.parallel(4) { probe, number in
            number == 1 ? try probe.delete(place) : try probe.get(place)
        }
        try hold(.deleted) { _ = try answers[1].expect(202) }
        world.holdings[at].deleted(key, .sha256)
        for (number, answer) in answers.enumerated() where number != 1 {
            try hold(.blobBytes) {
                try answer.expect(anyOf: [200, 404], "for a blob that is being deleted")
                if answer.status == 200 { try answer.expectBody(content.bytes) }
            }
        }
    }

    private func writeFirst(_ probe: Probe, _ at: Int, _ tag: String, _ plans: [ManifestPlan]) throws {
        guard fit(plans, at), world.holdings[at].tags[tag] == nil, !world.holdings[at].unsureTags.contains(tag),
            habits["If-None-Match: * on a tag that is there"] == "412",
            habits["the push of another manifest under a tag"] == "201"
        else { return }
        let answers = try put(probe, at, plans.map { ($0, tag) }, [("If-None-Match", "*")])
        world.holdings[at].unsureTags.insert(tag)
        for plan in plans where world.holdings[at].manifest(plan, .sha256) != .there {
            world.holdings[at].manifests[Named(plan, .sha256)] = .unsure
        }
        try hold(.condition) {
            let statuses = answers.map(\.status).sorted()
            let wanted = [201] + Array(repeating: 412, count: plans.count - 1)
            try require(
                statuses == wanted, "\(answers[0].request) by \(plans.count) at once: one 201, else 412", "\(statuses)")
        }
        guard let winner = answers.firstIndex(where: { $0.status == 201 }) else { return }
        world.holdings[at].pushed(plans[winner], .sha256, tags: [tag])
    }
}
