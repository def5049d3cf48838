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
    #expect(try await store.finish(upload, as: sha256(content), stamp: "s"))
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
            #expect(try await store.remove(.tag(.parse("t")), from: name("a")))
            #expect(try await !store.remove(.tag(.parse("t")), from: name("a")))
            #expect(try await store.manifest(.digest(digest), in: name("a")) != nil)
            #expect(try await store.remove(.digest(digest), from: name("a")))
            #expect(try await !store.remove(.digest(digest), from: name("a")))
            #expect(try await store.tags(of: name("a"), after: "", limit: 10) == ["w"])
            #expect(try await store.manifest(.digest(other), in: name("a")) != nil)
            #expect(
                try await store.manifest(.tag(.parse("t")), in: name("b"))?.digest == digest,
                "other repositories keep theirs")
            #expect(try await !store.remove(.digest(digest), from: name("none")))
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
            func list(_ type: String? = nil, after last: String = "", limit: Int = 100) async throws -> [Referrer] {
                try await store.referrers(of: subject, in: name("a"), artifactType: type, after: last, limit: limit)
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
            #expect(try await store.remove(.digest(all[0].digest), from: name("a")))
            #expect(try await list().count == 6)
            #expect(
                try await store.referrers(of: sha256([]), in: name("a"), artifactType: nil, after: "", limit: 9).isEmpty
            )
            #expect(
                try await store.referrers(of: subject, in: name("none"), artifactType: nil, after: "", limit: 9).isEmpty
            )
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
        }
    }
}

@Suite("MetadataStore contract: blobs and uploads")
struct UploadStoreTests {
    @Test("a blob is found in the repositories that have it alone", arguments: StoreKind.allCases)
    func isolation(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let (content, digest) = (bytes(10), sha256(bytes(10)))
            let upload = try await addBlob(content, to: "a/b", store)
            let found = try #require(try await store.blob(digest, in: name("a/b")))
            #expect(found == BlobLocation(key: upload.key, size: 10, stamp: "s"))
            for other in ["a", "a/c", "b", "a/b/c"] { #expect(try await store.blob(digest, in: name(other)) == nil) }
            #expect(try await store.blobAnywhere(digest) == found)
            #expect(try await store.blobAnywhere(sha256([])) == nil)
        }
    }

