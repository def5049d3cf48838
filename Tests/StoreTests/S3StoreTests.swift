import Foundation
import Model
import Runtime
import S3Driver
import Store
import Synchronization
import Testing

private let megabyte = 1 << 20

@Suite("S3: store", .enabled(if: S3Server.endpoint != nil, S3Server.missing))
struct S3StoreTests {
    private func open(_ settings: S3Settings, id: String? = nil) async throws -> S3BlobStore {
        try await S3BlobStore.open(settings, credentials: S3Server.keys, id: id)
    }

    @Test("objects of every length round a part's are written whole, in one piece or many")
    func borders() async throws {
        let settings = try S3Server.settings()
        let store = try await open(settings)
        defer { store.close() }
        let part = settings.partSize
        let content = bulk(2 * part + 1)
        for count in [S3StoreTests.small - 1, S3StoreTests.small + 1, part - 1, part, part + 1, 2 * part, 2 * part + 1]
        {
            for piece in [count, 700_001] {
                let (key, whole) = (store.newKey(), Array(content[..<count]))
                let witness = try await write(whole, as: key, to: store, piece: piece)
                let object = try await store.open(key)
                #expect(object.size == Int64(count) && object.witness == witness, "\(count)")
                #expect(try await object.digest(.sha256) == sha256(whole), "\(count)")
            }
        }
        #expect(try await S3Server.contents(of: settings).uploads == [])
    }

    private static let small = 64 << 10

    @Test(
        "a large upload goes on at any byte, on another node each time, and leaves nothing but its object",
        arguments: Digest.Algorithm.allCases)
    func nodes(algorithm: Digest.Algorithm) async throws {
        let settings = try S3Server.settings()
        let first = try await open(settings)
        let second = try await open(settings, id: first.id)
        defer { for store in [first, second] { store.close() } }
        let content = bulk(17 * megabyte + 4321, seed: 7)
        let key = first.newKey()
        var (state, leftovers, last) = (UploadState(algorithm), Set<StorageKey>(), 0)
        let cuts = [
            10_000, 40_000, 200_000, 300_000, 310_000, 6 * megabyte, 6 * megabyte + 1, 12 * megabyte,
            12 * megabyte + 100_000,
            15 * megabyte, content.count,
        ]
        for (index, cut) in cuts.enumerated() {
            let store = index.isMultiple(of: 2) ? first : second
            let upload = try await store.upload(key, from: state)
            try await upload.append([Array(content[last..<cut])])
            state = try await upload.suspend()
            let hash = try #require(ContentHash(algorithm, state: state.hash.state))
            state = UploadState(offset: state.offset, hash: hash, driver: state.driver)
            leftovers.formUnion(try store.leftovers(key, state.driver, isFinished: false))
            last = cut
        }
        let upload = try await second.upload(key, from: state)
        _ = try await upload.finish()
        #expect(upload.state.hash.digest == ContentHash.digest(algorithm, of: content))
        let ends = try second.leftovers(key, state.driver, isFinished: true)
        #expect(ends.count == 2, "the last rest and the one before it")
        _ = try await second.remove(ends) { Issue.record("\($0): \($1.cause)") }
        let left = try await S3Server.contents(of: settings)
        #expect(left.objects == ["blobs/\(key)"] && left.uploads == [], "\(left)")
        let object = try await first.open(key)
        #expect(try await object.digest(algorithm) == ContentHash.digest(algorithm, of: content))
        let range = Int64(5 * megabyte - 3)..<Int64(11 * megabyte)
        #expect(try await read(object, range) == Array(content[Int(range.lowerBound)..<Int(range.upperBound)]))
    }

