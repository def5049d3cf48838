import Vocabulary

/// Deleting, and what it must leave alone.
extension Stage {
    func delete(_ probe: Probe, _ at: Int, _ victim: Victim) throws {
        switch victim {
        case .blob(let key, let algorithm): try deleteBlob(probe, at, key, algorithm)
        case .manifest(let plan, let algorithm): try deleteManifest(probe, at, plan, algorithm)
        case .tag(let tag): try deleteTag(probe, at, tag)
        }
    }

    private func deleteBlob(_ probe: Probe, _ at: Int, _ key: BlobKey, _ algorithm: Algorithm) throws {
        let holding = world.holdings[at]
        let answer = try probe.delete(probe.blobPlace(try cast.digest(key, algorithm), in: names[at]))
        switch holding.blob(key, algorithm) {
        case .gone: return try deletedNothing("a blob", at, .deleteMissingBlob, answer)
        case .unsure, .open:
            if answer.status == 202 { world.holdings[at].deleted(key, algorithm) }
        case .there:
            let isNamed = !holding.naming(key).isEmpty
            try deletedSomething(
                isNamed ? "a blob that a manifest names" : "a blob", answer, isNamed,
                isSure: isNamed || !holding.mayBeNamed(key))
            if answer.status == 202 { world.holdings[at].deleted(key, algorithm) }
        }
    }

    private func deleteManifest(_ probe: Probe, _ at: Int, _ plan: ManifestPlan, _ algorithm: Algorithm) throws {
        let holding = world.holdings[at]
        let answer = try probe.delete(probe.manifestPlace(try cast.digest(plan, algorithm), in: names[at]))
        switch holding.manifest(plan, algorithm) {
        case .gone: return try deletedNothing("a manifest", at, .deleteMissing, answer)
        case .unsure, .open:
            if answer.status == 202 { world.holdings[at].deleted(plan, algorithm) }
        case .there:
            let isNamed = !holding.naming(plan).isEmpty
            let words = [
                plan.form.isIndex ? "an index" : "a manifest", isNamed ? "that another names" : "",
                holding.isTagged(plan) ? "with tags" : "",
            ].filter { !$0.isEmpty }.joined(separator: " ")
            try deletedSomething(
                words, answer, isNamed || holding.isTagged(plan), isSure: isNamed || !holding.mayBeNamed(plan))
            if answer.status == 202 { world.holdings[at].deleted(plan, algorithm) }
        }
    }

    private func deleteTag(_ probe: Probe, _ at: Int, _ tag: String) throws {
        let holding = world.holdings[at]
        let answer = try probe.delete(probe.manifestPlace(tag, in: names[at]))
        switch holding.presence(.tag(tag)) {
        case .gone: return try deletedNothing("a tag", at, .deleteMissing, answer)
        case .unsure, .open:
            if answer.status == 202 { world.holdings[at].deleted(tag: tag) }
        case .there:
            // Registries that delete no tags answer in many ways.
            try settle(.deleted, "the deletion of a tag", answer, [202, 400, 404, 405])
            if answer.status == 202 { world.holdings[at].deleted(tag: tag) }
        }
    }

    /// What is there is deleted, or deletion is off, or, of what something else names, refused.
    private func deletedSomething(_ what: String, _ answer: Answer, _ mayRefuse: Bool, isSure: Bool) throws {
        let all = [202, 400, 403, 405, 409, 412]
        // Where nobody knows whether anything names it, that is no habit.
        guard isSure else { return try hold(.deleted) { _ = try answer.expect(anyOf: all, "for \(what)") } }
        try settle(.deleted, "the deletion of \(what)", answer, mayRefuse ? all : [202, 400, 405])
    }

    /// What is not there cannot be deleted, by a registry that deletes at all.
    private func deletedNothing(_ what: String, _ at: Int, _ rule: PlayRule, _ answer: Answer) throws {
        let isOff = habits["the deletion of \(what)"].map { $0 != "202" } ?? true
        try hold(rule) {
            // Of manifests and tags it may be done as well: their absence is what was asked for.
            let done = rule.level == .must ? [404] : [404, 202, 204]
            _ = try answer.expect(anyOf: done + (isOff ? [400, 405] : []), "for \(what) that is not there")
        }
        // Where there is no repository that may be all that is told.
        let place = world.holdings[at].isMade ? "" : ", nor is its repository"
        try settle("the deletion of \(what) that is not there\(place)", "\(answer.status)", answer)
    }
}
