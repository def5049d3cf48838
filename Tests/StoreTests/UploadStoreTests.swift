import Model
import Runtime
import Store
import Testing
import Vocabulary

extension MetadataStore {
    fileprivate func blob(_ digest: Digest, in repository: String) async throws -> BlobLocation? {
        let repository = try await self.repository(repository)
        return try await read { (db) throws(StoreError) in try db.blob(digest, in: repository) }
    }

    fileprivate func mount(_ digest: Digest, from source: String, to target: String) async throws -> Bool {
        let (source, target) = (try await repository(source), try await repository(target))
        return try await write { (db) throws(StoreError) in try db.mount(digest, from: source, to: target) }
    }

    fileprivate func removeBlob(_ digest: Digest, from repository: String) async throws -> Bool {
        let repository = try await self.repository(repository)
        return try await write { (db) throws(StoreError) in try db.removeBlob(digest, from: repository) }
    }

    fileprivate func blobAnywhere(_ digest: Digest) async throws -> BlobLocation? {
        try await read { (db) throws(StoreError) in try db.blobAnywhere(digest) }
    }

    fileprivate func removals() async throws -> [StorageKey] {
        try await read { (db) throws(StoreError) in try db.removals(limit: 10) }
    }

    fileprivate func session(_ id: String, in repository: String, of principal: Int64) async throws -> UploadSession? {
        let repository = try await self.repository(repository)
        return try await read { (db) throws(StoreError) in
            try db.session(id, in: repository, of: PrincipalID(principal))
        }
    }

    fileprivate func begin(_ session: UploadSession) async throws {
        _ = try await write { (db) throws(StoreError) in try db.begin(session) }
    }

    fileprivate func save(_ session: UploadSession) async throws -> Bool {
        try await write { (db) throws(StoreError) in try db.save(session) }
    }

    fileprivate func cancel(_ session: UploadSession) async throws -> Bool {
        try await write { (db) throws(StoreError) in try db.cancel(session) }
    }

    fileprivate func expire(idle: Duration, inUse: Set<String> = []) async throws -> Int {
        let oldest = clocks.wall() - idle
        var (cursor, ended) = (SessionCursor?.none, 0)
        repeat {
            let (ids, next) = try await read { [cursor] (db) throws(StoreError) in
                try db.idleSessions(since: oldest, after: cursor, limit: 100)
            }
            let idle = ids.filter { !inUse.contains($0) }
            ended += try await write { (db) throws(StoreError) in try db.expireSessions(idle, idleSince: oldest) }
            cursor = next
        } while cursor != nil
        return ended
    }
}

@Suite("MetadataStore contract: blobs and uploads")
struct UploadStoreTests {
    @Test("a blob is found in the repositories that have it alone", arguments: DatabaseKind.allCases)
    func isolation(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let (content, digest) = (bytes(10), sha256(bytes(10)))
            let upload = try await addBlob(content, to: "a/b", store)
            let found = try #require(try await store.blob(digest, in: "a/b"))
            #expect(found == BlobLocation(key: upload.key, size: 10, stamp: "s"))
            for other in ["a", "a/c", "b", "a/b/c"] { #expect(try await store.blob(digest, in: other) == nil) }
            #expect(try await store.blobAnywhere(digest) == found)
            #expect(try await store.blobAnywhere(sha256([])) == nil)
        }
    }