    @Test(
        "what was begun is told before it can be lost, and what is left of a cancelled upload can be removed from that alone"
    )
    func cancelled() async throws {
        let settings = try S3Server.settings()
        let store = try await open(settings)
        defer { store.close() }
        let key = store.newKey()
        let upload = try await store.upload(key, from: UploadState(.sha256))
        try await upload.append([bulk(5 * megabyte)])
        #expect(upload.begun == nil, "a blob of one part needs none")
        try await upload.append([bulk(6 * megabyte)])
        let begun = try #require(upload.begun)
        // Its process dies; another one knows what was told.
        try await eventually { try await S3Server.contents(of: settings).uploads == ["blobs/\(key)"] }
        #expect(try await store.keys(after: nil, limit: 10) == [key])
        let left = try store.leftovers(key, begun, isFinished: false)
        #expect(left.count == 1)
        for _ in 0..<2 {
            let gone = try await store.remove([key] + left) { Issue.record("\($0): \($1.cause)") }
            #expect(Set(gone) == Set([key] + left))
        }
        let contents = try await S3Server.contents(of: settings)
        #expect(contents.objects == [] && contents.uploads == [])
        // The old writer is fenced off by that.
        #expect(await storeError { _ = try await upload.finish() } != nil)
        #expect(await storeError { _ = try await store.open(key) } == .missing)
        // A suspended one with a rest in an object of its own.
        let otherKey = store.newKey()
        let other = try await store.upload(otherKey, from: UploadState(.sha256))
        try await other.append([bulk(7 * megabyte)])
        let state = try await other.suspend()
        let leftovers = try store.leftovers(otherKey, state.driver, isFinished: false)
        #expect(leftovers.count == 2)
        _ = try await store.remove(leftovers) { Issue.record("\($0): \($1.cause)") }
        #expect(try await S3Server.contents(of: settings).objects == [])
    }

    @Test("an upload that gives up leaves nothing")
    func abort() async throws {
        let settings = try S3Server.settings()
        let store = try await open(settings)
        defer { store.close() }
        let upload = try await store.upload(store.newKey(), from: UploadState(.sha256))
        try await upload.append([bulk(21 * megabyte)])
        try await upload.abort()
        let contents = try await S3Server.contents(of: settings)
        #expect(contents.objects == [] && contents.uploads == [])
    }

    @Test("what has come is kept also for a client that has gone, whose task is over")
    func gone() async throws {
        let settings = try S3Server.settings()
        let store = try await open(settings)
        defer { store.close() }
        let key = store.newKey()
        let upload = try await store.upload(key, from: UploadState(.sha256))
        try await upload.append([bulk(100_000)])
        let task = Task { () async throws -> UploadState in
            while !Task.isCancelled { await Task.yield() }
            return try await upload.suspend()
        }
        task.cancel()
        let state = try await task.value
        #expect(state.offset == 100_000)
        let finishing = Task { () async throws -> String in
            while !Task.isCancelled { await Task.yield() }
            return try await store.upload(key, from: state).finish()
        }
        finishing.cancel()
        #expect(try await finishing.value == store.open(key).witness)
    }

    @Test("who was taken over from cannot change what the other one made", arguments: [1000, 11 * megabyte])
    func fenced(count: Int) async throws {
        let settings = try S3Server.settings()
        let store = try await open(settings)
        let other = try await open(settings, id: store.id)
        defer { for store in [store, other] { store.close() } }
        let key = store.newKey()
        let (mine, theirs) = (bulk(count, seed: 1), bulk(count, seed: 2))
        let late = try await store.upload(key, from: UploadState(.sha256))
        try await late.append([theirs])
        // The same state, in which what the first one has begun may be known or not.
        var state = UploadState(.sha256)
        state.driver = late.begun ?? []
        let upload = try await other.upload(key, from: state)
        try await upload.append([mine])
        _ = try await upload.finish()
        #expect(await storeError { _ = try await late.finish() } != nil)
        let unknowing = try await store.upload(key, from: UploadState(.sha256))
        try await unknowing.append([theirs])
        #expect(await storeError { _ = try await unknowing.finish() } == .conflict)
        #expect(try await read(other.open(key)) == mine)
        // The same bytes again are what is there: the answer to the first time may have been lost.
        let again = try await store.upload(key, from: UploadState(.sha256))
        try await again.append([mine])
        #expect(try await again.finish() == other.open(key).witness)
    }

    @Test("a state that says more than is there, or has been changed, is refused")
    func states() async throws {
        let store = try await open(try S3Server.settings())
        defer { store.close() }
        let key = store.newKey()
        let first = try await store.upload(key, from: UploadState(.sha256))
        try await first.append([bulk(100_000)])
        let state = try await first.suspend()
        for offset in [99_999, 100_001] as [Int64] {
            let wrong = UploadState(offset: offset, hash: state.hash, driver: state.driver)
            #expect(await storeError { _ = try await store.upload(key, from: wrong) } == .missing)
        }
        for length in 0..<state.driver.count {
            let wrong = UploadState(offset: state.offset, hash: state.hash, driver: Array(state.driver.prefix(length)))
            let code = await storeError { _ = try await store.upload(key, from: wrong) }
            #expect(code == (length == 0 ? .missing : .unusable))
        }
        // The bytes behind it are others by now.
        _ = try await store.remove([key]) { _, _ in }
        try await write(bulk(100_000, seed: 9), as: key, to: store)
        let resumed = try await store.upload(key, from: state)
        #expect(await storeError { try await resumed.append([bulk(1)]) } == .missing)
    }

