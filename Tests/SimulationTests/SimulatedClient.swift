import Access
import Model
import Runtime
import Service
import Store
import Synchronization

/// A body of one piece.
private final class Piece: ByteSource {
    private let bytes: Mutex<[UInt8]?>
    let length: Int64?

    init(_ bytes: [UInt8]) {
        length = Int64(bytes.count)
        self.bytes = Mutex(bytes)
    }

    func next() async throws(RegistryError) -> [any ByteChunk]? {
        bytes.withLock { bytes in
            defer { bytes = nil }
            return bytes.map { [$0] }
        }
    }
}

/// A client: does what clients do, through whichever node, and holds the registry to what it was told.
struct SimulatedClient: Sendable {
    let world: World
    private static let caller = Caller(.anonymous, requestID: "", address: "")

    private var schedule: Schedule { world.schedule }
    private func roll(_ count: Int) -> Int { schedule.roll { $0.roll(count) } }
    private func note(_ body: (inout Ledger) -> Void) { world.ledger.withLock { body(&$0) } }

    /// When something was begun.
    private struct Moment {
        let turn: Int
        let at: Int64
    }

    private var now: Moment { Moment(turn: schedule.turns, at: schedule.now) }

    /// Some of what clients do, one after the other. What fails is given up.
    func work() async {
        for _ in 0..<(2 + roll(3)) {
            let name = World.repositories[roll(3)]
            do throws(RegistryError) {
                try await act(in: name)
            } catch {}
        }
    }

    private func act(in name: String) async throws(RegistryError) {
        let goods = Goods.all
        switch roll(16) {
        case 0...4: try await push(goods.images[roll(4)], tag: roll(3) > 0 ? World.tags[roll(2)] : nil, name)
        case 5...6: try await push(goods.indexes[roll(2)], tag: roll(2) > 0 ? World.tags[roll(2)] : nil, name)
        case 7...8: try await push(goods.referrers[roll(3)], tag: nil, name)
        case 9: try await deleteTag(World.tags[roll(2)], name)
        case 10...11: try await deleteManifest(goods.manifests[roll(goods.manifests.count)].digest, name)
        case 12: try await deleteBlob(goods.blobs[roll(6)].digest, name)
        case 13: _ = try await ensure(goods.blobs[roll(6)], name)
        case 14: try await moveTag(World.tags[roll(2)], to: goods.images[roll(4)].digest, name)
        default: try await deleteRepository(name)
        }
    }
}

// MARK: Pushing

extension SimulatedClient {
    private func registry() -> Registry { world.registry(roll(World.nodes)) }

    private func parse(_ name: String) throws(RegistryError) -> RepositoryName {
        do throws(ParseError) { return try RepositoryName.parse(name) } catch { throw RegistryError(error) }
    }

    private func grant(
        _ right: Right, _ name: String, _ registry: Registry
    ) async throws(RegistryError) -> RepositoryGrant {
        let authorizer = Authorizer(policy: .open, source: registry.repositories)
        let path = try parse(name)
        for _ in 0..<2 {
            switch try await authorizer.authorize(right, on: path, Self.caller) {
            case .allowed(let grant): return grant
            case .absent(let new): try await registry.repositories.make(new)
            default: throw RegistryError(.nameUnknown, "not there")
            }
        }
        throw RegistryError(.nameUnknown, "not there")
    }

    /// Sees to it that a blob is there, as clients do: asks for it, else mounts it from elsewhere, else uploads it. Gives when it was
    /// known to be there.
    private func ensure(_ blob: Goods.Blob, _ name: String) async throws(RegistryError) -> Moment {
        let registry = registry()
        let asked = now
        do throws(RegistryError) {
            _ = try await registry.blob(blob.digest, grant(.pull, name, registry))
            return asked
        } catch {
            guard error.code == .blobUnknown || error.code == .nameUnknown else { throw error }
        }
        let begun = now
        let target = try await grant(.push, name, registry)
        if roll(2) == 0 {
            do throws(RegistryError) {
                let source = try await grant(.pull, World.repositories[roll(3)], registry)
                if try await registry.mount(blob.digest, from: source, to: target) { return begun }
            } catch {
                guard error.code == .nameUnknown else { throw error }
            }
        }
        let upload = try await registry.beginUpload(algorithm: .sha256, target)
        try await registry.finishUpload(upload.id, with: Piece(blob.bytes), at: nil, as: blob.digest, target)
        return begun
    }

    /// The same for a manifest that an index names.
    private func ensure(child: Goods.Manifest, _ name: String) async throws(RegistryError) -> Moment {
        let registry = registry()
        let asked = now
        do throws(RegistryError) {
            _ = try await registry.manifests.get(.digest(child.digest), grant(.pull, name, registry))
            return asked
        } catch {
            guard error.code == .manifestUnknown || error.code == .nameUnknown else { throw error }
        }
        let begun = now
        try await push(child, tag: nil, name)
        return begun
    }