    @Test("a mount needs a source that has the blob", arguments: DatabaseKind.allCases)
    func mount(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            try await addBlob(bytes(10), to: "a", store)
            #expect(try await !store.mount(digest, from: "b", to: "c"))
            #expect(try await !store.mount(sha256([]), from: "a", to: "c"))
            #expect(try await !store.hasBegun("c"))
            #expect(try await store.mount(digest, from: "a", to: "c"))
            #expect(try await store.mount(digest, from: "a", to: "c"), "again")
            #expect(try await store.mount(digest, from: "a", to: "a"), "onto itself")
            #expect(try await store.blob(digest, in: "c") != nil)
        }
    }

    @Test("the last repository to give up a blob gives up its bytes", arguments: DatabaseKind.allCases)
    func remove(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            let upload = try await addBlob(bytes(10), to: "a", store)
            _ = try await store.mount(digest, from: "a", to: "b")
            #expect(try await !store.removeBlob(digest, from: "c"))
            #expect(try await store.removeBlob(digest, from: "a"))
            #expect(try await !store.removeBlob(digest, from: "a"))
            #expect(try await store.blob(digest, in: "a") == nil)
            #expect(try await store.blob(digest, in: "b") != nil)
            #expect(try await store.removals() == [])
            #expect(try await store.removeBlob(digest, from: "b"))
            #expect(try await store.removals() == [upload.key])
            #expect(try await store.blobAnywhere(digest) == nil)
            try await store.write { (db) throws(StoreError) in try db.forget([upload.key]) }
            #expect(try await store.removals() == [])
        }
    }

    @Test("of two pushes of one digest the first keeps its object, the other's goes", arguments: DatabaseKind.allCases)
    func deduplication(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let first = try await addBlob(bytes(10), to: "a", store)
            let second = try await addBlob(bytes(10), to: "b", store)
            #expect(try await store.blob(sha256(bytes(10)), in: "b")?.key == first.key)
            #expect(try await store.removals() == [second.key])
        }
    }

    @Test("a damaged blob is not mounted, and a new push takes its place", arguments: DatabaseKind.allCases)
    func repair(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let digest = sha256(bytes(10))
            let first = try await addBlob(bytes(10), to: "a", store)
            let location = try #require(try await store.blob(digest, in: "a"))
            try await store.write { (db) throws(StoreError) in try db.condemn(digest, at: location, stamp: "d") }
            #expect(try await store.blob(digest, in: "a")?.isDamaged == true)
            #expect(try await !store.mount(digest, from: "a", to: "b"))
            let second = try await addBlob(bytes(10), to: "b", store)
            #expect(try await store.removals() == [first.key])
            for repository in ["a", "b"] {
                let found = try #require(try await store.blob(digest, in: repository))
                #expect(found.key == second.key)
                #expect(!found.isDamaged)
            }
            try await store.write { (db) throws(StoreError) in
                try db.condemn(digest, at: location, stamp: "d")
                try db.confirm(digest, at: location, stamp: "old")
            }
            let found = try await store.blob(digest, in: "a")
            #expect(found?.isDamaged == false, "an old location says nothing of the new one")
            #expect(found?.stamp == "s")
        }
    }

    @Test("a session belongs to one repository and one principal (CVE-2026-32589)", arguments: DatabaseKind.allCases)
    func sessions(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let upload = try await session("a/b", bytes(100), store)
            try await store.begin(upload)
            let found = try #require(try await store.session(upload.id, in: "a/b", of: 1))
            #expect(found.received == 100)
            #expect(found.key == upload.key)
            #expect(found.address == "192.0.2.1")
            #expect(found.hash.digest == sha256(bytes(100)))
            #expect(try await store.session(upload.id, in: "a", of: 1) == nil)
            #expect(try await store.session(upload.id, in: "a/b", of: 2) == nil)
            #expect(try await store.session("x", in: "a/b", of: 1) == nil)
            #expect(try await !store.hasBegun("a/b"), "an upload is no content")
        }
    }

    @Test("progress is saved only by who knows the last one", arguments: DatabaseKind.allCases)
    func save(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            var upload = try await session("a", [], store)
            try await store.begin(upload)
            upload.add(bytes(50))
            #expect(try await store.save(upload))
            #expect(try await !store.save(upload), "an old fence saves nothing,")
            #expect(try await !store.cancel(upload), "and ends nothing")
            upload.fence = 1
            upload.add(bytes(10))
            upload.driver = [1, 2, 3]
            #expect(try await store.save(upload))
            let found = try #require(try await store.session(upload.id, in: "a", of: 1))
            #expect(found.received == 60)
            #expect(found.driver == [1, 2, 3])
            #expect(found.fence == 2)
            #expect(found.hash.digest == sha256(bytes(50) + bytes(10)))
        }
    }

    @Test("a session ends once", arguments: DatabaseKind.allCases)
    func end(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let upload = try await session("a", bytes(10), store)
            try await store.begin(upload)
            #expect(try await store.cancel(upload))
            #expect(try await !store.cancel(upload))
            let end = try await store.write { (db) throws(StoreError) in
                try db.finish(upload, as: sha256(bytes(10)), stamp: "s")
            }
            #expect(end == .gone)
            #expect(try await !store.save(upload))
            #expect(try await store.blobAnywhere(sha256(bytes(10))) == nil)
            #expect(try await store.removals() == [upload.key])
        }
    }

    @Test("idle sessions expire, others stay", arguments: DatabaseKind.allCases)
    func expiry(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let upload = try await session("a", bytes(10), store)
            try await store.begin(upload)
            #expect(try await store.expire(idle: .seconds(3600)) == 0)
            #expect(try await store.session(upload.id, in: "a", of: 1) != nil)
            #expect(try await store.expire(idle: .seconds(-3600), inUse: [upload.id]) == 0)
            #expect(try await store.expire(idle: .seconds(-3600)) == 1)
            #expect(try await store.session(upload.id, in: "a", of: 1) == nil)
            #expect(try await store.removals() == [upload.key])
        }
    }

    @Test("of thousands of sessions every idle one expires, those in use stay", arguments: DatabaseKind.allCases)
    func manyExpire(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            var ids: [String] = []
            let first = try await session("a", [], store)
            for _ in 0..<1050 {
                let one = UploadSession(
                    id: store.ids.uuid(), repository: first.repository, principal: first.principal, address: "a",
                    key: StorageKey(store.ids.token()), received: 0, hash: ContentHash(.sha256))
                ids.append(one.id)
                _ = try await store.write { (db) throws(StoreError) in
                    var limits = UploadLimits()
                    (limits.ofAddress, limits.ofPrincipal) = (2000, 2000)
                    return try db.begin(one, limits: limits)
                }
            }
            let used = Set(ids.prefix(150) + ids.suffix(3))
            #expect(try await store.expire(idle: .seconds(-3600), inUse: used) == 1050 - used.count)
            #expect(try await store.number("SELECT COUNT(*) FROM removals") == Int64(1050 - used.count))
            for id in used { #expect(try await store.session(id, in: "a", of: 1) != nil) }
        }
    }

    @Test("an address, an account and all together have only so many uploads", arguments: DatabaseKind.allCases)
    func limits(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            let repository = try await store.repository("a")
            func begin(_ address: String, _ principal: Int64) async throws -> Bool {
                let one = UploadSession(
                    id: store.ids.uuid(), repository: repository, principal: PrincipalID(principal), address: address,
                    key: StorageKey(store.ids.token()), received: 0, hash: ContentHash(.sha256))
                return try await store.write { (db) throws(StoreError) in
                    var limits = UploadLimits()
                    (limits.ofAddress, limits.ofPrincipal, limits.inAll) = (2, 3, 7)
                    return try db.begin(one, limits: limits, anonymous: PrincipalID(0))
                }
            }
            for _ in 0..<2 { #expect(try await begin("x", 1)) }
            for who in 1...2 { #expect(try await !begin("x", Int64(who)), "the address has as many as it may") }
            #expect(try await begin("y", 1))
            #expect(try await !begin("z", 1), "the account has as many as it may")
            for address in ["a", "b", "c", "d"] {
                #expect(try await begin(address, 0), "nobody in particular is not counted")
            }
            #expect(try await !begin("e", 5), "all together have as many as they may")
        }
    }

    @Test("a state that was changed, or is another session's, is refused", arguments: DatabaseKind.allCases)
    func tampered(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            var mine = try await session("a", bytes(100), store)
            mine.driver = [1, 2, 3]
            let other = try await session("a", bytes(100, seed: 2), store)
            try await store.begin(mine)
            try await store.begin(other)
            let (id, otherID) = (mine.id, other.id)
            func isRefused(_ change: String, _ values: [SQLValue]) async throws -> Bool {
                let before = try await store.read { (db) throws(StoreError) in
                    let row = try db.rows(
                        "SELECT hash_state, received, driver_state, storage_key, algorithm FROM upload_sessions WHERE id = $1",
                        [.text(id)]
                    ).first
                    guard let row else { throw StoreError(.missing, "no session") }
                    return [
                        SQLValue.bytes(try row.bytes(0)), .integer(try row.integer(1)), .bytes(try row.bytes(2)),
                        .text(try row.text(3)), .text(try row.text(4)),
                    ]
                }
                _ = try await store.write { (db) throws(StoreError) in
                    try db.execute("UPDATE upload_sessions SET \(change) WHERE id = $1", [.text(id)] + values)
                }
                let code = await storeError { _ = try await store.session(id, in: "a", of: 1) }
                _ = try await store.write { (db) throws(StoreError) in
                    try db.execute(
                        """
                        UPDATE upload_sessions SET hash_state = $2, received = $3, driver_state = $4, storage_key = $5,
                        algorithm = $6 WHERE id = $1
                        """, [.text(id)] + before)
                }
                #expect(try await store.session(id, in: "a", of: 1)?.hash.digest == sha256(bytes(100)))
                return code == .unusable
            }
            #expect(try await isRefused("received = $2", [.integer(99)]))
            #expect(try await isRefused("driver_state = $2", [.bytes([1, 2, 4])]))
            #expect(try await isRefused("storage_key = $2", [.text("aa/bb")]))
            #expect(try await isRefused("algorithm = $2", [.text("sha512")]))
            #expect(try await isRefused("hash_state = $2", [.bytes([])]))
            #expect(
                try await isRefused(
                    "hash_state = (SELECT hash_state FROM upload_sessions WHERE id = $2)", [.text(otherID)]))
            let state = mine.hash.state
            for at in stride(from: 0, to: state.count + 32, by: 7) {
                let sealed = try await store.read { (db) throws(StoreError) in
                    try db.rows("SELECT hash_state FROM upload_sessions WHERE id = $1", [.text(id)]).first?.bytes(0)
                        ?? []
                }
                var bad = sealed
                bad[at] ^= 1
                #expect(try await isRefused("hash_state = $2", [.bytes(bad)]), "byte \(at)")
            }
        }
    }

    @Test("counters say what repositories and namespaces hold", arguments: DatabaseKind.allCases)
    func usage(kind: DatabaseKind) async throws {
        try await kind.withMetadata { store in
            func counters() async throws -> [Int64] {
                var counters: [Int64] = []
                for sql in [
                    "SELECT repositories FROM namespaces", "SELECT blob_bytes FROM namespaces",
                    "SELECT manifest_bytes FROM namespaces", "SELECT SUM(blobs) FROM repositories",
                    "SELECT SUM(blob_bytes) FROM repositories", "SELECT SUM(manifests) FROM repositories",
                ] { counters.append(try await store.number(sql) ?? -1) }
                return counters
            }
            try await addBlob(bytes(10), to: "n/a", store)
            try await addBlob(bytes(10), to: "n/a", store)
            #expect(try await counters() == [1, 10, 0, 1, 10, 0])
            _ = try await store.mount(sha256(bytes(10)), from: "n/a", to: "n/b")
            #expect(try await counters() == [2, 10, 0, 2, 20, 0], "a namespace pays once")
            let size = Int64(manifest("m").bytes.count)
            try await push("n/a", "m", tags: ["t"], to: store)
            try await push("n/a", "m", tags: ["u"], to: store)
            #expect(try await counters() == [2, 10, size, 2, 20, 1])
            #expect(try await store.remove(.digest(manifest("m").digest), from: "n/a") == .removed)
            #expect(try await store.removeBlob(sha256(bytes(10)), from: "n/a"))
            #expect(try await counters() == [2, 10, 0, 1, 10, 0])
            #expect(try await store.removeBlob(sha256(bytes(10)), from: "n/b"))
            #expect(try await counters() == [2, 0, 0, 0, 0, 0])
        }
    }

    @Test("ids have the form they should and do not repeat")
    func ids() throws {
        let uuid = try Regex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")
        let ids = (0..<500).map { _ in IDSource().uuid() }
        #expect(try ids.allSatisfy { try uuid.wholeMatch(in: $0) != nil })
        #expect(Set(ids).count == ids.count)
    }
}

extension UploadSession {
    /// Takes in bytes that have become durable.
    fileprivate mutating func add(_ content: [UInt8]) {
        content.withUnsafeBytes { hash.update($0) }
        received += Int64(content.count)
    }
}
