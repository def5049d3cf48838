import Foundation
import Glibc
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Synchronization
import Testing
import Vocabulary

@Suite("Faults of the storage")
struct StorageFaultTests {
    @Test("an error on reading is 503 and passes: it condemns no blob, however often it is met")
    func passes() async throws {
        let store = ProbeStore()
        try await TestServer.with(blobs: store) { server in
            let client = server.client()
            let content = Content.bytes(5000)
            let digest = try await client.push(content, to: "a")
            let target = "/v2/a/blobs/\(digest)"
            for code in [StoreError.Code.missing, .unavailable, .overloaded, .full, .damaged] {
                store.set { $0.failure = StoreError(code, "told to") }
                for _ in 0..<3 {
                    let answer = try await client.get(target)
                    try expect(answer, 503, ErrorCode.unavailable)
                    #expect(answer["Retry-After"] == "1")
                    #expect(try await client.head(target).status == 503)
                }
                store.set { $0.failure = nil }
                #expect(try await client.get(target).body == content, "\(code) has passed")
            }
            #expect(store.readings == 0, "nothing touched it, so nothing is read")
        }
    }

    @Test("an error in mid-reading of a touched blob is 503 and passes")
    func touchedAndFailing() async throws {
        let store = ProbeStore()
        try await TestServer.with(blobs: store) { server in
            let client = server.client()
            let content = Content.bytes(5000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            let gate = Gate()
            try await store.touch("touched")
            store.set { $0.gate = gate }
            async let answer = server.client().get(target)
            try await eventually("the blob is being read") { gate.waiting == 1 }
            store.set { $0.failure = StoreError(.unavailable, "told to") }
            gate.open()
            #expect(try await answer.status == 503)
            store.set { $0.failure = nil }
            #expect(try await client.get(target).body == content)
        }
    }

    @Test("an upload is unknown where it is not there, never because the database cannot be read")
    func unreadable() async throws {
        let database = FailingDatabase(try SQLiteDatabase(path: nil))
        try await TestServer.with(database: database) { server in
            let client = server.client()
            let location = try await client.begin("a")
            for code in [StoreError.Code.damaged, .unavailable, .missing, .full, .overloaded] {
                database.failure.withLock { $0 = code }
                for (method, target) in [
                    ("GET", location), ("PATCH", location), ("PUT", location + "?digest=" + Content.digest([])),
                ] {
                    let answer = try await client.send(method, target, body: method == "GET" ? nil : [])
                    #expect(answer.status >= 500, "\(method) \(code)")
                }
                database.failure.withLock { $0 = nil }
                #expect(try await client.get(location).status == 204)
            }
        }
    }

    /// A database whose reads fail while a test says so.
    private final class FailingDatabase: SQLDatabase {
        let dialect = SQLDialect.sqlite
        let failure = Mutex<StoreError.Code?>(nil)
        private let database: SQLiteDatabase

        init(_ database: SQLiteDatabase) { self.database = database }

        func read<T: Sendable>(
            _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
        ) async throws(StoreError) -> T {
            if let code = failure.withLock({ $0 }) { throw StoreError(code, "told to") }
            return try await database.read(body)
        }

        func write<T: Sendable>(
            _ body: @Sendable @escaping (any SQLConnection) throws(StoreError) -> T
        ) async throws(StoreError) -> T { try await database.write(body) }
    }

    @Test("a hundred requests for a blob that was touched read it once, and other blobs are served meanwhile")
    func herd() async throws {
        let store = ProbeStore()
        var limits = Registry.Limits()
        limits.readingTime = .seconds(600)
        try await TestServer.with(limits: limits, blobs: store) { server in
            let client = server.client()
            let content = Content.bytes(200_000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            #expect(try await client.head(target).status == 200)
            let gate = Gate()
            try await store.touch("touched")
            store.set { $0.gate = gate }
            try await withThrowingTaskGroup { group in
                for _ in 0..<100 {
                    group.addTask {
                        let answer = try await server.client().head(target)
                        #expect(answer.status == 200)
                    }
                }
                try await eventually("the blob is being read") { gate.waiting == 1 }
                store.set { $0.gate = nil }
                let other = Content.bytes(1000, seed: 2)
                let digest = try await client.push(other, to: "a")
                #expect(try await client.get("/v2/a/blobs/\(digest)").body == other)
                #expect(store.readings == 1)
                gate.open()
                try await group.waitForAll()
            }
            #expect(store.readings == 1)
            #expect(try await client.get(target).body == content)
            #expect(store.readings == 1, "what was found is kept")
        }
    }

    @Test("a damaged blob is 404, is looked at again when it is touched, and is served once its bytes are back")
    func secondLook() async throws {
        let store = ProbeStore()
        try await TestServer.with(blobs: store) { server in
            let client = server.client()
            let content = Content.bytes(5000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            let other = try Digest.parse(Content.digest([1]))
            try await store.touch("damaged")
            store.set { $0.substitute = other }
            for _ in 0..<5 { #expect(try await client.head(target).status == 404) }
            // Once for the damage, once for the second look, and no more within its minute.
            #expect(store.readings == 2)
            try await store.touch("restored")
            store.set { $0.substitute = nil }
            #expect(try await client.get(target).body == content)
            #expect(try await client.get(target).body == content)
            #expect(store.readings == 3)
        }
    }

    @Test("a push repairs what cannot be read, without reading it")
    func repair() async throws {
        let store = ProbeStore()
        try await TestServer.with(blobs: store) { server in
            let client = server.client()
            let content = Content.bytes(5000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            store.set { $0.failure = StoreError(.missing, "told to") }
            #expect(try await client.head(target).status == 503)
            try await client.push(content, to: "b")
            store.set { $0.failure = nil }
            #expect(try await client.get(target).body == content)
            #expect(try await client.get("/v2/b/blobs/\(Content.digest(content))").body == content)
            #expect(store.readings == 0)
        }
    }

    @Test("what a store has no file for is sent in pieces: whole, in part, to slow readers and behind each other")
    func streams() async throws {
        try await TestServer.with(blobs: ProbeStore(isStreamed: true)) { server in
            let client = server.client()
            let content = Content.bytes(3_000_000)
            let target = "/v2/a/blobs/\(try await client.push(content, to: "a"))"
            for _ in 0..<2 { #expect(try await client.get(target).body == content) }
            let part = try await client.get(target, ["Range: bytes=1000000-1999999"])
            #expect(part.status == 206)
            #expect(part.body == Array(content[1_000_000..<2_000_000]))
            #expect(try await client.head(target)["Content-Length"] == "3000000")
            let slow = try server.wire(receiveBuffer: 4096)
            let request = "GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n"
            try await slow.send(request + request)
            for _ in 0..<2 { #expect(try await slow.answer().body == content) }
        }
    }

    @Test(
        "blobs that are not mounted at the start, or vanish later, are not ready and not lost",
        arguments: [true, false])
    func notMounted(atStart: Bool) async throws {
        let scratch = try Scratch()
        var program = try await Program.serve(scratch)
        let content = Content.bytes(50_000)
        let digest = try await program.client().push(content, to: "a")
        let (blobs, away) = ("\(scratch.path)/data/blobs", "\(scratch.path)/away")
        if atStart {
            program.signal(SIGTERM)
            _ = try await program.waitForEnd()
        }
        try FileManager.default.moveItem(atPath: blobs, toPath: away)
        try FileManager.default.createDirectory(atPath: blobs, withIntermediateDirectories: false)
        if atStart { program = try await Program.serve(scratch) }
        let client = try program.client()
        try await eventually("it is not ready") { try await client.get("/readyz").status == 503 }
        #expect(try await client.get("/healthz").status == 200)
        for _ in 0..<3 { #expect(try await client.get("/v2/a/blobs/\(digest)").status == 503) }
        for target in ["/v2/", "/v2/_catalog", "/v2/a/tags/list", "/v2/a/manifests/t"] {
            try expect(await client.get(target), 503, ErrorCode.unavailable, "nothing is served: \(target)")
        }
        #expect(try await client.send("POST", "/v2/a/blobs/uploads/?digest=\(digest)", body: content).status == 503)
        try FileManager.default.removeItem(atPath: blobs)
        try FileManager.default.moveItem(atPath: away, toPath: blobs)
        try await eventually("it is ready") { try await client.get("/readyz").status == 200 }
        #expect(try await client.get("/v2/a/blobs/\(digest)").body == content)
    }

    @Test(
        "a folder or a pipe in a blob's place is told, holds up nobody, and a push repairs it",
        arguments: [true, false])
    func intruders(isPipe: Bool) async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let client = try program.client()
        let content = Content.bytes(50_000)
        let digest = try await client.push(content, to: "a")
        let file = try #require(scratch.files("data/blobs").first)
        try FileManager.default.removeItem(atPath: file)
        #expect((isPipe ? mkfifo(file, 0o600) : mkdir(file, 0o700)) == 0)
        for _ in 0..<12 { #expect(try await client.get("/v2/a/blobs/\(digest)").status == 503) }
        try await eventually("the log tells") {
            program.log.contains("not a regular file") || program.log.contains("Is a directory")
        }
        try await client.push(content, to: "a")
        #expect(try await client.get("/v2/a/blobs/\(digest)").body == content)
    }
}