    @Test("a bucket that does not hold the store serves nothing until it does")
    func marker() async throws {
        let settings = try S3Server.settings()
        // Whoever is first makes it.
        let ids = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<6 {
                group.addTask {
                    let store = try await open(settings)
                    defer { store.close() }
                    return store.id
                }
            }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(ids.count == 1)
        let store = try await open(settings)
        let key = store.newKey()
        try await write(bulk(10), as: key, to: store)
        let client = try S3Client.of(settings, S3Server.keys)
        defer { client.close() }
        let marker = settings.prefix + "/store-id"
        for replacement in [nil, "another\n"] {
            #expect(try await client.delete([marker]).isEmpty)
            if let replacement { _ = try await client.put(marker, S3Body(hashing: Array(replacement.utf8))) }
            let second = try await open(settings, id: store.id)
            #expect(await storeError { try await store.check() } == .unavailable)
            for store in [store, second] {
                #expect(await storeError { try await store.check() } == .unavailable)
                #expect(await storeError { _ = try await store.open(key) } == .unavailable)
                #expect(
                    await storeError { _ = try await store.upload(store.newKey(), from: UploadState(.sha256)) }
                        == .unavailable)
                #expect(await storeError { _ = try await store.remove([key]) { _, _ in } } == .unavailable)
                #expect(await storeError { _ = try await store.keys(after: nil, limit: 1) } == .unavailable)
            }
            second.close()
        }
        #expect(try await client.delete([marker]).isEmpty)
        _ = try await client.put(marker, S3Body(hashing: Array("\(store.id)\n".utf8)))
        try await store.check()
        #expect(try await read(store.open(key)) == bulk(10))
        store.close()
        var elsewhere = S3Settings(bucket: "aerugo-none", region: settings.region, endpoint: settings.endpoint)
        elsewhere.prefix = settings.prefix
        #expect(await storeError { _ = try await open(elsewhere) } == .unavailable)
    }

    @Test("more uploads at once than there is memory for wait for each other, and all come to their end")
    func crowd() async throws {
        var settings = try S3Server.settings()
        settings.memory = 2 * settings.partSize
        let store = try await open(settings)
        defer { store.close() }
        let content = bulk(11 * megabyte + 77)
        let digest = sha256(content)
        try await withThrowingTaskGroup(of: StorageKey.self) { group in
            for _ in 0..<12 {
                group.addTask {
                    let key = store.newKey()
                    try await write(content, as: key, to: store, piece: 300_000)
                    return key
                }
            }
            for try await key in group { #expect(try await store.open(key).digest(.sha256) == digest) }
        }
    }

    @Test("who fills a part slowly gives its memory to who waits for some, and goes on behind")
    func slowClient() async throws {
        var settings = try S3Server.settings()
        settings.memory = settings.partSize
        let later = Mutex(Duration.zero)
        let clocks = Clocks(
            wall: Clocks.system.wall, uptime: { Clocks.system.uptime() + later.withLock { $0 } })
        let store = try await S3BlobStore.open(settings, credentials: S3Server.keys, clocks: clocks)
        defer { store.close() }
        let (slowKey, quickKey) = (store.newKey(), store.newKey())
        let (slowly, quickly) = (bulk(7 * megabyte, seed: 3), bulk(6 * megabyte, seed: 4))
        let slow = try await store.upload(slowKey, from: UploadState(.sha256))
        try await slow.append([Array(slowly[..<megabyte])])
        let quick = Task { try await write(quickly, as: quickKey, to: store) }
        later.withLock { $0 = .seconds(11) }
        var sent = megabyte
        while slow.begun == nil {
            try await slow.append([[slowly[sent]]])
            sent += 1
        }
        #expect(sent < 2 * megabyte)
        _ = try await quick.value
        #expect(try await store.open(quickKey).digest(.sha256) == sha256(quickly))
        #expect(try store.leftovers(slowKey, try #require(slow.begun), isFinished: false).count == 1)
        try await slow.append([Array(slowly[sent...])])
        let state = try await slow.suspend()
        let resumed = try await store.upload(slowKey, from: state)
        _ = try await resumed.finish()
        #expect(try await store.open(slowKey).digest(.sha256) == sha256(slowly))
        let left = try store.leftovers(slowKey, state.driver, isFinished: true)
        _ = try await store.remove(left) { Issue.record("\($0): \($1.cause)") }
        let objects = try await S3Server.contents(of: settings).objects
        #expect(Set(objects) == ["blobs/\(slowKey)", "blobs/\(quickKey)"])
    }

    @Test("a URL for a client reads the object, any range of it, with no more than the URL; and not for another")
    func links() async throws {
        var settings = try S3Server.settings()
        settings.linkLife = .seconds(60)
        let store = try await open(settings)
        defer { store.close() }
        let (key, other) = (store.newKey(), store.newKey())
        for key in [key, other] { try await write(bulk(1000), as: key, to: store) }
        guard case .redirect(let url) = try await store.open(key).delivery(of: 0..<1000, redirects: true) else {
            Issue.record("no redirect")
            return
        }
        #expect(url.contains("X-Amz-Expires=60&"))
        func get(_ url: String, _ headers: String = "") -> String {
            let target = String(url.dropFirst("\(settings.endpoint)".count))
            let head = "GET \(target) HTTP/1.1\r\nHost: \(settings.endpoint.host)\r\n\(headers)\r\n"
            let request = HTTPStub.Request(
                method: "GET", target: target, headers: [:], body: [], head: Array(head.utf8))
            return String(decoding: HTTPStub.forward(request, to: S3Server.port), as: UTF8.self)
        }
        #expect(get(url).hasPrefix("HTTP/1.1 200"))
        #expect(get(url).contains("Content-Type: application/octet-stream"))
        #expect(get(url, "Range: bytes=10-19\r\n").hasPrefix("HTTP/1.1 206"))
        #expect(get(url.replacing("\(key)", with: "\(other)")).hasPrefix("HTTP/1.1 403"))
        settings.redirects = false
        let proxying = try await open(settings, id: store.id)
        defer { proxying.close() }
        guard case .stream = try await proxying.open(key).delivery(of: 0..<1000, redirects: true) else {
            Issue.record("a redirect that was switched off")
            return
        }
    }

    @Test("URLs are those of the public endpoint, and of the way that the bucket is addressed")
    func addresses() async throws {
        var settings = S3Settings(bucket: "b", region: "eu-1")
        #expect("\(settings.endpoint)" == "https://s3.eu-1.amazonaws.com")
        settings.prefix = "p"
        let client = try S3Client.of(settings, S3Server.keys)
        defer { client.close() }
        #expect(try await client.link(to: "k/1").hasPrefix("https://b.s3.eu-1.amazonaws.com/k/1?X-Amz-Algorithm="))
        settings.publicEndpoint = S3Endpoint("HTTPS://Blobs.example.com:443/")
        settings.addressing = .path
        let other = try S3Client.of(settings, S3Server.keys)
        defer { other.close() }
        #expect(try await other.link(to: "k/1").hasPrefix("https://blobs.example.com/b/k/1?X-Amz-Algorithm="))
        for text in [
            "", "s3.example.com", "ftp://a", "http://", "http://a/b", "http://a?b", "http://u@a", "http://a b",
        ] {
            #expect(S3Endpoint(text) == nil, "\(text)")
        }
    }

    @Test("wrong keys are an error that has none of them in it")
    func wrongKeys() async throws {
        var keys = S3Server.keys
        keys.fixed = S3Credentials(accessKeyID: "AKIANOBODY", secretAccessKey: "a-wrong-secret")
        let settings = try S3Server.settings()
        do throws(StoreError) {
            _ = try await S3BlobStore.open(settings, credentials: keys)
            Issue.record("it opened")
        } catch {
            #expect(error.code == .unavailable)
            #expect(error.cause.contains("InvalidAccessKeyId"), "\(error.cause)")
            #expect(!error.cause.contains("a-wrong-secret"))
        }
    }
}
