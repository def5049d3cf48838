import Drivers
import Model
import Store
import Testing
import Vocabulary

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
            try await store.markDamaged(digest, at: location, stamp: "d")
            #expect(try await store.blob(digest, in: name("a"))?.isDamaged == true)
            #expect(try await !store.mount(digest, from: name("a"), to: name("b")))
            let second = try await addBlob(bytes(10), to: "b", store)
            #expect(try await store.removals(limit: 10) == [first.key])
            for repository in ["a", "b"] {
                let found = try #require(try await store.blob(digest, in: name(repository)))
                #expect(found.key == second.key)
                #expect(!found.isDamaged)
            }
            try await store.markDamaged(digest, at: location, stamp: "d")
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
            #expect(try await store.finish(upload, as: sha256(bytes(10)), stamp: "s") == .gone)
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
