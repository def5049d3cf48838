import Model
import PostgresDriver
import Runtime
import Store
import Testing

@Suite("Versions in PostgreSQL", .enabled(if: Postgres.url != nil, Postgres.missing))
struct PostgresVersionTests {
    private static func withNodes(
        _ body: (_ a: MetadataStore, _ b: MetadataStore) async throws -> Void
    ) async throws {
        try await Postgres.withSchema { settings in
            var stores: [MetadataStore] = []
            for _ in 0..<2 {
                let database = try await PostgresDatabase.open(settings)
                try await Schema.migrate(database)
                stores.append(MetadataStore(database, versions: PostgresVersions(database)))
            }
            try await body(stores[0], stores[1])
        }
    }

    private static func version(_ scope: VersionScope, _ store: MetadataStore) async throws -> Version {
        try #require(try await store.versions.current([scope]).first)
    }

    @Test("what one node has changed moves the version that every other node sees, at once, and nothing else does")
    func moves() async throws {
        try await Self.withNodes { a, b in
            let (one, other) = (try await a.repository("n/one"), try await a.repository("n/other"))
            for round in 0..<20 {
                let scopes: [VersionScope] = [.repository(one.id), .repository(other.id), .access(one.namespace)]
                let before = try await b.versions.current(scopes)
                try await push("n/one", "\(round)", tags: ["t"], to: a)
                let after = try await b.versions.current(scopes)
                #expect(after[0] != before[0])
                #expect(after[1...] == before[1...])
                _ = try await b.tags(of: "n/one")
                #expect(try await a.versions.current(scopes) == after, "reading moves nothing")
            }
            #expect(b.versions.atOnce(.repository(one.id)) == nil, "nothing is known without asking")
        }
    }

    @Test("rights and accounts have versions of their own")
    func scopes() async throws {
        try await Self.withNodes { a, b in
            let repository = try await a.repository("n/one")
            let id = try await a.write { (db) throws(StoreError) in
                try db.addPrincipal(.user, "u", in: repository.namespace)
            }
            let scopes: [VersionScope] = [.access(repository.namespace), .principal(id), .repository(repository.id)]
            let first = try await b.versions.current(scopes)
            try await a.write { (db) throws(StoreError) in try db.permit(1, to: id.value, .user, on: repository) }
            let second = try await b.versions.current(scopes)
            #expect(second[0] != first[0] && second[1...] == first[1...])
            try await a.write { (db) throws(StoreError) in try db.setDisabled(true, id) }
            let third = try await b.versions.current(scopes)
            #expect(third[1] != second[1] && third[0] == second[0] && third[2] == second[2])
            #expect(
                try await Self.version(.principal(PrincipalID(1)), b) == Self.version(.principal(PrincipalID(2)), b))
        }
    }

    @Test("thousands who ask at once are answered by a handful of questions")
    func batches() async throws {
        try await Self.withNodes { a, _ in
            let versions = try #require(a.versions as? PostgresVersions)
            let repository = try await a.repository("n/one")
            let expected = try await Self.version(.repository(repository.id), a)
            let before = versions.questions
            try await withThrowingTaskGroup { group in
                for index in 0..<5000 {
                    let other = VersionScope.principal(PrincipalID(Int64(index)))
                    group.addTask {
                        let found = try await versions.current([other, .repository(repository.id), other])
                        #expect(found.count == 3 && found[1] == expected)
                    }
                }
                try await group.waitForAll()
            }
            #expect(versions.questions - before < 1000)
        }
    }
}
