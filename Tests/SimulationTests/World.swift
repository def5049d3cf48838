import Access
import Logging
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization

/// What one seed plays on: nodes over one database and one blob store, and what clients know.
final class World: Sendable {
    static let nodes = 3
    static let repositories = ["a/one", "a/two", "b/one"]
    static let tags = ["t", "u"]

    let schedule: Schedule
    let limits: Registry.Limits
    let objects = SimulatedObjects()
    let ledger = Mutex(Ledger())
    let clients = Atomic(0)
    let base: InlineSQLiteDatabase
    private let versions = SimulatedVersions()
    private let mutant: Mutant?
    private let registries = Mutex<[Life: Registry]>([:])
    private static let log = Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() }

    init(seed: UInt64, _ base: InlineSQLiteDatabase, _ mutant: Mutant?) {
        schedule = Schedule(seed: seed)
        self.base = base
        self.mutant = mutant
        var limits = Registry.Limits()
        limits.restoreTime = .seconds(2 * 86_400)
        limits.manifestCache = 1 << 16
        // Each third seed keeps untagged manifests; the others collect them.
        limits.collection.untagged = seed % 3 == 0 ? nil : .seconds(Int64(seed % 3) * 86_400)
        self.limits = limits
    }

    /// The registry of a node in the life that it leads.
    func registry(_ node: Int) -> Registry {
        let life = schedule.life(of: node)
        return registries.withLock { registries in
            if let known = registries[life] { return known }
            let made = make(life)
            registries[life] = made
            return made
        }
    }

    private func make(_ life: Life) -> Registry {
        let schedule = schedule
        let ids = IDSource(clocks: schedule.clocks) { schedule.roll { $0.next() } }
        let store = MetadataStore(
            SimulatedDatabase(schedule: schedule, life: life, base: base, mutant: mutant), versions: versions,
            clocks: schedule.clocks, ids: ids
        ) { _ in _ = await schedule.turn("pause") }
        var limits = limits
        mutant?.rules(&limits.collection)
        return Registry(
            store: store, blobs: SimulatedBlobStore(schedule: schedule, life: life, base: objects), limits: limits,
            log: Self.log)
    }

    /// What a node does besides, as long as there are clients.
    func tend(_ node: Int) async {
        while clients.load(ordering: .relaxed) > 0 {
            for _ in 0..<4 { _ = await schedule.turn("idle") }
            if schedule.roll({ $0.isOne(in: 3) }) {
                await registry(node).sweepOnce()
            } else {
                await registry(node).collector.turn()
            }
        }
    }

    /// Time passes until nothing is left to be done, or far more than that takes.
    func settle() async {
        schedule.calm()
        for _ in 0..<16 {
            schedule.pass(.seconds(30 * 3600))
            await registry(0).collector.turn()
            await registry(0).sweepOnce()
            if isSettled { return }
        }
    }

    private var isSettled: Bool {
        number(
            """
            SELECT (SELECT COUNT(*) FROM reviews WHERE look_at < \(Int64.max)) + (SELECT COUNT(*) FROM removals)
                + (SELECT COUNT(*) FROM upload_sessions)
                + (SELECT COUNT(*) FROM repositories WHERE deleted_at IS NOT NULL OR begun_at IS NULL)
            """) == 0
    }

    /// The number that a query gives, past all nodes; -1 where it cannot be run.
    func number(_ sql: String) -> Int64 {
        do throws(StoreError) { return try rows(sql).first?.integer(0) ?? -1 } catch { return -1 }
    }

    func rows(_ sql: String) -> [SQLRow] {
        do throws(StoreError) {
            return try base.writeNow { (db) throws(StoreError) in try db.rows(sql, []) }
        } catch {
            ledger.withLock { $0.violate("\(sql): \(error.cause)") }
            return []
        }
    }
}
