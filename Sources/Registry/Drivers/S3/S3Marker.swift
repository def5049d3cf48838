import Runtime
import Store
import Synchronization

/// The object that tells which store a bucket holds: by it an empty bucket and one of another registry are told from the store.
final class S3Marker: Sendable {
    /// How long a look counts, and how long it may take: what waits for it has to be told in time.
    private static let (lasting, patience) = (Duration.seconds(5), Duration.seconds(8))

    private typealias Look = Task<StoreError?, Never>

    private struct State {
        /// The uptime when the object was last found to be right; nil when it was not.
        var seen: Duration?
        var look: Look?
    }

    let id: String
    private let client: S3Client
    private let name: String
    private let clocks: Clocks
    private let state = Mutex(State())

    init(_ client: S3Client, _ name: String, id: String, _ clocks: Clocks) {
        self.client = client
        self.name = name
        self.id = id
        self.clocks = clocks
    }

    /// The id in a marker; nil where there is none. Throws `.unavailable`, also for a bucket that is not there.
    static func read(_ client: S3Client, _ name: String) async throws(StoreError) -> String? {
        do throws(StoreError) {
            let text = String(decoding: try await client.get(name, limit: 4096, patience: patience), as: UTF8.self)
            return text.split(separator: "\n").first.map(String.init)
        } catch {
            guard error.code == .missing else { throw error }
            return nil
        }
    }

    /// Writes a marker where there is none; gives the id in the one that is there then.
    static func make(_ client: S3Client, _ name: String, id: String) async throws(StoreError) -> String {
        do throws(StoreError) {
            _ = try await client.put(name, S3Body(hashing: Array("\(id)\n".utf8)))
        } catch {
            // Another node was faster.
            guard error.code == .conflict else { throw error }
        }
        guard let found = try await read(client, name) else {
            throw StoreError(.unavailable, "S3 has acknowledged \(name), and does not have it")
        }
        return found
    }

    /// Throws `.unavailable` unless the bucket holds the right store, by a look that is at most some seconds old.
    func verify() async throws(StoreError) {
        if !isVerified { try await look() }
    }

    /// Whether the last look was right and is at most some seconds old.
    var isVerified: Bool {
        let now = clocks.uptime()
        return state.withLock { $0.seen }.map { now < $0 + Self.lasting } ?? false
    }

    /// The same by a look now, or by one that somebody else has begun.
    func look() async throws(StoreError) {
        let look: Look = state.withLock { state in
            if let look = state.look { return look }
            let look = Look { await self.ask() }
            state.look = look
            return look
        }
        if let error = await look.value { throw error }
    }

    private func ask() async -> StoreError? {
        var error: StoreError?
        do throws(StoreError) {
            let found = try await Self.read(client, name)
            if found != id {
                let what = found.map { "says \($0)" } ?? "is missing"
                error = StoreError(
                    .unavailable, "\(client.settings.description): \(name) \(what), this registry's store is \(id)")
            }
        } catch let fault {
            error = fault
        }
        let now = clocks.uptime()
        state.withLock { state in
            state.seen = error == nil ? now : nil
            state.look = nil
        }
        return error
    }
}
