import Drivers
import Model
import Store
import Testing
import Vocabulary

/// An image manifest that names nothing, with an annotation that makes it one of its kind.
func manifest(
    _ mark: String, config: Digest? = nil, subject: Digest? = nil, artifactType: String? = nil
) throws -> (StoredManifest, Manifest) {
    let config = config ?? sha256(Array("{}".utf8))
    var text = #"{"schemaVersion":2,"mediaType":"\#(MediaType.ociManifest)","annotations":{"mark":"\#(mark)"},"#
    text += #""config":{"mediaType":"\#(MediaType.ociEmpty)","digest":"\#(config)","size":2},"layers":[]"#
    if let subject { text += #","subject":{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(subject)","size":2}"# }
    if let artifactType { text += #","artifactType":"\#(artifactType)""# }
    let bytes = Array((text + "}").utf8)
    let parsed = try Manifest.parse(bytes, contentType: nil)
    return (StoredManifest(digest: sha256(bytes), mediaType: parsed.mediaType, bytes: bytes), parsed)
}

@discardableResult
func push(
    _ repository: String, _ mark: String = "", tags: [String] = [], subject: Digest? = nil, artifactType: String? = nil,
    if precondition: TagPrecondition = TagPrecondition(), to store: MetadataStore
) async throws -> (digest: Digest, outcome: ManifestPush) {
    let (stored, parsed) = try manifest(mark, subject: subject, artifactType: artifactType)
    let outcome = try await store.push(
        stored, parsed, tags: tags.map { try Tag.parse($0) }, in: name(repository), requiring: [], if: precondition)
    return (stored.digest, outcome)
}

/// A session whose bytes are said to be durable.
func session(_ repository: String, _ content: [UInt8], principal: String = "p") throws -> UploadSession {
    var hash = ContentHash(.sha256)
    content.withUnsafeBytes { hash.update($0) }
    return UploadSession(
        id: MetadataStore.newUUID(), repository: try name(repository), principal: principal,
        key: StorageKey(MetadataStore.newID()),
        received: Int64(content.count), hash: hash)
}

/// Makes a blob visible in a repository, as an upload does.
@discardableResult
func addBlob(_ content: [UInt8], to repository: String, _ store: MetadataStore) async throws -> UploadSession {
    let upload = try session(repository, content)
    try await store.begin(upload)
    #expect(try await [.stored, .known, .replaced].contains(store.finish(upload, as: sha256(content), stamp: "s")))
    return upload
}

@Suite("MetadataStore contract: manifests and tags")
struct ManifestStoreTests {
    @Test("a manifest is found by tag and digest, byte for byte", arguments: StoreKind.allCases)
    func roundTrip(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let (digest, _) = try await push("a/b", "ä🐳", tags: ["t", "u"], to: store)
            let (stored, _) = try manifest("ä🐳")
            for reference in [Reference.digest(digest), .tag(try .parse("t")), .tag(try .parse("u"))] {
                let found = try #require(try await store.manifest(reference, in: name("a/b")))
                #expect(found.bytes == stored.bytes)
                #expect(found.digest == digest)
                #expect(found.mediaType == MediaType.ociManifest)
            }
            for (repository, reference) in [("a/b", "x"), ("a", "t"), ("a/c", "t")] {
                #expect(try await store.manifest(.tag(.parse(reference)), in: name(repository)) == nil)
                #expect(try await store.manifest(.digest(digest), in: name("c")) == nil)
            }
        }
    }

    @Test("a tag moves, its old manifest stays", arguments: StoreKind.allCases)
    func move(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let old = try await push("a", "1", tags: ["t"], to: store).digest
            let new = try await push("a", "2", tags: ["t"], to: store).digest
            #expect(try await store.manifest(.tag(.parse("t")), in: name("a"))?.digest == new)
            #expect(try await store.manifest(.digest(old), in: name("a")) != nil)
            #expect(try await store.tags(of: name("a"), after: "", limit: 10) == ["t"])
        }
    }

    @Test(
        "a manifest whose blobs are not there is refused, all of them are named, nothing stays",
        arguments: StoreKind.allCases)
    func missing(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let content = bytes(10)
            try await addBlob(content, to: "other", store)
            let (stored, parsed) = try manifest("x")
            let wanted = [sha256(content), sha256(bytes(11))]
            let outcome = try await store.push(
                stored, parsed, tags: [.parse("t")], in: name("a"), requiring: wanted, if: TagPrecondition())
            guard case .missing(let digests) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(digests == wanted, "a blob of another repository counts as missing")
            #expect(try await !store.hasRepository(name("a")))
            try await addBlob(content, to: "a", store)
            try await addBlob(bytes(11), to: "a", store)
            guard
                case .stored = try await store.push(
                    stored, parsed, tags: [.parse("t")], in: name("a"), requiring: wanted, if: TagPrecondition())
            else {
                Issue.record("not stored")
                return
            }
        }
    }

    @Test("tags come in byte order, in pages", arguments: StoreKind.allCases)
    func tags(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let tags = ["b", "a", "_", "Z", "a.1", "a-1", "a_1", "10", "9", "aa"]
            try await push("r", tags: tags, to: store)
            let sorted = tags.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await store.tags(of: name("r"), after: "", limit: 100) == sorted)
            var paged: [String] = []
            while let page = try await store.tags(of: name("r"), after: paged.last ?? "", limit: 3), !page.isEmpty {
                paged += page
            }
            #expect(paged == sorted)
            #expect(
                try await store.tags(of: name("r"), after: "a-2", limit: 2) == ["a.1", "a_1"], "`last` need not exist")
            #expect(try await store.tags(of: name("r"), after: "zz", limit: 2) == [])
            #expect(try await store.tags(of: name("r"), after: "", limit: 0) == [])
            #expect(try await store.tags(of: name("none"), after: "", limit: 10) == nil)
        }
    }

    @Test("repositories come in byte order, in pages", arguments: StoreKind.allCases)
    func repositories(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let names = ["b", "a/b", "a", "a-b", "a.b", "a_b", "0"]
            for name in names { try await push(name, to: store) }
            try await addBlob(bytes(3), to: "only/blobs", store)
            let sorted = (names + ["only/blobs"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await store.repositories(after: "", limit: 100) == sorted)
            #expect(try await store.repositories(after: "a/", limit: 2) == ["a/b", "a_b"])
        }
    }

    @Test("removing a tag leaves the manifest; removing a manifest takes its tags", arguments: StoreKind.allCases)
    func remove(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let digest = try await push("a", tags: ["t", "u", "v"], to: store).digest
            let other = try await push("a", "2", tags: ["w"], to: store).digest
            try await push("b", tags: ["t"], to: store)
            #expect(try await store.remove(.tag(.parse("t")), from: name("a")) == .removed)
            #expect(try await store.remove(.tag(.parse("t")), from: name("a")) == .missing)
            #expect(try await store.manifest(.digest(digest), in: name("a")) != nil)
            #expect(try await store.remove(.digest(digest), from: name("a")) == .removed)
            #expect(try await store.remove(.digest(digest), from: name("a")) == .missing)
            #expect(try await store.tags(of: name("a"), after: "", limit: 10) == ["w"])
            #expect(try await store.manifest(.digest(other), in: name("a")) != nil)
            #expect(
                try await store.manifest(.tag(.parse("t")), in: name("b"))?.digest == digest,
                "other repositories keep theirs")
            #expect(try await store.remove(.digest(digest), from: name("none")) == .missing)
        }
    }

    @Test("referrers are listed by digest, filtered, paged, and gone once deleted", arguments: StoreKind.allCases)
    func referrers(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let subject = sha256(bytes(5))
            var digests: [String] = []
            for index in 0..<7 {
                let type = index % 2 == 0 ? "application/even" : "application/odd"
                digests.append(
                    try await push("a", "\(index)", subject: subject, artifactType: type, to: store).digest.description)
            }
            try await push("a", "no subject", to: store)
            try await push("b", "elsewhere", subject: subject, to: store)
            func list(
                _ type: String? = nil, of subject: Digest = subject, in repository: String = "a",
                after last: String = "", limit: Int = 100, budget: Int64 = 1 << 20
            ) async throws -> [Referrer] {
                let (found, hasMore) = try await store.referrers(
                    of: subject, in: name(repository), artifactType: type, after: last, limit: limit, budget: budget)
                let rest = limit < 100 || budget < 1 << 20 ? try await list(type, after: last) : found
                #expect(hasMore == (found.count < rest.count))
                return found
            }
            let all = try await list()
            #expect(all.map(\.digest.description) == digests.sorted())
            #expect(
                all.allSatisfy {
                    $0.mediaType == MediaType.ociManifest && $0.size > 0 && $0.annotations.contains("mark")
                })
            #expect(try await list("application/odd").count == 3)
            #expect(try await list("application/odd").allSatisfy { $0.artifactType == "application/odd" })
            #expect(try await list("application/none").isEmpty)
            #expect(
                try await list(after: digests.sorted()[2], limit: 2).map(\.digest.description)
                    == Array(digests.sorted()[3...4]))
            #expect(try await store.remove(.digest(all[0].digest), from: name("a")) == .removed)
            #expect(try await list().count == 6)
            #expect(try await list(of: sha256([])).isEmpty)
            #expect(try await list(in: "none").isEmpty)
            #expect(try await list(limit: 0).isEmpty)
            #expect(try await list(budget: 1).count == 1, "one, however large")
            #expect(try await list(budget: all.prefix(3).map(\.size).reduce(0, +)).count == 3)
        }
    }

    @Test("a push goes through exactly when its precondition holds", arguments: StoreKind.allCases)
    func preconditions(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            func isStored(_ mark: String, _ precondition: TagPrecondition) async throws -> Bool {
                if case .stored = try await push("a", mark, tags: ["t"], if: precondition, to: store).outcome {
                    return true
                }
                return false
            }
            #expect(try await !isStored("1", TagPrecondition(match: .any)))
            #expect(try await !store.hasRepository(name("a")))
            #expect(try await isStored("1", TagPrecondition(noneMatch: .any)))
            let first = try manifest("1").0.digest.description
            #expect(try await !isStored("2", TagPrecondition(noneMatch: .any)))
            #expect(try await !isStored("2", TagPrecondition(match: .digests(["sha256:x"]))))
            #expect(try await !isStored("2", TagPrecondition(noneMatch: .digests(["x", first]))))
            #expect(try await store.manifest(.tag(.parse("t")), in: name("a"))?.digest.description == first)
            #expect(try await isStored("2", TagPrecondition(match: .digests(["x", first]))))
            #expect(try await !isStored("3", TagPrecondition(match: .digests([first]))))
            #expect(try await isStored("3", TagPrecondition(match: .any, noneMatch: .digests([first]))))
        }
    }

    @Test("of many writers with one If-Match, one wins", arguments: StoreKind.allCases)
    func race(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let first = try await push("a", "0", tags: ["t"], to: store).digest.description
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 1...32 {
                    group.addTask {
                        let precondition = TagPrecondition(match: .digests([first]))
                        if case .stored = try await push("a", "\(index)", tags: ["t"], if: precondition, to: store)
                            .outcome
                        {
                            return true
                        }
                        return false
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wins == 1)
        }
    }

    @Test("a manifest whose bytes changed in the database is damaged, not served", arguments: StoreKind.allCases)
    func damaged(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let store = MetadataStore(database)
            let digest = try await push("a", tags: ["t"], to: store).digest
            _ = try await database.write { (db) throws(StoreError) in
                try db.execute("UPDATE manifests SET bytes = $1", [.bytes(Array("{}".utf8))])
            }
            #expect(await storeError { _ = try await store.manifest(.digest(digest), in: name("a")) } == .damaged)
            #expect(await storeError { _ = try await store.manifest(.tag(.parse("t")), in: name("a")) } == .damaged)
            try await push("a", to: store)
            #expect(try await store.manifest(.tag(.parse("t")), in: name("a"))?.digest == digest, "a push repairs it")
        }
    }
}
