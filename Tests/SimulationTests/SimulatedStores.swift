import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing

extension Schedule.Fate {
    /// Does it, or what was decided in its place.
    func carryOut<T>(_ body: () async throws(StoreError) -> T) async throws(StoreError) -> T {
        switch self {
        case .go: return try await body()
        case .fail(let error): throw error
        case .lose(let error):
            _ = try await body()
            throw error
        }
    }
}

/// What is wrong with the registry on purpose: each statement of SQL passes by. That a simulation finds it shows that it can.
struct Mutant: Sendable, CustomTestStringConvertible {
    let name: String
    let rules: @Sendable (inout CollectionRules) -> Void
    /// What is run instead of a statement; nil to run none.
    let sql: @Sendable (String) -> String?

    var testDescription: String { name }

    init(
        _ name: String, rules: @Sendable @escaping (inout CollectionRules) -> Void = { _ in },
        sql: @Sendable @escaping (String) -> String? = { $0 }
    ) {
        (self.name, self.rules, self.sql) = (name, rules, sql)
    }
}

/// A node's way to the database that all nodes share: every transaction is a turn.
struct SimulatedDatabase: SQLDatabase {
    let schedule: Schedule
    let life: Life
    let base: InlineSQLiteDatabase
    let mutant: Mutant?
    var dialect: SQLDialect { base.dialect }

    func read<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await schedule.turn("read", life).carryOut { () throws(StoreError) in try await base.read(mutated(body)) }
    }

    func write<T: Sendable>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        try await schedule.turn("write", life).carryOut { () throws(StoreError) in
            try await base.write(mutated(body))
        }
    }

    private func mutated<T>(
        _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
    ) -> @Sendable (any SQLConnection) throws(StoreError) -> T {
        guard let mutant else { return body }
        return { (connection) throws(StoreError) in try body(Mutated(base: connection, mutant: mutant)) }
    }

    private struct Mutated: SQLConnection {
        let base: any SQLConnection
        let mutant: Mutant

        func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
            guard let sql = mutant.sql(sql) else { return [] }
            return try base.rows(sql, arguments)
        }

        func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
            guard let sql = mutant.sql(sql) else { return 1 }
            return try base.execute(sql, arguments)
        }
    }
}

/// The versions of the one database, as all nodes see them at once.
final class SimulatedVersions: Versions {
    private let versions = Mutex<[VersionScope: Version]>([:])

    func atOnce(_ scope: VersionScope) -> Version? { versions.withLock { $0[scope] ?? Version(0) } }
    func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version] {
        versions.withLock { versions in scopes.map { versions[$0] ?? Version(0) } }
    }
    func move(_ scopes: Set<VersionScope>) {
        versions.withLock { versions in
            for scope in scopes { versions[scope] = (versions[scope] ?? Version(0)).next }
        }
    }
}

/// The blob store that all nodes share. As with files, what is written to an object that was removed meanwhile is nowhere.
final class SimulatedObjects: Sendable {
    private let state = Mutex((objects: [StorageKey: [UInt8]](), removed: Set<StorageKey>(), keys: 0))

    var objects: [StorageKey: [UInt8]] { state.withLock { $0.objects } }
    subscript(key: StorageKey) -> [UInt8]? { state.withLock { $0.objects[key] } }

    func write(_ bytes: [UInt8], as key: StorageKey) {
        state.withLock { if !$0.removed.contains(key) { $0.objects[key] = bytes } }
    }

    func remove(_ key: StorageKey) {
        state.withLock { state in
            state.objects[key] = nil
            state.removed.insert(key)
        }
    }

    func newKey() -> StorageKey {
        state.withLock { state in
            state.keys += 1
            return StorageKey("object-\(1_000_000 + state.keys)")
        }
    }
}

/// A node's way to the blob store: what reaches it is a turn.
struct SimulatedBlobStore: BlobStore {
    let schedule: Schedule
    let life: Life
    let base: SimulatedObjects
    var engine: String { "simulated" }
    var smallestChunk: Int64 { 1 }

    func newKey() -> StorageKey { base.newKey() }

    func upload(_ key: StorageKey, from state: UploadState) async throws(StoreError) -> any BlobUpload {
        SimulatedUpload(store: self, key: key, state)
    }

    func open(_ key: StorageKey) async throws(StoreError) -> any BlobObject {
        try await schedule.turn("open", life).carryOut { () throws(StoreError) in
            guard let bytes = base[key] else { throw StoreError(.missing, "no object \(key)") }
            return SimulatedObject(bytes: bytes)
        }
    }

    func remove(
        _ keys: [StorageKey], note: @Sendable @escaping (StorageKey, StoreError) -> Void
    ) async throws(StoreError) -> [StorageKey] {
        try await schedule.turn("remove", life).carryOut { () throws(StoreError) in
            // Some of them may not be removed this time.
            let count = schedule.roll { dice in dice.isOne(in: 8) ? dice.roll(keys.count + 1) : keys.count }
            for key in keys.prefix(count) { base.remove(key) }
            return Array(keys.prefix(count))
        }
    }

    func keys(after last: StorageKey?, limit: Int) async throws(StoreError) -> [StorageKey] { [] }
    func check() async throws(StoreError) {}
    func close() {}
}

private struct SimulatedObject: BlobObject {
    let bytes: [UInt8]
    var size: Int64 { Int64(bytes.count) }
    let witness = "whole"

    func delivery(of range: Range<Int64>, redirects: Bool) async throws(StoreError) -> BlobDelivery {
        throw StoreError(.unavailable, "nobody reads it here")
    }

    func digest(
        _ algorithm: Digest.Algorithm, _ pause: @Sendable (Int64) async -> Void
    ) async throws(StoreError) -> Digest { ContentHash.digest(algorithm, of: bytes) }
}

private final class SimulatedUpload: BlobUpload {
    private let store: SimulatedBlobStore
    private let key: StorageKey
    private let progress: Mutex<(state: UploadState, bytes: [UInt8])>

    init(store: SimulatedBlobStore, key: StorageKey, _ state: UploadState) {
        self.store = store
        self.key = key
        progress = Mutex((state, []))
    }

    var state: UploadState { progress.withLock { $0.state } }

    func append(_ chunks: [any ByteChunk]) async throws(StoreError) {
        progress.withLock { progress in
            for chunk in chunks {
                let bytes = chunk.withBytes { Array($0) }
                bytes.withUnsafeBytes { progress.state.hash.update($0) }
                progress.state.offset += Int64(bytes.count)
                progress.bytes += bytes
            }
        }
    }

    func suspend() async throws(StoreError) -> UploadState {
        _ = try await finish()
        return state
    }

    func finish() async throws(StoreError) -> String {
        try await store.schedule.turn("finish", store.life).carryOut { () throws(StoreError) in
            store.base.write(progress.withLock { $0.bytes }, as: key)
            return "whole"
        }
    }

    func abort() async throws(StoreError) {}
}
