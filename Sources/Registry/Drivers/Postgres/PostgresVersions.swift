import Metrics
import Model
import Runtime
import Store
import Synchronization

/// Versions as the rows have them: every node reads the same ones. All that is asked while one question is on its way goes into
/// the next: one statement, however many wait. An answer is never older than the question.
package final class PostgresVersions: Versions {
    /// Most who wait at once.
    private static let capacity = 65_536

    private struct Waiting: Sendable {
        let scopes: [VersionScope]
        let answer: @Sendable (Result<[Version], StoreError>) -> Void
    }

    private struct State {
        var waiting: [Waiting] = []
        var isAsking = false
    }

    private let database: PostgresDatabase
    private let clocks: Clocks
    private let patience: Duration
    private let executor: BlockingExecutor
    private let state = Mutex(State())
    private let asked = Atomic(0)
    private let askers = Counter()

    /// How many questions were put to the server so far.
    package var questions: Int { asked.load(ordering: .relaxed) }

    package func metrics() -> [MetricFamily] {
        [
            MetricFamily(
                "aerugo_version_questions_total", .counter, "Questions for versions, each for all that wait.", questions
            ),
            MetricFamily("aerugo_version_askers_total", .counter, "Requests that waited for versions.", askers.value),
        ] + BlockingExecutor.metrics([executor])
    }

    /// Versions in this database; one question takes no longer than `patience`.
    package init(_ database: PostgresDatabase, patience: Duration = .seconds(10), clocks: Clocks = .system) {
        self.database = database
        self.patience = patience
        self.clocks = clocks
        executor = BlockingExecutor(
            name: "PostgreSQL, versions", threads: 1, capacity: 16, patience: patience, clocks: clocks)
    }

    deinit { executor.stop() }

    /// Never: another node may have moved it.
    package func atOnce(_ scope: VersionScope) -> Version? { nil }

    /// They move where the rows do.
    package func move(_ scopes: Set<VersionScope>) {}

    package func current(_ scopes: [VersionScope]) async throws(StoreError) -> [Version] {
        guard !scopes.isEmpty else { return [] }
        let result: Result<[Version], StoreError> = await withCheckedContinuation { continuation in
            add(Waiting(scopes: scopes) { continuation.resume(returning: $0) })
        }
        return try result.get()
    }

    private func add(_ waiting: Waiting) {
        enum Step { case wait, begin, refuse }
        let step: Step = state.withLock { state in
            guard state.waiting.count < Self.capacity else { return .refuse }
            state.waiting.append(waiting)
            guard !state.isAsking else { return .wait }
            state.isAsking = true
            return .begin
        }
        switch step {
        case .wait: break
        case .begin:
            guard executor.enqueue({ [self] in askAll() }) else {
                return refuse(StoreError(.overloaded, "PostgreSQL: no thread asks for versions"))
            }
        case .refuse: waiting.answer(.failure(StoreError(.overloaded, "too many wait for versions")))
        }
    }

    private func refuse(_ error: StoreError) {
        let waiting = state.withLock { state in
            defer { (state.waiting, state.isAsking) = ([], false) }
            return state.waiting
        }
        for one in waiting { one.answer(.failure(error)) }
    }

    /// Asks until nobody waits any more.
    private func askAll() {
        while true {
            let waiting = state.withLock { state in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.isAsking = false }
                return state.waiting
            }
            guard !waiting.isEmpty else { return }
            askers.add(waiting.count)
            do throws(StoreError) {
                let found = try ask(Set(waiting.flatMap(\.scopes)))
                for one in waiting { one.answer(.success(one.scopes.map { found[$0] ?? Self.absent })) }
            } catch {
                for one in waiting { one.answer(.failure(error)) }
            }
        }
    }

    /// Of what is not there, or not any more: keys are never used again.
    private static let absent = Version(.max)

    private func ask(_ scopes: Set<VersionScope>) throws(StoreError) -> [VersionScope: Version] {
        var lists = ["", "", ""]
        for scope in scopes {
            let (kind, id): (Int, Int64) =
                switch scope {
                case .repository(let id): (0, id.value)
                case .access(let id): (1, id.value)
                case .principal(let id): (2, id.value)
                }
            lists[kind] += lists[kind].isEmpty ? "\(id)" : ",\(id)"
        }
        asked.wrappingAdd(1, ordering: .relaxed)
        var found: [VersionScope: Version] = [:]
        found.reserveCapacity(scopes.count)
        for row in try database.question(
            Self.statement, lists.map { .text("{\($0)}") }, until: clocks.uptime() + patience)
        {
            let (id, version) = (try row.integer(1), Version(UInt64(bitPattern: try row.integer(2))))
            switch try row.integer(0) {
            case 0: found[.repository(RepositoryID(id))] = version
            case 1: found[.access(NamespaceID(id))] = version
            default: found[.principal(PrincipalID(id))] = version
            }
        }
        return found
    }

    private static let statement = """
        SELECT 0, id, version FROM repositories WHERE id = ANY(CAST(CAST($1 AS TEXT) AS BIGINT[]))
        UNION ALL SELECT 1, id, access_version FROM namespaces WHERE id = ANY(CAST(CAST($2 AS TEXT) AS BIGINT[]))
        UNION ALL SELECT 2, id, version FROM principals WHERE id = ANY(CAST(CAST($3 AS TEXT) AS BIGINT[]))
        """
}