    private func push(_ manifest: Goods.Manifest, tag: String?, _ name: String) async throws(RegistryError) {
        var known: [Digest: Moment] = [:]
        for child in manifest.children { known[child.digest] = try await ensure(child: child, name) }
        for blob in manifest.blobs { known[blob.digest] = try await ensure(blob, name) }
        let registry = registry()
        let grant = try await grant(.push, name, registry)
        let begun = now
        note { $0.pushing(.init(repository: name, digest: manifest.digest), at: begun.turn) }
        let change = tag.map { tag in
            world.ledger.withLock { $0.changing("\(name):\(tag)", to: manifest.digest, at: begun.turn) }
        }
        var isAcknowledged = false
        defer {
            if let tag, let change { note { $0.changed("\(name):\(tag)", change, at: now.turn, isAcknowledged) } }
        }
        do throws(RegistryError) {
            let tags = try tag.map { (tag) throws(RegistryError) in [try parse(tag: tag)] } ?? []
            _ = try await registry.manifests.push(
                manifest.bytes, as: .digest(manifest.digest), tags: tags, contentType: nil, grant)
        } catch {
            if error.code == .manifestBlobUnknown { complain(known, name, error) }
            throw error
        }
        isAcknowledged = true
        note { $0.pushed(.init(repository: name, digest: manifest.digest), begun: begun.turn, at: begun.at) }
    }

    private func parse(tag: String) throws(RegistryError) -> Tag {
        do throws(ParseError) { return try Tag.parse(tag) } catch { throw RegistryError(error) }
    }

    /// A push was refused because of something that was said to be there. Was that less than half a grace ago, and nobody deleted it?
    private func complain(_ known: [Digest: Moment], _ name: String, _ error: RegistryError) {
        let half = (world.limits.collection.grace / 2).components.seconds * 1000
        for (digest, moment) in known where error.told.contains(digest.description) {
            let place = Ledger.Place(repository: name, digest: digest)
            note { ledger in
                guard schedule.now - moment.at < half, ledger.isOwed(place, since: moment.turn) else { return }
                ledger.violate("\(name) said at turn \(moment.turn) that it has \(digest), and has it no more")
            }
        }
    }
}

extension RegistryError {
    /// The digests that it is about.
    fileprivate var told: [String] { ([self] + others).compactMap { $0.detail["digest"] } }
}

// MARK: Taking away

extension SimulatedClient {
    private func deleteTag(_ tag: String, _ name: String) async throws(RegistryError) {
        let registry = registry()
        let grant = try await grant(.delete, name, registry)
        let change = world.ledger.withLock { $0.changing("\(name):\(tag)", to: nil, at: now.turn) }
        defer { note { $0.changed("\(name):\(tag)", change, at: now.turn, false) } }
        try await registry.manifests.delete(.tag(parse(tag: tag)), grant)
    }

    private func deleteManifest(_ digest: Digest, _ name: String) async throws(RegistryError) {
        let registry = registry()
        let grant = try await grant(.delete, name, registry)
        let place = Ledger.Place(repository: name, digest: digest)
        note { $0.deleting(place) }
        defer { note { $0.deleted(place, at: now.turn) } }
        try await registry.manifests.delete(.digest(digest), grant)
    }

    private func deleteBlob(_ digest: Digest, _ name: String) async throws(RegistryError) {
        let registry = registry()
        let grant = try await grant(.delete, name, registry)
        let place = Ledger.Place(repository: name, digest: digest)
        note { $0.deleting(place) }
        defer { note { $0.deleted(place, at: now.turn) } }
        try await registry.deleteBlob(digest, grant)
    }

    private func moveTag(_ tag: String, to digest: Digest, _ name: String) async throws(RegistryError) {
        let registry = registry()
        let grant = try await grant(.push, name, registry)
        let change = world.ledger.withLock { $0.changing("\(name):\(tag)", to: digest, at: now.turn) }
        var isAcknowledged = false
        defer { note { $0.changed("\(name):\(tag)", change, at: now.turn, isAcknowledged) } }
        _ = try await registry.tags.restore(parse(tag: tag), to: digest, grant)
        isAcknowledged = true
    }

    /// Deletes a repository, and mostly has it back after a while.
    private func deleteRepository(_ name: String) async throws(RegistryError) {
        let registry = registry()
        let grant = try await grant(.administer, name, registry)
        note { $0.leaving(name) }
        do throws(RegistryError) { try await registry.repositories.remove(grant) } catch {}
        guard roll(4) > 0 else { return }
        for _ in 0..<roll(20) { _ = await schedule.turn("regret") }
        let other = self.registry()
        let path = try parse(name)
        let authorizer = Authorizer(policy: .open, source: other.repositories)
        let namespace = try await other.repositories.namespace(of: path)
        guard let grant = try await authorizer.authorize(.manage, in: namespace, Self.caller).grant() else { return }
        _ = try await other.repositories.restore(path, grant)
        note { $0.back(name, at: now.turn) }
    }
}
