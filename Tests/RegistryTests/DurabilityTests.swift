import Foundation
import Glibc
import Synchronization
import Testing
import Vocabulary

@Suite("What was acknowledged stays", .takesTurns)
struct DurabilityTests {
    /// The image number `index`: two layers and a manifest.
    private static func image(_ index: Int) -> (layers: [[UInt8]], manifest: [UInt8]) {
        let layers = [Content.bytes(20_000 + index, seed: index + 1), Content.bytes(300, seed: index + 1001)]
        return (layers, Content.image("\(index)", layers: layers))
    }

    /// Numbers of the images that were answered with 201.
    private final class Acknowledged: Sendable {
        private let numbers = Mutex<Set<Int>>([])

        var all: Set<Int> { numbers.withLock { $0 } }

        /// Gives how many there are now.
        func add(_ number: Int) -> Int {
            numbers.withLock { numbers in
                numbers.insert(number)
                return numbers.count
            }
        }
    }

    @Test("kill -9 in the middle of 200 pushes: what was acknowledged is whole, what was not is whole or not there")
    func kill9() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let acknowledged = Acknowledged()
        await withTaskGroup { group in
            for worker in 0..<4 {
                group.addTask {
                    do {
                        let client = try program.client()
                        try await client.push(Content.config, to: "r\(worker)")
                        for index in stride(from: worker, to: 200, by: 4) {
                            let (layers, manifest) = Self.image(index)
                            for layer in layers {
                                let location = try await client.begin("r\(worker)")
                                _ = try await client.send("PATCH", location, body: layer)
                                let put = try await client.send("PUT", "\(location)?digest=\(Content.digest(layer))")
                                guard put.status == 201 else { throw WireError(description: "\(put.status)") }
                            }
                            try await client.put(manifest, "r\(worker)", "t\(index)")
                            if acknowledged.add(index) == 90 { program.signal(SIGKILL) }
                        }
                    } catch {
                        // The program was killed under this client: that is what the test is about.
                    }
                }
            }
        }
        #expect(try await program.waitForEnd() == -SIGKILL)
        let done = acknowledged.all
        #expect(done.count >= 90 && done.count < 200)

