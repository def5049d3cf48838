import Model
import Runtime
import Store
import Testing

@Suite("MetadataStore contract: reviews")
struct ReviewTests {
    /// Digests that are up for review in a repository.
    private func reviewed(_ text: String, _ store: MetadataStore) async throws -> Set<Digest> {
        let repository = try await store.repository(text)
        return try await store.read { (db) throws(StoreError) in
            Set(try db.reviewKeys(after: nil, limit: 5000).filter { $0.repository == repository.id }.map(\.digest))
        }
    }

    /// Takes everything off the list.
    private func clear(_ text: String, _ store: MetadataStore) async throws {
        let (repository, digests) = (try await store.repository(text), Array(try await reviewed(text, store)))
        try await store.write { (db) throws(StoreError) in try db.dropReviews(digests, in: repository.id) }
    }

    @Test("whatever may make something unneeded puts it up for review", arguments: DatabaseKind.allCases)
    func feeding(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let (layer, digest) = (Array("layer".utf8), sha256(Array("layer".utf8)))
            try await addBlob(layer, to: "a", store)
            #expect(try await reviewed("a", store) == [digest])
            let (a, b) = (try await store.repository("a"), try await store.repository("b"))
            _ = try await store.write { (db) throws(StoreError) in try db.mount(digest, from: a, to: b) }
            #expect(try await reviewed("b", store) == [digest])
            try await clear("a", store)
            let edges = [ManifestEdge(.config, digest, size: 5), ManifestEdge(.layer, digest, size: 5)]
            let tagged = try await push("a", "one", tags: ["t"], requiring: [layer], edges: edges, to: store).digest
            #expect(try await reviewed("a", store).isEmpty)
            let untagged = try await push("a", "two", to: store).digest
            #expect(try await reviewed("a", store) == [untagged])
            _ = try await push("a", "two", tags: ["t"], to: store)
            #expect(try await reviewed("a", store) == [untagged, tagged])
            try await clear("a", store)
            _ = try await store.remove(.tag(try .parse("t")), from: "a")
            #expect(try await reviewed("a", store) == [untagged])
            try await clear("a", store)
            _ = try await store.remove(.digest(tagged), from: "a")
            #expect(try await reviewed("a", store) == [tagged, digest])
        }
    }

    @Test("what a large manifest named is put up for review as its edges go", arguments: DatabaseKind.allCases)
    func loose(kind: DatabaseKind) async throws {
        try await kind.withDatabase { database in
            let clock = HandClock()
            let store = MetadataStore(database, clocks: clock.clocks)
            let repository = try await store.repository("a")
            let id: ManifestID = store.ids.next()
            let edges = (0..<600).map { ManifestEdge(.layer, sha256(Array("\($0)".utf8)), size: 1) }
            try await store.write { (db) throws(StoreError) in
                try db.addLoose(edges, from: 0, to: id, in: repository)
            }
            clock.advance(by: .seconds(2 * 3600))
            while try await store.write({ (db) throws(StoreError) in try db.removeLooseEdges() }) {}
            #expect(try await reviewed("a", store) == Set(edges.map(\.digest)))
            #expect(try await store.number("SELECT COUNT(*) FROM manifest_edges") == 0)
        }
    }

    @Test("a look reads by keys alone, whatever the registry has")
    func plan() async throws {
        try await DatabaseKind.memory.withDatabase { database in
            let sql = "EXPLAIN QUERY PLAN " + SQLTransaction.facts("($2), ($3)")
            let plan = try await database.read { (db) throws(StoreError) in
                try db.rows(sql, [.integer(1), .bytes([1]), .bytes([2])]).map { (row) throws(StoreError) in
                    try row.text(3)
                }
            }
            let scans = plan.filter { $0.hasPrefix("SCAN") && !$0.contains("CONSTANT ROW") }
            #expect(!plan.isEmpty && scans.isEmpty, "\(plan)")
        }
    }

    @Test("the walk finds what is older than the reviews, once, and goes on", arguments: DatabaseKind.allCases)
    func walk(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let contents = (0..<5).map { Array("\($0)".utf8) }
            for content in contents { try await addBlob(content, to: "a", store) }
            let manifest = try await push("a", "one", to: store).digest
            _ = try await push(
                "a", "two", tags: ["t"], requiring: [contents[0]],
                edges: [ManifestEdge(.layer, sha256(contents[0]), size: 1)], to: store)
            var found: [Digest] = []
            var walk = try await store.read { (db) throws(StoreError) in try db.walk() }
            while walk.step != .done {
                let (keys, next) = try await store.read { [walk] (db) throws(StoreError) in
                    try db.stroll(walk, limit: 2)
                }
                found += keys.map(\.digest)
                try await store.write { (db) throws(StoreError) in try db.keep(next) }
                walk = try await store.read { (db) throws(StoreError) in try db.walk() }
            }
            #expect(found.count == 5 && Set(found) == Set(contents.dropFirst().map(sha256) + [manifest]))
        }
    }

    @Test("one node of two collects, until it is silent for too long", arguments: DatabaseKind.allCases)
    func lease(kind: DatabaseKind) async throws {
        try await kind.withDatabase { (database) async throws in
            let clock = HandClock()
            let store = MetadataStore(database, clocks: clock.clocks)
            func lead(_ holder: String) async throws -> Bool {
                try await store.write { (db) throws(StoreError) in
                    try db.lead(holder, until: db.now + .seconds(60))
                }
            }
            #expect(try await lead("a"))
            #expect(try await !lead("b"))
            clock.advance(by: .seconds(30))
            #expect(try await lead("a"))
            clock.advance(by: .seconds(50))
            #expect(try await !lead("b"))
            clock.advance(by: .seconds(20))
            #expect(try await lead("b"))
            #expect(try await !lead("a"))
        }
    }
}
