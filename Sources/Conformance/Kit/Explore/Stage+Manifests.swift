import Vocabulary

/// Pushing manifests, moving tags.
extension Stage {
    /// Pushes a manifest; whether it has to be taken depends on what the repository holds.
    func putManifest(
        _ probe: Probe, _ at: Int, _ plan: ManifestPlan, _ reference: Reference, _ tags: [String],
        _ condition: PushCondition
    ) throws {
        let manifest = try cast.manifest(plan)
        let (text, algorithm) = try written(reference, plan)
        var headers: [(String, String)] = []
        if condition != .none {
            guard case .tag(let tag) = reference, let found = try header(probe, at, tag, condition) else { return }
            headers = [found]
        }
        let answer = try probe.putManifest(
            manifest.content, text, type: manifest.type, in: names[at],
            query: tags.map { "tag=" + $0 }.joined(separator: "&"), headers: headers)
        let push = Push(
            at: at, plan: plan, reference: reference, algorithm: algorithm, tags: tags, condition: condition)
        if try isRefused(push, answer) { return }
        try taken(probe, push, answer)
    }

    private struct Push {
        let at: Int
        let plan: ManifestPlan
        let reference: Reference
        let algorithm: Algorithm
        let tags: [String]
        let condition: PushCondition

        var tag: String? {
            if case .tag(let tag) = reference { return tag }
            return nil
        }

        /// Whether nothing but missing content lets a registry refuse it.
        func isPlain(_ holding: Holding) -> Bool {
            let isNew = tag.map { (holding.tags[$0] ?? nil) == nil && !holding.unsureTags.contains($0) } ?? true
            return isNew && condition == .none && algorithm == .sha256 && !plan.form.isDocker
        }
    }

    private func written(_ reference: Reference, _ plan: ManifestPlan) throws -> (String, Algorithm) {
        switch reference {
        case .tag(let tag): (tag, .sha256)
        case .digest(_, let algorithm): (try cast.digest(plan, algorithm), algorithm)
        }
    }

