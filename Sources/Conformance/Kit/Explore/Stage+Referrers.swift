import Foundation
import Vocabulary

/// Lists of referrers.
extension Stage {
    private static let api = "the referrers API"

    func askReferrers(_ probe: Probe, _ at: Int, _ plan: ManifestPlan, _ filter: String?) throws {
        let digest = try cast.digest(plan)
        let query = filter.map { "artifactType=" + queryEscaped($0) } ?? ""
        var answer = try probe.get(probe.referrersPlace(digest, query, in: names[at]))
        if habits[Stage.api] == nil, answer.status != 200 {
            try hold(.referrers) { _ = try answer.expect(200, 404) }
        }
        if habits[Stage.api] != "200" {
            try settle(Stage.api, "\(answer.status)", answer)
            if answer.status == 404 { return }
        }
        var found: [JSON] = []
        var isFiltered = false
        for page in 0..<50 {
            let entries = try hold(.referrers) { () -> [JSON] in try self.entries(answer) }
            found += entries
            let told = answer.headers.list(HeaderName.ociFiltersApplied).contains("artifactType")
            if page == 0 { isFiltered = told }
            try hold(.filter) {
                try require(filter != nil || !told, "\(answer.request): no filter told", "OCI-Filters-Applied", answer)
            }
            guard let next = try hold(.referrers, { try probe.nextPage(answer) }) else { break }
            answer = try probe.get(next)
        }
        if filter != nil { try settle("a filter of referrers", isFiltered ? "applied" : "not applied", answer) }
        try expectListed(found, at, plan, isFiltered ? filter : nil, answer)
        try expectPulledListed(probe, found, at, plan, isFiltered ? filter : nil, answer)
    }

    /// What lost its last tag and pulls as before is listed as before.
    private func expectPulledListed(
        _ probe: Probe, _ found: [JSON], _ at: Int, _ plan: ManifestPlan, _ filter: String?, _ answer: Answer
    ) throws {
        guard probe.run.lateness == .zero else { return }
        let listed = Set(found.compactMap { $0["digest"]?.string })
        let left = world.holdings[at].manifests.filter {
            $0.value == .open(Holding.untagged) && $0.key.algorithm == .sha256 && $0.key.key.subject.contains(plan)
                && (filter == nil || $0.key.key.listedType == filter) && !$0.key.key.form.isIndex
        }.keys.map(\.key).sorted { $0.number < $1.number }
        for referrer in left.prefix(2) {
            let digest = try cast.digest(referrer)
            if listed.contains(digest) { continue }
            let pulled = try probe.head(probe.manifestPlace(digest, in: names[at]), ("Accept", MediaTypes.all))
            try hold(.referrers) {
                try require(
                    pulled.status != 200, "\(answer.request): \(digest), which pulls and has no tag any more",
                    "\(listed.count) entries without it", answer)
            }
        }
    }

    private func entries(_ answer: Answer) throws -> [JSON] {
        try answer.expect(200)
        let json = try answer.json()
        guard let entries = json["manifests"]?.array else {
            throw answer.failure("\(answer.request): an image index with a manifests array", "none")
        }
        try require(
            json["schemaVersion"]?.integer == 2 && json["mediaType"]?.string == MediaType.ociIndex,
            "\(answer.request): schemaVersion 2, mediaType \(MediaType.ociIndex)", "others", answer)
        let type = try answer.expectHeader("Content-Type")
        try require(
            type.prefix { $0 != ";" }.trimmed == MediaType.ociIndex,
            "\(answer.request): Content-Type: \(MediaType.ociIndex)",
            type, answer)
        return entries
    }

    private func expectListed(
        _ found: [JSON], _ at: Int, _ plan: ManifestPlan, _ filter: String?, _ answer: Answer
    ) throws {
        let holding = world.holdings[at]
        let digests = found.compactMap { $0["digest"]?.string }
        var wanted: [String: ManifestPlan] = [:]
        var allowed: Set<String> = []
        for (name, presence) in holding.manifests where name.key.subject.contains(plan) && presence != .gone {
            if let filter, name.key.listedType != filter { continue }
            let digest = try cast.digest(name.key, name.algorithm)
            allowed.insert(digest)
            if presence == .there, name.algorithm == .sha256 { wanted[digest] = name.key }
        }
        for (digest, referrer) in wanted where referrer.form.isIndex {
            let isListed = digests.contains(digest)
            if habits["an index among referrers"] != "listed" {
                try settle("an index among referrers", isListed ? "listed" : "not listed", answer)
            }
            if !isListed, habits["an index among referrers"] == "not listed" { wanted[digest] = nil }
        }
        try hold(.referrers) {
            let lost = Set(wanted.keys).subtracting(digests)
            let extra = Set(digests).subtracting(allowed)
            try require(
                lost.isEmpty && extra.isEmpty && Set(digests).count == digests.count,
                "\(answer.request): \(wanted.count) referrers\(filter.map { " of type \($0)" } ?? ""), each once",
                "\(digests.count) entries, \(lost.count) missing, \(extra.count) that do not belong there", answer)
        }
        for entry in found {
            guard let digest = entry["digest"]?.string, let referrer = wanted[digest] else { continue }
            try expectEntry(entry, referrer, answer)
        }
    }

    private func expectEntry(_ entry: JSON, _ plan: ManifestPlan, _ answer: Answer) throws {
        let manifest = try cast.manifest(plan)
        let annotations = cast.annotations(plan)
        try hold(.referrerEntry) {
            try require(
                entry["size"]?.integer == manifest.content.count && entry["mediaType"]?.string == manifest.type,
                "\(answer.request): size \(manifest.content.count), mediaType \(manifest.type)",
                "\(entry["size"]?.integer ?? -1), \(entry["mediaType"]?.string ?? "none")", answer)
            let type = entry["artifactType"]?.string
            try require(
                type == plan.listedType, "\(answer.request): artifactType \(plan.listedType ?? "none")",
                type ?? "none", answer)
            let told = entry["annotations"]?.dictionary ?? [:]
            try require(
                annotations.allSatisfy { told[$0.key] == $0.value }, "\(answer.request): annotations \(annotations)",
                "\(told)", answer)
            if let data = entry["data"]?.string {
                try require(
                    Data(base64Encoded: data).map(Array.init) == manifest.content.bytes,
                    "\(answer.request): data: the manifest in base64", "other data", answer)
            }
        }
    }
}
