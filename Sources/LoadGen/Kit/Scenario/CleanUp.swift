import Synchronization

/// Something that a run leaves in a registry.
package enum Leftover: Hashable, Sendable {
    case manifest(repository: String, digest: String)
    case blob(repository: String, digest: String)
    /// What a DELETE of this takes away, path and query below `/api/v1/`.
    case account(String)

    /// Whether it is a manifest, which goes before the blobs that it names.
    var isManifest: Bool {
        if case .manifest = self { true } else { false }
    }

    /// An image: the manifest first, since a registry may keep a blob that one names.
    static func of(_ image: Image) -> [Leftover] {
        [.manifest(repository: image.repository, digest: image.digest)]
            + ([image.configDigest] + image.layers.map(\.digest)).map {
                .blob(repository: image.repository, digest: $0)
            }
    }
}

/// A workload that may put something into a registry, and can tell afterwards what.
package protocol PushingWorkload: Workload {
    /// Who pushed it.
    var client: RegistryClient { get }
    /// What the names of all its repositories begin with.
    var prefix: String { get }
    /// What set-up pushed, in lists whose order is that of deletion.
    var prepared: [[Leftover]] { get }
    /// Arrivals may push too.
    var arrivalsPush: Bool { get }
    /// Some arrivals ask the management API.
    var managesAccounts: Bool { get }
    /// What arrival `index` leaves, in the order of deletion.
    func leftovers(_ index: UInt64) -> [Leftover]
}

extension PushingWorkload {
    /// None.
    package var managesAccounts: Bool { false }
}

/// Takes away what a run pushed and made. None of it counts.
package struct CleanUp: Sendable {
    /// The registry lets nothing be deleted, or is gone, when so many deletions in a row fail.
    static let mostFailures = 10

    private let generator: Generator
    private let workload: any PushingWorkload

    /// Cleans up for `workload` through `generator`.
    package init(_ workload: any PushingWorkload, _ generator: Generator) {
        self.workload = workload
        self.generator = generator
    }

    /// Cancels the uploads that did not end, and deletes what set-up and the first `arrivals` arrivals pushed: to the end,
    /// until `stop` says so, or until it plainly leads nowhere. Gives the failures by kind, empty when all is gone.
    package func perform(arrivals: UInt64, stop: any StopSignal = NeverStops()) async -> [String: Int] {
        let tally = Tally()
        do throws(Failure) {
            for place in generator.workers.indices {
                try await generator.perform(CancelFlow(client: workload.client, tally: tally), on: place, stop: stop)
            }
            try await generator.perform(
                DeleteFlow(workload: workload, arrivals: arrivals, tally: tally), stop: stop)
        } catch {
            // It stands in the tally.
        }
        return tally.failures
    }
}

/// Failures of several steps at once.
private final class Tally: Sendable {
    private let counts = Mutex<(inARow: Int, byKind: [String: Int])>((0, [:]))

    /// Does it, once more where it fails. Throws when there is no use in going on to others.
    func twice(_ body: () async throws(Failure) -> Void) async throws(Failure) {
        for attempt in 1...2 {
            do throws(Failure) {
                try await body()
                return counts.withLock { $0.inARow = 0 }
            } catch {
                let isHopeless = error == .status(405) || error == .refused || error == .cancelled
                guard isHopeless || attempt == 2 else { continue }
                let isEnough = counts.withLock { counts in
                    counts.inARow += 1
                    counts.byKind[error.name, default: 0] += 1
                    return counts.inARow >= CleanUp.mostFailures
                }
                if isHopeless || isEnough { throw error }
            }
        }
    }

    var failures: [String: Int] { counts.withLock(\.byKind) }
}

private struct CancelFlow: Flow {
    let client: RegistryClient
    let tally: Tally

    func run(_ session: Session) async throws(Failure) {
        let paths = session.uploads.takeAll()
        try await session.parallel(paths.count, width: 8) { (session, place) throws(Failure) in
            try await tally.twice { () throws(Failure) in try await client.cancel(paths[place], session) }
        }
    }
}

private struct DeleteFlow: Flow {
    let workload: any PushingWorkload
    let arrivals: UInt64
    let tally: Tally

    private static let batch: UInt64 = 1024

    func run(_ session: Session) async throws(Failure) {
        try await delete(workload.prepared, session)
        guard workload.arrivalsPush else { return }
        var start: UInt64 = 0
        while start < arrivals {
            let end = start + min(Self.batch, arrivals - start)
            try await delete((start..<end).map(workload.leftovers).filter { !$0.isEmpty }, session)
            start = end
        }
    }

    private func delete(_ lists: [[Leftover]], _ session: Session) async throws(Failure) {
        try await session.parallel(lists.count, width: 16) { (session, place) throws(Failure) in
            for leftover in lists[place] { try await delete(leftover, session) }
        }
    }

    private func delete(_ leftover: Leftover, _ session: Session) async throws(Failure) {
        try await tally.twice { () throws(Failure) in
            let client = workload.client
            switch leftover {
            case .manifest(let repository, let digest):
                try await client.deleteManifest(repository, digest, session)
            case .blob(let repository, let digest): try await client.deleteBlob(repository, digest, session)
            case .account(let target):
                _ = try await client.manage(.apiDelete, "DELETE", target, accepts: [204, 404], session)
            }
        }
    }
}