    @Test("a mount needs a source that has the blob", arguments: StoreKind.allCases)
    func mount(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            try await addBlob(bytes(10), to: "a", store)
            #expect(try await !store.mount(digest, from: name("b"), to: name("c")))
            #expect(try await !store.mount(sha256([]), from: name("a"), to: name("c")))
            #expect(try await !store.hasRepository(name("c")))
            #expect(try await store.mount(digest, from: name("a"), to: name("c")))
            #expect(try await store.mount(digest, from: name("a"), to: name("c")), "again")
            #expect(try await store.mount(digest, from: name("a"), to: name("a")), "onto itself")
            #expect(try await store.blob(digest, in: name("c")) != nil)
        }
    }

    @Test("the last repository to give up a blob gives up its bytes", arguments: StoreKind.allCases)
    func remove(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            let upload = try await addBlob(bytes(10), to: "a", store)
            _ = try await store.mount(digest, from: name("a"), to: name("b"))
            #expect(try await !store.removeBlob(digest, from: name("c")))
            #expect(try await store.removeBlob(digest, from: name("a")))
            #expect(try await !store.removeBlob(digest, from: name("a")))
            #expect(try await store.blob(digest, in: name("a")) == nil)
            #expect(try await store.blob(digest, in: name("b")) != nil)
            #expect(try await store.removals(limit: 10) == [])
            #expect(try await store.removeBlob(digest, from: name("b")))
            #expect(try await store.removals(limit: 10) == [upload.key])
            #expect(try await store.blobAnywhere(digest) == nil)
            try await store.forget([upload.key])
            #expect(try await store.removals(limit: 10) == [])
        }
    }

    @Test("of two pushes of one digest the first keeps its object, the other's goes", arguments: StoreKind.allCases)
    func deduplication(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let first = try await addBlob(bytes(10), to: "a", store)
            let second = try await addBlob(bytes(10), to: "b", store)
            #expect(try await store.blob(sha256(bytes(10)), in: name("b"))?.key == first.key)
            #expect(try await store.removals(limit: 10) == [second.key])
        }
    }

    @Test("a damaged blob is not mounted, and a new push takes its place", arguments: StoreKind.allCases)
    func repair(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            let first = try await addBlob(bytes(10), to: "a", store)
            let location = try #require(try await store.blob(digest, in: name("a")))
            try await store.markDamaged(digest, at: location)
            #expect(try await store.blob(digest, in: name("a"))?.isDamaged == true)
            #expect(try await !store.mount(digest, from: name("a"), to: name("b")))
            let second = try await addBlob(bytes(10), to: "b", store)
            #expect(try await store.removals(limit: 10) == [first.key])
            for repository in ["a", "b"] {
                let found = try #require(try await store.blob(digest, in: name(repository)))
                #expect(found.key == second.key)
                #expect(!found.isDamaged)
            }
            try await store.markDamaged(digest, at: location)
            #expect(
                try await store.blob(digest, in: name("a"))?.isDamaged == false,
                "an old location says nothing of the new one")
            try await store.confirm(digest, at: location, stamp: "old")
            #expect(try await store.blob(digest, in: name("a"))?.stamp == "s")
        }
    }

    @Test("a session belongs to one repository and one principal (CVE-2026-32589)", arguments: StoreKind.allCases)
    func sessions(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let upload = try session("a/b", bytes(100))
            try await store.begin(upload)
            let found = try #require(try await store.session(upload.id, in: name("a/b"), of: "p"))
            #expect(found.received == 100)
            #expect(found.key == upload.key)
            #expect(found.hash.digest == sha256(bytes(100)))
            #expect(try await store.session(upload.id, in: name("a"), of: "p") == nil)
            #expect(try await store.session(upload.id, in: name("a/b"), of: "q") == nil)
            #expect(try await store.session("x", in: name("a/b"), of: "p") == nil)
            #expect(try await !store.hasRepository(name("a/b")), "an upload makes no repository")
        }
    }

    @Test("progress is saved only by who knows the last one", arguments: StoreKind.allCases)
    func save(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            var upload = try session("a", [])
            try await store.begin(upload)
            upload.received = 50
            #expect(try await store.save(upload, since: 0))
            #expect(try await !store.save(upload, since: 0))
            upload.received = 60
            #expect(try await store.save(upload, since: 50))
            #expect(try await store.session(upload.id, in: name("a"), of: "p")?.received == 60)
        }
    }

    @Test("a session ends once", arguments: StoreKind.allCases)
    func end(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let upload = try session("a", bytes(10))
            try await store.begin(upload)
            #expect(try await store.cancel(upload))
            #expect(try await !store.cancel(upload))
            #expect(try await !store.finish(upload, as: sha256(bytes(10)), stamp: "s"))
            #expect(try await !store.save(upload, since: 10))
            #expect(try await store.blobAnywhere(sha256(bytes(10))) == nil)
            #expect(try await store.removals(limit: 10) == [upload.key])
        }
    }

    @Test("idle sessions expire, others stay", arguments: StoreKind.allCases)
    func expiry(kind: StoreKind) async throws {
        try await kind.withMetadata { store in
            let upload = try session("a", bytes(10))
            try await store.begin(upload)
            #expect(try await store.expireSessions(idle: .seconds(3600), inUse: []) == 0)
            #expect(try await store.session(upload.id, in: name("a"), of: "p") != nil)
            #expect(try await store.expireSessions(idle: .seconds(-3600), inUse: [upload.id]) == 0)
            #expect(try await store.expireSessions(idle: .seconds(-3600), inUse: []) == 1)
            #expect(try await store.session(upload.id, in: name("a"), of: "p") == nil)
            #expect(try await store.removals(limit: 10) == [upload.key])
        }
    }

    @Test("ids have the form they should and do not repeat")
    func ids() throws {
        let uuid = try Regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
        let ids = (0..<500).map { _ in MetadataStore.newUUID() }
        #expect(try ids.allSatisfy { try uuid.wholeMatch(in: $0) != nil })
        #expect(Set(ids).count == ids.count)
    }
}
