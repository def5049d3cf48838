import Model
import Runtime
import Store
import Testing
import Vocabulary

/// An image manifest with a mark that makes it one of its kind, as the service would have it kept.
func manifest(
    _ mark: String, subject: Digest? = nil, artifactType: String? = nil, edges: [ManifestEdge] = []
) -> NewManifest {
    let bytes = Array(#"{"schemaVersion":2,"mark":"\#(mark)","subject":"\#(subject?.description ?? "")"}"#.utf8)
    return NewManifest(
        digest: sha256(bytes), mediaType: MediaType.ociManifest, bytes: bytes, subject: subject,
        artifactType: artifactType, annotations: #"{"mark":"\#(mark)"}"#, defaultImage: nil, edges: edges)
}

/// What an image of these layers says.
func image(of layers: [[UInt8]]) throws -> Manifest {
    let list = layers.map { #"{"mediaType":"a/b","digest":"\#(sha256($0))","size":\#($0.count)}"# }.joined(
        separator: ",")
    let artifact = #"{"mediaType":"\#(MediaType.ociArtifact)","artifactType":"a/b","blobs":[\#(list)]}"#
    return try Manifest.parse(Array(artifact.utf8), contentType: nil)
}

@discardableResult
func push(
    _ repository: String, _ mark: String = "", tags: [String] = [], subject: Digest? = nil, artifactType: String? = nil,
    requiring required: [[UInt8]] = [], edges: [ManifestEdge] = [], if precondition: Precondition = Precondition(),
    to store: MetadataStore
) async throws -> (digest: Digest, outcome: ManifestPush.Outcome) {
    let new = manifest(mark, subject: subject, artifactType: artifactType, edges: edges)
    let push = ManifestPush(
        manifest: new, try image(of: required), tags: try tags.map { try Tag.parse($0) }, isSparse: false,
        precondition: precondition, repository: try await store.repository(repository), principal: PrincipalID(7))
    let outcome = try await store.write { (db) throws(StoreError) in try push.carryOut(db) }
    return (new.digest, outcome)
}

/// A session whose bytes are said to be durable.
func session(
    _ repository: String, _ content: [UInt8], principal: Int64 = 1, _ store: MetadataStore
) async throws -> UploadSession {
    var hash = ContentHash(.sha256)
    content.withUnsafeBytes { hash.update($0) }
    return UploadSession(
        id: store.ids.uuid(), repository: try await store.repository(repository), principal: PrincipalID(principal),
        address: "192.0.2.1", key: StorageKey(store.ids.token()), received: Int64(content.count), hash: hash)
}

/// Makes a blob visible in a repository, as an upload does.
@discardableResult
func addBlob(_ content: [UInt8], to repository: String, _ store: MetadataStore) async throws -> UploadSession {
    let upload = try await session(repository, content, store)
    let end = try await store.write { (db) throws(StoreError) in
        _ = try db.begin(upload)
        return try db.finish(upload, as: sha256(content), stamp: "s")
    }
    #expect(end != .gone)
    return upload
}

@Suite("MetadataStore contract: manifests and tags")
struct ManifestStoreTests {
    @Test("a manifest is found by tag and digest, byte for byte", arguments: DatabaseKind.allCases)
    func roundTrip(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let (digest, _) = try await push("a/b", "ä🐳", tags: ["t", "u"], to: store)
            for reference in [Reference.digest(digest), .tag(try .parse("t")), .tag(try .parse("u"))] {
                let found = try #require(try await store.manifest(reference, in: "a/b"))
                #expect(found.bytes == manifest("ä🐳").bytes)
                #expect(found.known.digest == digest)
                #expect(found.known.mediaType == MediaType.ociManifest)
            }
            for (repository, reference) in [("a/b", "x"), ("a", "t"), ("a/c", "t")] {
                #expect(try await store.manifest(.tag(.parse(reference)), in: repository) == nil)
                #expect(try await store.manifest(.digest(digest), in: "c") == nil)
            }
        }
    }

    @Test("a tag moves, its old manifest stays", arguments: DatabaseKind.allCases)
    func move(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let old = try await push("a", "1", tags: ["t"], to: store).digest
            let new = try await push("a", "2", tags: ["t"], to: store).digest
            #expect(try await store.manifest(.tag(.parse("t")), in: "a")?.known.digest == new)
            #expect(try await store.manifest(.digest(old), in: "a") != nil)
            #expect(try await store.tags(of: "a", after: "", limit: 10) == ["t"])
        }
    }

    @Test(
        "a manifest whose blobs are not there is refused, all of them are named, nothing stays",
        arguments: DatabaseKind.allCases)
    func missing(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let content = bytes(10)
            try await addBlob(content, to: "other", store)
            let wanted = [content, bytes(11)]
            let outcome = try await push("a", "x", tags: ["t"], requiring: wanted, to: store).outcome
            guard case .missing(let digests) = outcome else {
                Issue.record("\(outcome)")
                return
            }
            #expect(digests == wanted.map(sha256), "a blob of another repository counts as missing")
            #expect(try await !store.hasBegun("a"))
            #expect(try await store.tags(of: "a").isEmpty)
            try await addBlob(content, to: "a", store)
            try await addBlob(bytes(11), to: "a", store)
            guard case .stored = try await push("a", "x", tags: ["t"], requiring: wanted, to: store).outcome else {
                Issue.record("not stored")
                return
            }
        }
    }

    @Test("tags come in byte order, in pages", arguments: DatabaseKind.allCases)
    func tags(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let tags = ["b", "a", "_", "Z", "a.1", "a-1", "a_1", "10", "9", "aa"]
            try await push("r", tags: tags, to: store)
            let sorted = tags.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            #expect(try await store.tags(of: "r", after: "", limit: 100) == sorted)
            var paged: [String] = []
            while true {
                let page = try await store.tags(of: "r", after: paged.last ?? "", limit: 3)
                guard !page.isEmpty else { break }
                paged += page
            }
            #expect(paged == sorted)
            #expect(
                try await store.tags(of: "r", after: "a-2", limit: 2) == ["a.1", "a_1"], "`last` need not exist")
            #expect(try await store.tags(of: "r", after: "zz", limit: 2) == [])
            #expect(try await store.tags(of: "r", after: "", limit: 0) == [])
        }
    }

    @Test("repositories come in byte order, in pages", arguments: DatabaseKind.allCases)
    func repositories(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let names = ["b", "a/b", "a", "a-b", "a.b", "a_b", "0"]
            for name in names { try await push(name, to: store) }
            try await addBlob(bytes(3), to: "only/blobs", store)
            let sorted = (names + ["only/blobs"]).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            _ = try await store.repository("never/pushed/to")
            func list(after last: String, limit: Int) async throws -> [String] {
                try await store.read { (db) throws(StoreError) in try db.repositoryNames(after: last, limit: limit) }
            }
            #expect(try await list(after: "", limit: 100) == sorted)
            #expect(try await list(after: "a/", limit: 2) == ["a/b", "a_b"])
        }
    }

    @Test(
        "a manifest of very many tags is removed in parts, and is there until the last",
        arguments: DatabaseKind.allCases)
    func removeMany(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let names = (0..<1200).map { String(10_000 + $0) }
            let digest = try await push("a", tags: names, to: store).digest
            for left in [1200 - 512, 1200 - 1024] {
                #expect(try await store.remove(.digest(digest), from: "a") == .begun)
                #expect(try await store.tags(of: "a", limit: 2000) == names.suffix(left))
                #expect(try await store.manifest(.digest(digest), in: "a") != nil)
            }
            #expect(try await store.remove(.digest(digest), from: "a") == .removed)
            #expect(try await store.tags(of: "a").isEmpty)
        }
    }

    @Test("removing a tag leaves the manifest; removing a manifest takes its tags", arguments: DatabaseKind.allCases)
    func remove(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let digest = try await push("a", tags: ["t", "u", "v"], to: store).digest
            let other = try await push("a", "2", tags: ["w"], to: store).digest
            try await push("b", tags: ["t"], to: store)
            #expect(try await store.remove(.tag(.parse("t")), from: "a") == .removed)
            #expect(try await store.remove(.tag(.parse("t")), from: "a") == .missing)
            #expect(try await store.manifest(.digest(digest), in: "a") != nil)
            #expect(try await store.remove(.digest(digest), from: "a") == .removed)
            #expect(try await store.remove(.digest(digest), from: "a") == .missing)
            #expect(try await store.tags(of: "a", after: "", limit: 10) == ["w"])
            #expect(try await store.manifest(.digest(other), in: "a") != nil)
            #expect(
                try await store.manifest(.tag(.parse("t")), in: "b")?.known.digest == digest,
                "other repositories keep theirs")
            #expect(try await store.remove(.digest(digest), from: "none") == .missing)
        }
    }

    @Test("referrers are listed by digest, filtered, paged, and gone once deleted", arguments: DatabaseKind.allCases)
    func referrers(kind: DatabaseKind) async throws {
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
                after last: Digest? = nil, limit: Int = 100, budget: Int64 = 1 << 20
            ) async throws -> [Referrer] {
                let repository = try await store.repository(repository)
                func page(_ limit: Int, _ budget: Int64) async throws -> (found: [Referrer], hasMore: Bool) {
                    try await store.read { (db) throws(StoreError) in
                        try db.referrers(
                            of: subject, in: repository, artifactType: type, after: last, limit: limit, budget: budget)
                    }
                }
                let (found, hasMore) = try await page(limit, budget)
                let all = try await page(100, 1 << 20).found
                #expect(hasMore == (found.count < all.count))
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
            #expect(try await list(after: all[2].digest, limit: 2).map(\.digest) == all[3...4].map(\.digest))
            #expect(try await store.remove(.digest(all[0].digest), from: "a") == .removed)
            #expect(try await list().count == 6)
            #expect(try await list(of: sha256([])).isEmpty)
            #expect(try await list(in: "none").isEmpty)
            #expect(try await list(limit: 0).isEmpty)
            #expect(try await list(budget: 1).count == 1, "one, however large")
            #expect(try await list(budget: all.prefix(3).map(\.size).reduce(0, +)).count == 3)
        }
    }

    @Test("a push goes through exactly when its precondition holds", arguments: DatabaseKind.allCases)
    func preconditions(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            _ = try await store.repository("a")
            func isStored(_ mark: String, _ precondition: Precondition) async throws -> Bool {
                if case .stored = try await push("a", mark, tags: ["t"], if: precondition, to: store).outcome {
                    return true
                }
                return false
            }
            #expect(try await !isStored("1", Precondition(match: .any)))
            #expect(try await !store.hasBegun("a"))
            #expect(try await isStored("1", Precondition(noneMatch: .any)))
            let first = manifest("1").digest.description
            #expect(try await !isStored("2", Precondition(noneMatch: .any)))
            #expect(try await !isStored("2", Precondition(match: .digests(["sha256:x"]))))
            #expect(try await !isStored("2", Precondition(noneMatch: .digests(["x", first]))))
            #expect(try await store.manifest(.tag(.parse("t")), in: "a")?.known.digest.description == first)
            #expect(try await isStored("2", Precondition(match: .digests(["x", first]))))
            #expect(try await !isStored("3", Precondition(match: .digests([first]))))
            #expect(try await isStored("3", Precondition(match: .any, noneMatch: .digests([first]))))
        }
    }

    @Test("of many writers with one If-Match, one wins", arguments: DatabaseKind.allCases)
    func race(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let first = try await push("a", "0", tags: ["t"], to: store).digest.description
            let wins = try await withThrowingTaskGroup(of: Bool.self) { group in
                for index in 1...32 {
                    group.addTask {
                        let precondition = Precondition(match: .digests([first]))
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

    @Test("what refers to what is kept with the manifest and goes with it", arguments: DatabaseKind.allCases)
    func edges(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let (layer, child) = (sha256(bytes(3)), sha256(bytes(4)))
            let edges = [
                ManifestEdge(.layer, layer, size: 3),
                ManifestEdge(.child, child, size: 4, os: "linux", architecture: "arm64", variant: "v8"),
            ]
            let digest = try await push("a", "1", edges: edges, to: store).digest
            let repository = try await store.repository("a")
            func namer(
                _ digest: Digest, _ roles: ClosedRange<ManifestEdge.Role>, _ repository: Repository
            ) async throws -> Digest? {
                try await store.read { (db) throws(StoreError) in
                    try db.manifest(naming: digest, as: roles, in: repository)
                }
            }
            #expect(try await namer(layer, .blobs, repository) == digest)
            #expect(try await namer(layer, .child ... .child, repository) == nil, "not as that")
            #expect(try await namer(child, .child ... .child, repository) == digest)
            let other = try await store.repository("b")
            #expect(try await namer(layer, .blobs, other) == nil, "not there")
            #expect(try await store.remove(.digest(digest), from: "a") == .removed)
            #expect(try await namer(layer, .blobs, repository) == nil)
            #expect(try await store.number("SELECT COUNT(*) FROM manifest_edges") == 0)
        }
    }

    @Test("a tag's moves are remembered, with who made them, and no more than 64", arguments: DatabaseKind.allCases)
    func history(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let marks = (0..<70).map { "\($0 % 7)" }
            for mark in marks { try await push("a", mark, tags: ["t"], to: store) }
            #expect(try await store.number("SELECT COUNT(*) FROM tag_history") == 64)
            #expect(try await store.number("SELECT COUNT(*) FROM tag_history WHERE principal_id = 7") == 64)
            try await push("a", marks[69], tags: ["t"], to: store)
            #expect(try await store.number("SELECT moves FROM tags") == 69, "what stays is no move")
            #expect(try await store.remove(.digest(manifest(marks[69]).digest), from: "a") == .removed)
            #expect(try await store.number("SELECT COUNT(*) FROM tag_history WHERE digest IS NULL") == 1)
        }
    }
}
