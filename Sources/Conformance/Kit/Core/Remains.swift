import Vocabulary

/// Removes what earlier runs left in a registry: every repository of the run's prefix that the catalog names.
package struct Remains {
    private let probe: Probe
    private let prefixes: [String]

    /// What came of it.
    package struct Outcome: Sendable {
        /// Repositories of the prefix that held something.
        package var repositories = 0
        /// Tags, manifests and blobs that were deleted.
        package var deleted = 0
        /// Those that could not be deleted.
        package var left = 0
        /// Repositories of the prefix that tell no tags: what has none is in no list, and stays if there is any.
        package var untold = 0
    }

    /// Prepares; `seed` names one run where not all are meant.
    package init(_ context: RunContext, seed: String?) throws {
        probe = try Probe(run: context, id: "cleanup")
        // A registry that takes no names of three parts got flat ones.
        let base = context.target.prefix + "/"
        prefixes = seed.map { [base + $0 + "/", base + $0 + "-"] } ?? [base]
    }

    /// Deletes everything. Throws `TransportFailure`, `Interrupted`, and `RunnerFailure` where the registry has no
    /// catalog to find anything by.
    package func remove() throws -> Outcome {
        var outcome = Outcome()
        do {
            for name in try repositories() {
                if try remove(name, &outcome) { outcome.repositories += 1 } else { outcome.untold += 1 }
            }
        } catch let unanswered as Unanswered {
            throw RunnerFailure("the registry leaves every \(unanswered.kind) without an answer")
        }
        return outcome
    }

    private func repositories() throws -> [String] {
        var place = Place.path("/v2/_catalog?n=1000")
        var found: [String] = []
        for _ in 0..<10_000 {
            let answer = try probe.get(place)
            guard answer.status == 200, let names = JSON(parsing: answer.body)?["repositories"] else {
                throw RunnerFailure("the registry has no catalog to find repositories by (status \(answer.status))")
            }
            found += (names.strings ?? []).filter { name in prefixes.contains { name.hasPrefix($0) } }
            guard let next = try next(answer) else { break }
            place = next
        }
        return found
    }

    private func next(_ answer: Answer) throws -> Place? {
        do {
            return try probe.nextPage(answer)
        } catch let failure as CheckFailure {
            throw RunnerFailure("the registry's list cannot be followed: \(failure.got)")
        }
    }

    /// Whether the repository held anything.
    private func remove(_ name: String, _ outcome: inout Outcome) throws -> Bool {
        let tags = try tags(name)
        var manifests: [String] = []
        var blobs: Set<String> = []
        var asked = tags
        while let reference = asked.popLast(), manifests.count < 100_000 {
            let answer = try probe.get(probe.manifestPlace(reference, in: name), ("Accept", MediaTypes.all))
            guard answer.status == 200, let manifest = JSON(parsing: answer.body) else { continue }
            let digest = reference.contains(":") ? reference : Digests.sha256(answer.body)
            guard !manifests.contains(digest) else { continue }
            manifests.append(digest)
            asked += ((manifest["manifests"]?.array ?? []) + [manifest["subject"]].compactMap { $0 }).compactMap {
                $0["digest"]?.string
            }
            asked += try referrers(digest, name)
            blobs.formUnion(
                ([manifest["config"]].compactMap { $0 } + (manifest["layers"]?.array ?? [])).compactMap {
                    $0["digest"]?.string
                })
        }
        // Where manifests cannot be deleted by digest, their tags may be.
        let places =
            manifests.map { probe.manifestPlace($0, in: name) } + tags.map { probe.manifestPlace($0, in: name) }
            + blobs.sorted().map { probe.blobPlace($0, in: name) }
        for place in places {
            let status = try probe.send(Request("DELETE", place)).status
            if (200..<300).contains(status) { outcome.deleted += 1 } else if status != 404 { outcome.left += 1 }
        }
        return !places.isEmpty
    }

    private func tags(_ name: String) throws -> [String] {
        var answer = try probe.get(probe.tagsPlace(in: name))
        var found: [String] = []
        for _ in 0..<10_000 {
            guard answer.status == 200 else { break }
            found += JSON(parsing: answer.body)?["tags"]?.strings ?? []
            guard let place = try next(answer) else { break }
            answer = try probe.get(place)
        }
        return found
    }

    private func referrers(_ digest: String, _ name: String) throws -> [String] {
        var answer = try probe.get(probe.referrersPlace(digest, in: name))
        var found: [String] = []
        for _ in 0..<1_000 where answer.status == 200 {
            found += (JSON(parsing: answer.body)?["manifests"]?.array ?? []).compactMap { $0["digest"]?.string }
            guard let place = try next(answer) else { break }
            answer = try probe.get(place)
        }
        return found
    }
}
