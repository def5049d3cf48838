import Drivers
import Foundation
import Model
import Store
import Testing

@Suite("BlobStore contract")
struct BlobStoreTests {
    @Test("what was written is read back whole, with its hash and length", arguments: StoreKind.allCases)
    func roundTrip(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            for count in [0, 1, 63, 64, 65, 4096, 300_000] {
                let content = bytes(count)
                let key = store.newKey()
                let writer = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
                try writer.append([Array(content.prefix(10)), Array(content.dropFirst(10))])
                #expect(writer.offset == Int64(count))
                #expect(writer.hash.digest == sha256(content))
                let stamp = try writer.sync()
                let opened = try store.open(key)
                #expect(opened.size == Int64(count))
                #expect(opened.stamp == stamp)
                #expect(read(opened) == content)
                #expect(try opened.digest(.sha256) == sha256(content))
                #expect(try opened.digest(.sha512) == ContentHash.digest(.sha512, of: content))
            }
        }
    }

    @Test("keys never come twice", arguments: StoreKind.allCases)
    func keys(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let keys = (0..<1000).map { _ in store.newKey() }
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test("an object that was never written is missing", arguments: StoreKind.allCases)
    func missing(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            #expect(await storeError { _ = try store.open(store.newKey()) } == .missing)
        }
    }

    @Test("writing goes on at an offset with the hash so far", arguments: StoreKind.allCases, Digest.Algorithm.allCases)
    func resume(kind: StoreKind, algorithm: Digest.Algorithm) async throws {
        try await kind.withBlobs { store in
            let content = bytes(100_001)
            let key = store.newKey()
            var hash = ContentHash(algorithm)
            var offset: Int64 = 0
            for cut in [1, 64, 1000, 65_536, 100_001] {
                let writer = try store.writer(key, offset: offset, hash: hash)
                #expect(writer.offset == offset)
                try writer.append([Array(content[Int(offset)..<cut])])
                _ = try writer.sync()
                (offset, hash) = (writer.offset, writer.hash)
            }
            #expect(hash.digest == ContentHash.digest(algorithm, of: content))
            #expect(read(try store.open(key)) == content)
        }
    }

    @Test("what lies behind the offset is cut off", arguments: StoreKind.allCases)
    func rewind(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let key = store.newKey()
            let first = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
            try first.append([Array("hello".utf8)])
            let hash = first.hash
            try first.append([Array(" and more that nobody keeps".utf8)])
            _ = try first.sync()
            let second = try store.writer(key, offset: 5, hash: hash)
            try second.append([Array(", world".utf8)])
            _ = try second.sync()
            #expect(read(try store.open(key)) == Array("hello, world".utf8))
            #expect(second.hash.digest == sha256(Array("hello, world".utf8)))
        }
    }

    @Test("going on behind what is there is refused", arguments: StoreKind.allCases)
    func hole(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let key = store.newKey()
            let writer = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
            try writer.append([bytes(10)])
            _ = try writer.sync()
            #expect(await storeError { _ = try store.writer(key, offset: 11, hash: ContentHash(.sha256)) } == .missing)
            #expect(try store.open(key).size == 10)
        }
    }

    @Test("a removed object is missing, and may be removed again", arguments: StoreKind.allCases)
    func remove(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let key = store.newKey()
            let writer = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
            try writer.append([bytes(10)])
            _ = try writer.sync()
            let opened = try store.open(key)
            try store.remove(key)
            try store.remove(key)
            #expect(await storeError { _ = try store.open(key) } == .missing)
            #expect(read(opened) == bytes(10), "who has it open goes on reading")
        }
    }

    @Test("objects do not touch each other", arguments: StoreKind.allCases)
    func separate(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let keys = (0..<8).map { _ in store.newKey() }
            try await withThrowingTaskGroup { group in
                for (index, key) in keys.enumerated() {
                    group.addTask {
                        try await store.executor.run { () throws(StoreError) in
                            let writer = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
                            for _ in 0..<20 { try writer.append([bytes(1000, seed: UInt8(index))]) }
                            _ = try writer.sync()
                        }
                    }
                }
                try await group.waitForAll()
            }
            for (index, key) in keys.enumerated() {
                let once = bytes(1000, seed: UInt8(index))
                #expect(read(try store.open(key)) == Array(repeatElement(once, count: 20).joined()))
            }
            try store.check()
        }
    }

    @Test("a file that something else touches has another stamp")
    func stamps() throws {
        let scratch = try Scratch()
        let store = try FileBlobStore(directory: scratch.path)
        let key = store.newKey()
        let writer = try store.writer(key, offset: 0, hash: ContentHash(.sha256))
        try writer.append([bytes(1000)])
        let stamp = try writer.sync()
        #expect(try store.open(key).stamp == stamp)
        let path = "\(scratch.path)/\(key)"
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.write(contentsOf: Data([0xff]))
        try handle.close()
        let touched = try store.open(key).stamp
        #expect(touched != stamp)
        try FileManager.default.copyItem(atPath: path, toPath: path + ".copy")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".copy", toPath: path)
        #expect(try store.open(key).stamp != touched)
    }

    @Test("a data directory belongs to one process at a time")
    func lock() async throws {
        let scratch = try Scratch()
        var first: DataDirectory? = try DataDirectory(path: scratch.path + "/data")
        #expect(await storeError { _ = try DataDirectory(path: scratch.path + "/data") } == .conflict)
        try await first?.metadata.migrate(Schema.migrations)
        first = nil
        let second = try DataDirectory(path: scratch.path + "/data")
        try await second.metadata.migrate(Schema.migrations)
        try await MetadataStore(second.metadata).check()
    }

    @Test("a directory that cannot be made is an error, not a crash")
    func noDirectory() async throws {
        #expect(await storeError { _ = try FileBlobStore(directory: "/proc/aerugo/blobs") } != nil)
        #expect(await storeError { _ = try DataDirectory(path: "/dev/null/data") } != nil)
    }
}

@Suite("BlockingExecutor")
struct BlockingExecutorTests {
    @Test("values and errors come back")
    func outcomes() async throws {
        let executor = BlockingExecutor(name: "test", threads: 2, capacity: 10)
        #expect(try await executor.run { () throws(StoreError) in 42 } == 42)
        #expect(
            await storeError { try await executor.run { () throws(StoreError) in throw StoreError(.full, "x") } }
                == .full)
        executor.stop()
        #expect(await storeError { try await executor.run { () throws(StoreError) in } } == .overloaded)
    }

    @Test("past its queue, work is refused at once")
    func bounded() async throws {
        let executor = BlockingExecutor(name: "test", threads: 1, capacity: 1)
        let gate = Gate()
        await withTaskGroup { group in
            group.addTask { await storeError { try await executor.run { () throws(StoreError) in gate.wait() } } }
            await gate.waitUntilReached()
            let codes = await withTaskGroup(of: StoreError.Code?.self) { jobs in
                for _ in 0..<10 {
                    jobs.addTask { await storeError { try await executor.run { () throws(StoreError) in } } }
                }
                var refused: [StoreError.Code?] = []
                // One waits behind the gate, nine are told at once.
                for await code in jobs {
                    refused.append(code)
                    if refused.count == 9 { gate.open() }
                }
                return refused
            }
            #expect(codes.filter { $0 == .overloaded }.count == 9)
            for await code in group { #expect(code == nil) }
        }
    }
}