        let again = try await Program.serve(scratch)
        let client = try again.client()
        for index in 0..<200 {
            let (layers, manifest) = Self.image(index)
            let repository = "r\(index % 4)"
            let answer = try await client.get("/v2/\(repository)/manifests/t\(index)")
            if done.contains(index) { #expect(answer.status == 200, "t\(index) was acknowledged") }
            if answer.status == 200 {
                #expect(answer.body == manifest)
                #expect(
                    try await client.get("/v2/\(repository)/manifests/\(Content.digest(manifest))").body == manifest)
            }
            for layer in layers {
                let blob = try await client.get("/v2/\(repository)/blobs/\(Content.digest(layer))")
                if answer.status == 200 { #expect(blob.status == 200) }
                if blob.status == 200 { #expect(blob.body == layer) } else { #expect(blob.status == 404) }
            }
        }
        let tags = try await client.get("/v2/r0/tags/list").texts("tags")
        for tag in tags { #expect(try await client.get("/v2/r0/manifests/\(tag)").status == 200) }
        try await client.pushImage("r0", "after")
        #expect(again.end() == nil)
    }

    @Test("an upload that was in progress at a kill -9 goes on where it was")
    func resume() async throws {
        let scratch = try Scratch()
        let content = Content.bytes(600_000)
        let first = try await Program.serve(scratch)
        let location = try await first.client().begin("a", "?digest-algorithm=sha512")
        #expect(try await first.client().send("PATCH", location, body: Array(content[..<200_001])).status == 202)
        let wire = try Wire(port: #require(first.port))
        try await wire.send(
            "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 399999\r\n\r\n")
        #expect(try await wire.answer().status == 100)
        try await wire.send(Array(content[200_001..<500_000]))
        first.signal(SIGKILL)
        _ = try await first.waitForEnd()
        let again = try await Program.serve(scratch)
        let client = try again.client()
        let range = try #require(try await client.get(location)["Range"])
        let received = try #require(Int(range.dropFirst(2))) + 1
        #expect(received >= 200_001)
        let answer = try await client.send(
            "PATCH", location, ["Content-Range: \(received)-599999"], body: Array(content[received...]))
        #expect(answer.status == 202)
        let digest = Content.digest(content, "sha512")
        #expect(try await client.send("PUT", "\(location)?digest=\(digest)").status == 201)
        #expect(try await client.get("/v2/a/blobs/\(digest)").body == content)
        #expect(again.end() == nil)
    }

    /// The one file of the blob store that holds exactly these bytes.
    private static func file(_ scratch: Scratch, _ content: [UInt8]) throws -> String {
        try #require(scratch.files("data/blobs").first { FileManager.default.contents(atPath: $0) == Data(content) })
    }

    enum Damage: String, CaseIterable, Sendable {
        case flippedFirst, flippedLast, truncated, emptied, extended, deleted, replaced

        func apply(_ file: String) throws {
            guard self != .deleted else { return try FileManager.default.removeItem(atPath: file) }
            var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
            switch self {
            case .flippedFirst: bytes[0] ^= 1
            case .flippedLast: bytes[bytes.count - 1] ^= 0x80
            case .truncated: bytes.removeLast()
            case .emptied: bytes = Data()
            case .extended: bytes.append(0)
            case .deleted: break
            case .replaced: bytes = Data(Content.bytes(bytes.count, seed: 999))
            }
            if self == .replaced { return try bytes.write(to: URL(fileURLWithPath: file), options: .atomic) }
            let handle = try #require(FileHandle(forUpdatingAtPath: file))
            try handle.truncate(atOffset: 0)
            try handle.write(contentsOf: bytes)
            try handle.close()
        }
    }

    @Test(
        "damaged bytes are never served, are told, and are repaired by a new push", arguments: Damage.allCases,
        ["sha256", "sha512"])
    func damage(damage: Damage, algorithm: String) async throws {
        let scratch = try Scratch()
        var program = try await Program.serve(scratch)
        var client = try program.client()
        let content = Content.bytes(50_000, seed: 7)
        let digest = try await client.push(content, to: "a", algorithm: algorithm)
        _ = try await client.send("POST", "/v2/b/blobs/uploads/?mount=\(digest)&from=a")
        let target = "/v2/a/blobs/\(digest)"
        // Once before it was ever read, once with its place known by heart, once behind a restart.
        for round in 0..<3 {
            if round == 1 { #expect(try await client.get(target).body == content) }
            if round == 2 {
                program.signal(SIGTERM)
                _ = try await program.waitForEnd()
            }
            try damage.apply(Self.file(scratch, content))
            if round == 2 {
                program = try await Program.serve(scratch)
                client = try program.client()
            }
            let answer = try await client.get(target)
            // What is not there may come back: a mount that is missing, a restore that is running.
            let (status, reason) = damage == .deleted ? (503, "unreadable") : (404, "damaged")
            try expect(answer, status, damage == .deleted ? ErrorCode.unavailable : ErrorCode.blobUnknown)
            #expect(try APIError.parse(answer).first?.detail["reason"] == reason)
            #expect(answer["Retry-After"] == (damage == .deleted ? "1" : nil))
            #expect(try await client.head(target).status == status)
            #expect(try await client.get(target, ["Range: bytes=10-20"]).status == status)
            #expect(try await client.get("/v2/b/blobs/\(digest)").status == status, "for nobody")
            try await eventually("the log tells") {
                let log = program.log
                return log.contains(damage == .deleted ? "blob cannot be read" : "blob is damaged")
                    && log.contains(digest)
            }
            try await client.push(content, to: round == 1 ? "b" : "a", algorithm: algorithm)
            for target in [target, "/v2/b/blobs/\(digest)"] { #expect(try await client.get(target).body == content) }
        }
    }

    @Test("damage that nobody has noticed is repaired by a push of the same digest")
    func unnoticed() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let client = try program.client()
        let content = Content.bytes(50_000, seed: 8)
        let digest = try await client.push(content, to: "a")
        try Damage.flippedFirst.apply(Self.file(scratch, content))
        try await client.push(content, to: "b")
        for repository in ["a", "b"] {
            #expect(try await client.get("/v2/\(repository)/blobs/\(digest)").body == content)
        }
    }

    @Test("a file that was restored from a copy is served once it was found to be whole")
    func restored() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let client = try program.client()
        let content = Content.bytes(50_000, seed: 9)
        let digest = try await client.push(content, to: "a")
        let file = try Self.file(scratch, content)
        try Data(content).write(to: URL(fileURLWithPath: file), options: .atomic)
        for _ in 0..<2 { #expect(try await client.get("/v2/a/blobs/\(digest)").body == content) }
    }

    @Test("objects that nobody needs any more are removed")
    func sweep() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let client = try program.client()
        let digest = try await client.push(Content.bytes(1000), to: "a")
        for _ in 0..<3 { try await client.push(Content.bytes(1000), to: "a") }
        let location = try await client.begin("a")
        _ = try await client.send("PATCH", location, body: Content.bytes(500))
        _ = try await client.delete(location)
        try await eventually("one object is left") { scratch.files("data/blobs").count == 1 }
        #expect(try await client.get("/v2/a/blobs/\(digest)").body == Content.bytes(1000))
        _ = try await client.delete("/v2/a/blobs/\(digest)")
        try await eventually("none is left") { scratch.files("data/blobs").isEmpty }
    }

    @Test("what arrived before a shutdown cut it is kept")
    func shutdownCut() async throws {
        let scratch = try Scratch()
        var program = try await Program.serve(scratch, ["http.shutdown-timeout=1"])
        let content = Content.bytes(8_000_000)
        var locations: [String] = []
        var wires: [Wire] = []
        for _ in 0..<4 {
            let location = try await program.client().begin("a")
            let wire = try Wire(port: try #require(program.port))
            let head =
                "PATCH \(location) HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9000000\r\n\r\n"
            try await wire.send(head)
            #expect(try await wire.answer(to: "PATCH").status == 100)
            try await wire.send(content)
            locations.append(location)
            wires.append(wire)
        }
        program.signal(SIGTERM)
        #expect(try await program.waitForEnd() == 0)
        program = try await Program.serve(scratch)
        for location in locations {
            let range = try await program.client().get(location)["Range"] ?? ""
            #expect((Int(range.dropFirst(2)) ?? 0) > 1_000_000, "\(range)")
        }
    }

    @Test("an object that cannot be removed does not keep the others")
    func stuck() async throws {
        let scratch = try Scratch()
        let program = try await Program.serve(scratch)
        let client = try program.client()
        var digests: [String] = []
        for seed in 0..<8 { digests.append(try await client.push(Content.bytes(1000, seed: seed), to: "a")) }
        // In place of the object whose key comes first a folder, which no unlink takes away.
        let first = try #require(scratch.files("data/blobs").min())
        try FileManager.default.removeItem(atPath: first)
        try FileManager.default.createDirectory(atPath: first, withIntermediateDirectories: false)
        for digest in digests { _ = try await client.delete("/v2/a/blobs/\(digest)") }
        try await eventually("the others go") { scratch.files("data/blobs").isEmpty }
        try await eventually("the log tells") { program.log.contains("cannot be removed") }
    }

    @Test(
        "a full disk is 507: nothing is lost, and it goes on once there is space",
        .enabled(if: geteuid() == 0 && Volume.isPossible, "needs the right to mount a tmpfs"))
    func fullDisk() async throws {
        let volume = try Volume(megabytes: 16)
        let ballast = "\(volume.path)/ballast"
        try Data(count: 6 << 20).write(to: URL(fileURLWithPath: ballast))
        let program = try await Program.serve(volume.scratch, data: "volume/data")
        let client = try program.client()
        try await client.pushImage("a", "before")
        var kept: [String: [UInt8]] = [:]
        try await client.put(Content.image("early"), "a", "early")
        var tags = ["early"]
        func push(_ index: Int, size: Int) async throws -> Bool {
            let content = Content.bytes(size, seed: index)
            let digest = Content.digest(content)
            let answer = try await client.send("POST", "/v2/a/blobs/uploads/?digest=\(digest)", body: content)
            if answer.status == 201 {
                kept[digest] = content
                return true
            }
            try expect(answer, 507, ErrorCode.unavailable)
            return false
        }
        // In ever smaller pieces, until not a row fits any more.
        for (round, size) in [1 << 20, 100_000, 5000, 100].enumerated() {
            var index = 0
            while try await push(round * 1000 + index, size: size), index < 900 { index += 1 }
            #expect(index < 900, "the disk never filled up")
        }
        var isFull = false
        for index in 0..<900 where !isFull {
            let manifest = Content.image("full \(index)", padding: 3000)
            let answer = try await client.send(
                "PUT", "/v2/a/manifests/t\(index)", ["Content-Type: \(MediaType.ociManifest)"], body: manifest)
            if answer.status == 201 {
                tags.append("t\(index)")
            } else {
                try expect(answer, 507, ErrorCode.unavailable)
                isFull = true
            }
        }
        #expect(isFull)
        // Several at once share a commit.
        try await withThrowingTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    let answer = try await program.client().send("POST", "/v2/a/blobs/uploads/")
                    #expect(answer.status == 507 || answer.status == 202, "\(answer.status) \(answer.text)")
                }
            }
            try await group.waitForAll()
        }
        func check(_ client: Client) async throws {
            #expect(try await client.get("/v2/a/manifests/before").status == 200)
            for tag in tags { #expect(try await client.get("/v2/a/manifests/\(tag)").status == 200) }
            for (digest, content) in kept { #expect(try await client.get("/v2/a/blobs/\(digest)").body == content) }
        }
        try await check(client)
        #expect(try await client.get("/healthz").status == 200)
        // What makes room works without any.
        let (unused, dropped) = (try #require(kept.keys.first), tags.removeLast())
        for target in ["/v2/a/blobs/\(unused)", "/v2/a/manifests/\(dropped)"] {
            let answer = try await client.delete(target)
            #expect(answer.status == 202, "\(target): \(answer.text)")
        }
        kept[unused] = nil
        #expect(try await client.get("/v2/a/manifests/\(dropped)").status == 404)
        try await check(client)
        try FileManager.default.removeItem(atPath: ballast)
        #expect(try await push(9000, size: 1 << 20), "there is space again")
        try await client.pushImage("a", "after")
        try await check(client)
        program.signal(SIGKILL)
        _ = try await program.waitForEnd()
        let again = try await Program.serve(volume.scratch, data: "volume/data")
        try await check(again.client())
        #expect(try await again.client().get("/v2/a/manifests/after").status == 200)
    }
}

/// A small file system of its own.
final class Volume: Sendable {
    let scratch: Scratch
    var path: String { scratch.path + "/volume" }

    /// Whether one can be mounted here at all.
    static let isPossible: Bool = {
        do {
            _ = try Volume(megabytes: 1)
            return true
        } catch { return false }
    }()

    init(megabytes: Int) throws {
        scratch = try Scratch()
        try FileManager.default.createDirectory(atPath: scratch.path + "/volume", withIntermediateDirectories: true)
        guard mount("tmpfs", scratch.path + "/volume", "tmpfs", 0, "size=\(megabytes)m") == 0 else {
            throw WireError(description: "mount: \(String(cString: strerror(errno)))")
        }
    }

    deinit { umount2(path, Int32(MNT_DETACH)) }
}
