/// Which layers images are made of: sizes, seeds, and what the registry has already.
package struct ContentPlan: Sendable {
    /// One place in the round of layers that new images take in turn.
    package struct Slot: Sendable {
        /// Bytes.
        package let size: Int
        /// The registry has it from set-up on; the others are new in each image.
        package let isShared: Bool
    }

    /// What an arrival leaves in the registry.
    enum Leaving {
        case nothing
        /// A new image.
        case pushed
        /// A small one, unless the arrival came to its own deletion of it.
        case churned
        /// A new one of layers that were there.
        case mounted
    }

    /// How many layers make a round.
    static let round = 64

    /// Names the run's content and repositories.
    package let seed: UInt64
    /// Digests of all that it makes.
    package let library: ContentLibrary
    /// One round of layers; none when nothing is pushed.
    package let slots: [Slot]
    private let sizes: [Int]
    private let scenario: Scenario

    /// Draws the sizes and reads the shared stream once for their hash states.
    package init(scenario: Scenario, seed: UInt64) {
        self.scenario = scenario
        self.seed = seed
        let images = scenario.images
        var random = SeededRandom(seed: seed, purpose: 0x51_2E)
        let isPushing = scenario.uses(\.makesContent)
        let round = isPushing ? images.sizes.sizes(Self.round, limit: images.largest, random: &random) : []
        let isPulling = scenario.existing == nil && scenario.uses(\.needsImages)
        sizes =
            isPulling
            ? images.sizes.sizes(images.count * images.layers, limit: images.largest, random: &random) : []
        slots = Self.slots(round, share: images.dedupe)
        library = ContentLibrary(
            seed: seed, compressibility: images.compressibility, sizes: round + sizes + [Self.churnSize])
    }

    /// Bytes of the one layer of an image that is pushed only to be deleted.
    static let churnSize = 65_536

    /// Marks layers as shared until they make up `share` of the bytes: the largest first that still fit.
    static func slots(_ sizes: [Int], share: Double) -> [Slot] {
        let target = Double(sizes.reduce(0, +)) * share
        var sum = 0.0
        var shared: Set<Int> = []
        for (place, size) in sizes.enumerated().sorted(by: { $0.element > $1.element })
        where sum + Double(size) <= target * 1.0005 {
            shared.insert(place)
            sum += Double(size)
        }
        return sizes.enumerated().map { Slot(size: $0.element, isShared: shared.contains($0.offset)) }
    }

    /// What the names of all its repositories begin with.
    var prefix: String { Self.prefix(scenario.namespace, seed: seed) }

    /// - Parameter namespace: a registry's user or organization, where one may push below such alone.
    static func prefix(_ namespace: String?, seed: UInt64) -> String {
        let own = Hex.text(withUnsafeBytes(of: seed.bigEndian) { Array($0.suffix(4)) })
        return namespace.map { "\($0)/load-s\(own)" } ?? "aerugo-load/s\(own)"
    }

    /// The repository that image `index` of set-up, or push `index`, goes to.
    package func repository(_ kind: String, _ index: UInt64) -> String {
        "\(prefix)/\(kind)\(index % UInt64(scenario.images.repositories))"
    }

    /// The images that set-up pushes.
    package func pulledImages() -> [Image] {
        guard !sizes.isEmpty else { return [] }
        let layers = scenario.images.layers
        return (0..<scenario.images.count).map { place in
            let mine = sizes[(place * layers)..<((place + 1) * layers)]
            return image(
                repository: repository("r", UInt64(place)), tag: "i\(place)", name: "pull \(place)",
                mine.enumerated().map { layer in
                    library.blob(id: 1 << 40 | UInt64(place * layers + layer.offset), size: layer.element)
                })
        }
    }

    /// The images by which set-up brings the shared layers into the repositories that are pushed to.
    package func baseImages() -> [Image] {
        let shared = slots.enumerated().filter(\.element.isShared)
        guard !shared.isEmpty else { return [] }
        return (0..<scenario.images.repositories).map { place in
            image(
                repository: repository("p", UInt64(place)), tag: "base", name: "base",
                shared.map { sharedBlob($0.offset) })
        }
    }

    /// The image that arrival `index` leaves; of none, and of mounted layers without a `source`, `nil`.
    func image(_ leaving: Leaving, _ index: UInt64, from source: Image?) -> Image? {
        switch leaving {
        case .nothing: nil
        case .pushed: pushedImage(index)
        case .churned: churnedImage(index)
        case .mounted: source.map { mountedImage(index, from: $0) }
        }
    }

    /// The image that arrival `index` pushes.
    package func pushedImage(_ index: UInt64) -> Image {
        let layers = UInt64(scenario.images.layers)
        let blobs = (0..<layers).map { layer in
            let slot = Int((index &* layers &+ layer) % UInt64(max(slots.count, 1)))
            return slots[slot].isShared
                ? sharedBlob(slot)
                : library.blob(id: SeededRandom.mix(index &* 128 &+ layer &+ 1), size: slots[slot].size)
        }
        return image(repository: repository("p", index), tag: "t\(index)", name: "push \(index)", blobs)
    }

    /// The image that arrival `index` pushes and deletes.
    package func churnedImage(_ index: UInt64) -> Image {
        image(
            repository: repository("c", index), tag: "t\(index)", name: "churn \(index)",
            [library.blob(id: SeededRandom.mix(index &* 128 &+ 127), size: Self.churnSize)])
    }

    /// `source`, as arrival `index` makes it of mounted layers in a repository of its own.
    package func mountedImage(_ index: UInt64, from source: Image) -> Image {
        Image(
            repository: repository("m", index), tag: "t\(index)", name: "mount \(index)", layers: source.layers)
    }

    private func sharedBlob(_ slot: Int) -> BlobContent {
        library.blob(id: 1 << 41 | UInt64(slot), size: slots[slot].size)
    }

    private func image(repository: String, tag: String, name: String, _ blobs: [BlobContent]) -> Image {
        Image(
            repository: repository, tag: tag, name: name,
            layers: blobs.map { Layer(content: $0, digest: library.digest(of: $0)) })
    }
}
