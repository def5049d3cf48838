import NIOCore

/// An image that an arrival asks for.
enum PulledImage: Sendable {
    /// Set-up pushed it: all of it is known.
    case made(Image)
    /// It was there before: what it is made of stands in its manifest.
    case existing(repository: String, reference: String)

    var repository: String {
        switch self {
        case .made(let image): image.repository
        case .existing(let repository, _): repository
        }
    }

    /// What arrivals ask for it by.
    var reference: String {
        switch self {
        case .made(let image): image.tag
        case .existing(_, let reference): reference
        }
    }
}

/// The steps of one arrival of a scenario.
struct RegistryFlow: Flow {
    /// A blob as a manifest names it.
    struct Blob: Sendable {
        let digest: String
        let size: Int
    }

    let workload: RegistryWorkload
    let action: Scenario.ClientAction
    let index: UInt64
    /// Which image, by popularity.
    let choice: Int

    /// Against the mean: one pause in two thousand million would be longer.
    static let longestPause = 20.0

    var client: RegistryClient { workload.client }
    var scenario: Scenario { workload.scenario }

    func run(_ session: Session) async throws(Failure) {
        if scenario.pings { try await client.ping(session) }
        switch action {
        case .get: try await client.list(.get, workload.plainPath, scope: "", session)
        case .catalog: try await client.list(.catalog, "/v2/_catalog?n=100", scope: "registry:catalog:*", session)
        case .push: try await push(workload.plan.pushedImage(index), session)
        case .churn: try await churn(workload.plan.churnedImage(index), session)
        case .pull: try await pull(try workload.pulled(choice), session)
        case .login: try await logInAndPull(try workload.pulled(choice), session)
        case .manifest: _ = try await blobs(of: try workload.pulled(choice), session)
        case .headManifest:
            let image = try workload.pulled(choice)
            try await client.headManifest(image.repository, image.reference, session)
        case .blob:
            let image = try workload.pulled(choice)
            try await get(try await layer(of: image, session), of: image, session)
        case .head:
            let image = try workload.pulled(choice)
            let layer = try await layer(of: image, session)
            guard try await client.hasBlob(image.repository, layer.digest, session) else { throw .status(404) }
        case .list:
            let repository = try workload.pulled(choice).repository
            try await client.list(
                .tagList, "/v2/\(repository)/tags/list?n=100", scope: "repository:\(repository):pull", session)
        case .referrers:
            let image = try workload.made(choice)
            try await client.list(
                .referrers, "/v2/\(image.repository)/referrers/\(image.digest)",
                scope: "repository:\(image.repository):pull", session)
        case .mount: try await mount(try workload.made(choice), session)
        }
    }

    private func pull(_ image: PulledImage, _ session: Session) async throws(Failure) {
        let blobs = try await blobs(of: image, session)
        await pauseBetween(session)
        try await session.parallel(blobs.count, width: scenario.parallel) { (session, place) throws(Failure) in
            try await get(blobs[place], of: image, session)
        }
    }

    /// What a machine does that has just begun: nobody's token is of use to it. Login and pull are told apart.
    private func logInAndPull(_ image: PulledImage, _ session: Session) async throws(Failure) {
        try await session.part(.login) { () async throws(Failure) in
            try await client.logIn(for: "repository:\(image.repository):pull", session)
        }
        try await session.part(.pull) { () async throws(Failure) in try await pull(image, session) }
    }

    private func get(_ blob: Blob, of image: PulledImage, _ session: Session) async throws(Failure) {
        try await client.blob(image.repository, blob.digest, size: blob.size, verifies: scenario.verifies, session)
    }

    /// Gets the manifest, and tells what it names: config and layers.
    private func blobs(of image: PulledImage, _ session: Session) async throws(Failure) -> [Blob] {
        switch image {
        case .existing(let repository, let reference): return try await readBlobs(repository, reference, session)
        case .made(let image):
            _ = try await client.manifest(
                image.repository, image.tag, digest: scenario.verifies ? image.digest : nil,
                keeping: scenario.verifies ? .digest : .nothing, session)
            return [Blob(digest: image.configDigest, size: image.config.readableBytes)]
                + image.layers.map { Blob(digest: $0.digest, size: $0.size) }
        }
    }

    /// One of the layers: of an image that set-up pushed without asking for its manifest, of another one of all its blobs.
    private func layer(of image: PulledImage, _ session: Session) async throws(Failure) -> Blob {
        let layers: [Blob]
        switch image {
        case .made(let image): layers = image.layers.map { Blob(digest: $0.digest, size: $0.size) }
        case .existing(let repository, let reference): layers = try await readBlobs(repository, reference, session)
        }
        guard let layer = layers.randomElement(using: &session.random) else { throw .unusable }
        return layer
    }

    /// Manifest, and for an index the child for linux/amd64, as clients choose it.
    private func readBlobs(
        _ repository: String, _ reference: String, _ session: Session
    ) async throws(Failure) -> [Blob] {
        var reference = reference
        for _ in 0..<4 {
            let answer = try await client.manifest(repository, reference, keeping: .bytes(limit: 8_388_608), session)
            guard let manifest = PulledManifest(json: answer.body) else { throw .unusable }
            guard let child = manifest.child else {
                return manifest.blobs.map { Blob(digest: $0.digest, size: $0.size) }
            }
            reference = child
        }
        throw .unusable
    }

    func push(_ image: Image, _ session: Session) async throws(Failure) {
        try await session.parallel(image.layers.count + 1, width: scenario.parallel) {
            (session, place) throws(Failure) in
            if place == 0 {
                try await upload(.bytes(image.config), image.configDigest, image.repository, session)
            } else {
                let layer = image.layers[place - 1]
                let body = Request.Body.content(layer.content, 0..<layer.size, isChunked: !scenario.putsInOne)
                try await upload(body, layer.digest, image.repository, session)
            }
        }
        await pauseBetween(session)
        try await client.putManifest(image, session)
    }

    /// Clients ask first whether the registry has it.
    private func upload(
        _ body: Request.Body, _ digest: String, _ repository: String, _ session: Session
    ) async throws(Failure) {
        if try await client.hasBlob(repository, digest, actions: "pull,push", session) { return }
        try await client.upload(body, digest: digest, to: repository, inOne: scenario.putsInOne, session)
    }

    private func mount(_ source: Image, _ session: Session) async throws(Failure) {
        let image = workload.plan.mountedImage(index, from: source)
        try await session.parallel(image.layers.count, width: scenario.parallel) {
            [client] (session, place) throws(Failure) in
            let isMounted = try await client.mount(
                image.layers[place].digest, from: source.repository, into: image.repository, session)
            guard isMounted else { throw .unusable }
        }
        try await upload(.bytes(image.config), image.configDigest, image.repository, session)
        try await client.putManifest(image, session)
    }

    private func churn(_ image: Image, _ session: Session) async throws(Failure) {
        try await push(image, session)
        try await pull(.made(image), session)
        try await client.deleteManifest(image.repository, image.digest, session)
    }

    private func pauseBetween(_ session: Session) async {
        guard scenario.pause > .zero else { return }
        let share = min(session.random.exponential(), Self.longestPause)
        await session.pause(.nanoseconds(Int64(Double(scenario.pause.nanoseconds) * share)))
    }
}
