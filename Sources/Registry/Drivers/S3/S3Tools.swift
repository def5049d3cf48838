import Runtime
import Store
import Synchronization

/// Threads for what takes a core: hashing and copying what arrives, and hashing what is there, which gives way.
struct S3Lanes: Sendable {
    let uploads = BlockingExecutor(name: "uploads to S3", threads: 4, capacity: 4096, courtesy: .nice(10))
    let hashes = BlockingExecutor(name: "hashing of blobs", threads: 1, capacity: 256, courtesy: .nice(15))

    func stop() {
        uploads.stop()
        hashes.stop()
    }
}

/// What uploads and objects of a store work with.
struct S3Tools: Sendable {
    let client: S3Client
    let names: S3Names
    let ids: IDSource
    let clocks: Clocks
    let lanes = S3Lanes()
    /// For whole parts, and for what is less.
    let memory: PartMemory
    let smallMemory: PartMemory
    let known: KnownObjects

    init(_ client: S3Client, _ clocks: Clocks) {
        self.client = client
        names = S3Names(prefix: client.settings.prefix)
        ids = IDSource(clocks: clocks)
        self.clocks = clocks
        memory = PartMemory(
            "parts on their way to S3", capacity: max(client.settings.memory, client.settings.partSize),
            patience: .seconds(60))
        smallMemory = PartMemory("small uploads to S3", capacity: 8 << 20, patience: .seconds(60))
        known = KnownObjects(clocks)
    }
}

/// What the store has said of objects a moment ago. They do not change, so that asking again for each pull would only tell
/// whether something else has been at the bucket: that is seen a minute later, and by whoever reads the bytes.
final class KnownObjects: Sendable {
    private static let lasting = Duration.seconds(60)
    private static let generation = 32_768
    private static let linkGeneration = 4096

    private struct State {
        /// URLs that were made a moment ago: signing takes longer than all else that a redirect needs.
        var youngLinks: [StorageKey: (url: String, until: Duration)] = [:]
        var oldLinks: [StorageKey: (url: String, until: Duration)] = [:]
        var young: [StorageKey: (head: S3Head, until: Duration)] = [:]
        var old: [StorageKey: (head: S3Head, until: Duration)] = [:]
    }

    private let clocks: Clocks
    private let state = Mutex(State())

    init(_ clocks: Clocks) { self.clocks = clocks }

    subscript(_ key: StorageKey) -> S3Head? {
        let now = clocks.uptime()
        return state.withLock { state in
            guard let found = state.young[key] ?? state.old[key], now < found.until else { return nil }
            return found.head
        }
    }

    func put(_ key: StorageKey, _ head: S3Head) {
        let until = clocks.uptime() + Self.lasting
        state.withLock { state in
            if state.young.count >= Self.generation { (state.old, state.young) = (state.young, [:]) }
            state.young[key] = (head, until)
        }
    }

    /// A URL to read the object by; nil where none was made a moment ago.
    func link(to key: StorageKey) -> String? {
        let now = clocks.uptime()
        return state.withLock { state in
            guard let found = state.youngLinks[key] ?? state.oldLinks[key], now < found.until else { return nil }
            return found.url
        }
    }

    /// Keeps a URL, for a minute at most.
    func put(_ key: StorageKey, link: String, for life: Duration) {
        let until = clocks.uptime() + min(life, Self.lasting)
        state.withLock { state in
            if state.youngLinks.count >= Self.linkGeneration {
                (state.oldLinks, state.youngLinks) = (state.youngLinks, [:])
            }
            state.youngLinks[key] = (link, until)
        }
    }

    func remove(_ key: StorageKey) {
        state.withLock { state in
            state.youngLinks[key] = nil
            state.oldLinks[key] = nil
            state.young[key] = nil
            state.old[key] = nil
        }
    }
}
