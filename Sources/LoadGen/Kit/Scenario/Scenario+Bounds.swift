extension Scenario {
    /// What a scenario may ask for, be it read from a file or from an agent's order.
    enum Limits {
        static let weight = 0.0...1e9
        static let images = 1...100_000
        static let repositories = 1...100_000
        static let layers = 1...127
        static let users = 1...100_000
        /// Of compressibility and dedupe.
        static let share = 0.0...0.99
        static let zipf = 0.0...5
        static let parallel = 1...64
        /// Bytes of a layer, once `largest` has cut it.
        static let layer = 68_719_476_736
        /// Bytes of a layer before that: what ``Quantity/bytes(_:)`` reads.
        static let size = 9_000_000_000_000_000
        static let references = 1...100_000
        /// Characters of a namespace: what is put behind it must fit into a name.
        static let namespace = 100
    }
}

extension Scenario: Bounded {
    var isWithinBounds: Bool {
        let lengths = Duration.zero...Quantity.longest
        return choices.allSatisfy { Limits.weight.contains($0.weight) } && choices.contains { $0.weight > 0 }
            && isNamespaceFine && images.isWithinBounds && existing?.isWithinBounds ?? true
            && accounts?.isWithinBounds ?? true
            && Limits.zipf.contains(zipf)
            && Limits.parallel.contains(parallel) && lengths.contains(pause) && lengths.contains(think)
    }

    private var isNamespaceFine: Bool {
        guard let namespace else { return true }
        return namespace.utf8.count <= Limits.namespace
            && Existing(repository: namespace, references: ["x"]).complaint == nil
    }
}

extension Scenario.Images: Bounded {
    var isWithinBounds: Bool {
        Scenario.Limits.images.contains(count) && Scenario.Limits.repositories.contains(repositories)
            && Scenario.Limits.layers.contains(layers) && Scenario.Limits.share.contains(compressibility)
            && Scenario.Limits.share.contains(dedupe) && largest ?? 0 >= 0
            && sizes.isWithinBounds && largestLayer <= Scenario.Limits.layer
    }

    /// Bytes of the largest layer that can come up.
    package var largestLayer: Int { min(sizes.size(at: 1), largest ?? .max) }
}

extension Scenario.Existing: Bounded {
    var isWithinBounds: Bool { complaint == nil }

    /// What keeps them from being asked for (names and references become parts of a request's first line), or `nil`.
    var complaint: String? {
        // distribution-spec, "Pulling manifests": the grammar of names and tags; a digest has a colon in it.
        let name = /[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*/
        let reference = /[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}|[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+/
        if repository.utf8.count > 255 || repository.wholeMatch(of: name) == nil {
            return "'\(repository.prefix(80))' is no repository's name, which stands without host: library/app"
        }
        guard Scenario.Limits.references.contains(references.count) else { return "needs a list 'references'" }
        guard let odd = references.first(where: { $0.wholeMatch(of: reference) == nil }) else { return nil }
        return "'\(odd.prefix(80))' is neither a tag nor a digest"
    }
}

extension SizeDistribution: Bounded {
    var isWithinBounds: Bool {
        let most = Scenario.Limits.size
        switch self {
        case .fixed(let size): return (0...most).contains(size)
        case .between(let low, let high): return low > 0 && low <= high && high <= most
        case .curve(let points, _):
            let rises = zip(points, points.dropFirst()).allSatisfy { $0.size <= $1.size && $0.share <= $1.share }
            return !points.isEmpty && rises
                && points.allSatisfy { (1...Double(most)).contains($0.size) && (0...1).contains($0.share) }
        }
    }
}
