import NIOCore

/// The steps of one arrival of a scenario.
struct RegistryFlow: Flow {
    let workload: RegistryWorkload
    let action: Scenario.Action
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
        case .get:
            try await client.list(.get, workload.plainPath, scope: "", session)
        case .catalog:
            try await client.list(.catalog, "/v2/_catalog?n=100", scope: "registry:catalog:*", session)
        case .push: try await push(workload.plan.pushedImage(index), session)
        case .churn: try await churn(workload.plan.churnedImage(index), session)
        case .pull, .manifest, .headManifest, .blob, .head, .mount, .list, .referrers:
            if let existing = scenario.existing {
                try await useExisting(existing, session)
            } else {
                try await use(workload.images[choice], session)
            }
        }
    }

    private func use(_ image: Image, _ session: Session) async throws(Failure) {
        let scope = "repository:\(image.repository):pull"
        switch action {
        case .pull: try await pull(image, session)
        case .manifest: try await manifest(image, session)
        case .headManifest: try await client.headManifest(image.repository, image.tag, session)
        case .blob:
            let layer = image.layers[drawLayer(image.layers.count, session)]
            try await client.blob(
                image.repository, layer.digest, size: layer.size, verifies: scenario.verifies, session)
        case .head:
            let layer = image.layers[drawLayer(image.layers.count, session)]
            guard try await client.hasBlob(image.repository, layer.digest, session) else { throw .status(404) }
        case .mount: try await mount(image, session)
        case .list: try await client.list(.tagList, "/v2/\(image.repository)/tags/list?n=100", scope: scope, session)
        case .referrers:
            try await client.list(
                .referrers, "/v2/\(image.repository)/referrers/\(image.digest)", scope: scope, session)
        case .get, .catalog, .push, .churn: return
        }
    }

    private func drawLayer(_ count: Int, _ session: Session) -> Int {
        Int.random(in: 0..<max(count, 1), using: &session.random)
    }

    private func manifest(_ image: Image, _ session: Session) async throws(Failure) {
        _ = try await client.manifest(
            image.repository, image.tag, digest: scenario.verifies ? image.digest : nil,
            keeping: scenario.verifies ? .digest : .nothing, session)
    }

    private func pull(_ image: Image, _ session: Session) async throws(Failure) {
        try await manifest(image, session)
        await pauseBetween(session)
        let verifies = scenario.verifies
        try await session.parallel(image.layers.count + 1, width: scenario.parallel) {
            [client] (session, place) throws(Failure) in
            let isConfig = place == 0
            try await client.blob(
                image.repository, isConfig ? image.configDigest : image.layers[place - 1].digest,
                size: isConfig ? image.config.readableBytes : image.layers[place - 1].size, verifies: verifies, session)
        }
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
            let layer = image.layers[place]
            let isMounted = try await client.mount(
                layer.digest, from: source.repository, into: image.repository, session)
            guard isMounted else { throw .unusable }
        }
        try await upload(.bytes(image.config), image.configDigest, image.repository, session)
        try await client.putManifest(image, session)
    }

    private func churn(_ image: Image, _ session: Session) async throws(Failure) {
        try await push(image, session)
        try await pull(image, session)
        try await client.deleteManifest(image.repository, image.digest, session)
    }

    private func pauseBetween(_ session: Session) async {
        guard scenario.pause > .zero else { return }
        let share = min(session.random.exponential(), Self.longestPause)
        await session.pause(.nanoseconds(Int64(Double(scenario.pause.nanoseconds) * share)))
    }
}

extension RegistryFlow {
    /// The same for images that this program did not make: it learns from the manifest what there is.
    private func useExisting(_ existing: Scenario.Existing, _ session: Session) async throws(Failure) {
        let repository = existing.repository
        let reference = existing.references[choice]
        switch action {
        case .headManifest: return try await client.headManifest(repository, reference, session)
        case .list:
            return try await client.list(
                .tagList, "/v2/\(repository)/tags/list?n=100", scope: "repository:\(repository):pull", session)
        case .get, .pull, .manifest, .blob, .head, .mount, .referrers, .catalog, .push, .churn: break
        }
        let blobs = try await manifestBlobs(repository, reference, session)
        switch action {
        case .pull:
            await pauseBetween(session)
            let verifies = scenario.verifies
            try await session.parallel(blobs.count, width: scenario.parallel) {
                [client] (session, place) throws(Failure) in
                try await client.blob(
                    repository, blobs[place].digest, size: blobs[place].size, verifies: verifies, session)
            }
        case .blob, .head:
            guard !blobs.isEmpty else { throw .unusable }
            let blob = blobs[drawLayer(blobs.count, session)]
            if action == .head {
                guard try await client.hasBlob(repository, blob.digest, session) else { throw .status(404) }
            } else {
                try await client.blob(repository, blob.digest, size: blob.size, verifies: scenario.verifies, session)
            }
        case .get, .manifest, .headManifest, .mount, .list, .referrers, .catalog, .push, .churn: return
        }
    }

    /// Manifest, and for an index the child for linux/amd64, as clients choose it.
    private func manifestBlobs(
        _ repository: String, _ reference: String, _ session: Session
    ) async throws(Failure) -> [PulledManifest.Blob] {
        var reference = reference
        for _ in 0..<4 {
            let answer = try await client.manifest(
                repository, reference, keeping: .bytes(limit: 8_388_608), session)
            guard let manifest = PulledManifest(json: answer.body) else { throw .unusable }
            guard let child = manifest.child else { return manifest.blobs }
            reference = child
        }
        throw .unusable
    }
}