    /// The condition's header; nil where nothing can be compared.
    private func header(_ probe: Probe, _ at: Int, _ tag: String, _ condition: PushCondition) throws
        -> (String, String)?
    {
        switch condition {
        case .none: return nil
        case .ifNew: return ("If-None-Match", "*")
        case .ifOther: return ("If-Match", "\"nothing-has-this-etag\"")
        case .ifSame:
            let seen = try probe.get(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
            guard seen.status == 200, let value = seen.headers["ETag"], !value.hasPrefix("W/") else { return nil }
            return ("If-Match", value)
        }
    }

    /// Judges a push that need not be taken. False when it has to be, or was.
    private func isRefused(_ push: Push, _ answer: Answer) throws -> Bool {
        let holding = world.holdings[push.at]
        let made = (push.tag.map { [$0] } ?? []) + push.tags
        if let situation = freedom(push, holding) {
            try hold(.manifestPush) {
                try require(
                    answer.status == 201 || (400..<500).contains(answer.status),
                    "\(answer.request): 201 or 4xx for \(situation.name)", "status \(answer.status)", answer)
            }
            if situation.isHabit, push.condition == .none || answer.status != 412 {
                try settle("the push of \(situation.name)", "\(answer.status)", answer)
            }
            if answer.status != 201 {
                if situation.isMissing, push.isPlain(holding) { try missing(answer) }
                if situation.mayStore { try unsure(push, made) }
                return true
            }
        }
        if push.condition != .none, let tag = push.tag {
            return try isRefusedByCondition(push, tag, holding, answer)
        }
        return false
    }

    /// What lets a registry refuse a push: content that is missing, another format, a tag that may not move.
    private func freedom(_ push: Push, _ holding: Holding) -> (
        name: String, isHabit: Bool, isMissing: Bool, mayStore: Bool
    )? {
        let plan = push.plan
        let absent = plan.blobs.filter { holding.blob($0, .sha256) != .there }
        let lost = plan.children.filter { holding.manifest($0, .sha256) != .there }
        if !absent.isEmpty || !lost.isEmpty {
            let isSure =
                absent.allSatisfy { holding.blob($0, .sha256) == .gone && !world.isKnownAnywhere($0) }
                && lost.allSatisfy { holding.manifest($0, .sha256) == .gone && !isKnownAnywhere($0) }
            let kind = [
                absent.contains { $0 == plan.config } ? "configuration" : "",
                absent.contains { plan.layers.contains($0) } ? "layers" : "", lost.isEmpty ? "" : "manifests",
            ].filter { !$0.isEmpty }.joined(separator: " and ")
            return ("a manifest whose \(kind) nobody pushed", isSure, true, true)
        }
        if push.algorithm == .sha512 { return ("a manifest by sha512", true, false, false) }
        if plan.form.isDocker { return ("a Docker manifest", true, false, false) }
        if plan.padding > 1 << 22 { return ("a manifest of more than 4 MiB", true, false, false) }
        if let tag = push.tag, push.condition == .none, let old = holding.tags[tag] ?? nil {
            return (
                old == plan ? "a manifest under the tag that it has" : "another manifest under a tag", true, false,
                false
            )
        }
        if !push.tags.isEmpty { return ("a manifest with tags in the query", true, false, false) }
        return nil
    }

    private func isKnownAnywhere(_ plan: ManifestPlan) -> Bool {
        world.holdings.contains { holding in holding.manifests.keys.contains { $0.key == plan } }
    }

    private func missing(_ answer: Answer) throws {
        try hold(.blobUnknown) {
            guard !answer.errorCodes.isEmpty else { return }
            try require(
                answer.errorCodes.contains(ErrorCode.manifestBlobUnknown),
                "\(answer.request): error code MANIFEST_BLOB_UNKNOWN", answer.errorCodes.joined(separator: ", "),
                answer)
        }
    }

    /// A registry may keep what it refused for something that is missing.
    private func unsure(_ push: Push, _ tags: [String]) throws {
        let name = Named(push.plan, push.algorithm)
        if world.holdings[push.at].manifests[name] != .there { world.holdings[push.at].manifests[name] = .unsure }
        world.holdings[push.at].unsureTags.formUnion(tags)
    }

    private func isRefusedByCondition(_ push: Push, _ tag: String, _ holding: Holding, _ answer: Answer) throws -> Bool
    {
        guard !holding.unsureTags.contains(tag) else {
            if answer.status != 201 { try unsure(push, [tag]) }
            return answer.status != 201
        }
        let isThere = (holding.tags[tag] ?? nil) != nil
        let holds: Bool
        switch push.condition {
        case .none, .ifSame: holds = true
        case .ifNew: holds = !isThere
        case .ifOther: holds = false
        }
        let old = holding.tags[tag] ?? nil
        if old != nil, old != push.plan, habits["the push of another manifest under a tag"] != "201" {
            return answer.status != 201
        }
        if holds {
            try hold(.condition) { _ = try answer.expect(anyOf: [201], "for a condition that holds") }
            return false
        }
        try settle(
            .condition,
            push.condition == .ifNew ? "If-None-Match: * on a tag that is there" : "If-Match that fits nothing",
            answer, [412, 201])
        return answer.status != 201
    }

    /// What has to hold of the answer to a push that was taken; the manifest is there from now on.
    private func taken(_ probe: Probe, _ push: Push, _ answer: Answer) throws {
        let content = try cast.manifest(push.plan).content
        try hold(.manifestPush) {
            try answer.expect(201)
            _ = try probe.expectLocation(answer)
            if answer.headers[HeaderName.dockerContentDigest] != nil {
                try answer.expectDigestHeader(of: content.bytes)
            }
        }
        try settleHeaders("the answer to a pushed manifest", answer)
        try subject(push, answer)
        var made = push.tag.map { [$0] } ?? []
        if !push.tags.isEmpty { made += try queried(push, answer) }
        world.holdings[push.at].pushed(push.plan, push.algorithm, tags: made)
        for tag in made { forget("manifest \(push.at) \(tag)") }
        if let place = probe.location(answer) {
            var request = Request("GET", place)
            request.headers = [("Accept", MediaTypes.all)]
            let pulled = try probe.send(request)
            try hold(.manifestPush) {
                try pulled.expect(anyOf: [200], "at the Location of the manifest")
                try pulled.expectBody(content.bytes)
            }
        }
    }

    private func subject(_ push: Push, _ answer: Answer) throws {
        let told = answer.headers[HeaderName.ociSubject]
        guard let subject = push.plan.subject.first else {
            return try hold(.subject) {
                try require(told == nil, "\(answer.request): no OCI-Subject without a subject", told ?? "", answer)
            }
        }
        guard habits["the referrers API"] == "200" else { return }
        if push.plan.form.isIndex, habits["an index among referrers"] != "listed" { return }
        let digest = try cast.digest(subject)
        try hold(.subject) { try answer.expectHeader(HeaderName.ociSubject, digest) }
    }

    /// Tags of the query that were made: those that OCI-Tag names, where the registry makes any.
    private func queried(_ push: Push, _ answer: Answer) throws -> [String] {
        let told = answer.headers.list(HeaderName.ociTag)
        try settle("tags in the query of a push", told.isEmpty ? "ignored" : "made", answer)
        if told.isEmpty { return [] }
        try hold(.tagQuery) {
            try require(
                Set(told) == Set(push.tags), "\(answer.request): OCI-Tag of \(push.tags.sorted())", "\(told.sorted())",
                answer)
        }
        return told
    }
}
