import FilesDriver
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
                let upload = try await store.upload(key, from: UploadState(.sha256))
                try await upload.append([Array(content.prefix(10)), Array(content.dropFirst(10))])
                #expect(upload.state.offset == Int64(count))
                #expect(upload.state.hash.digest == sha256(content))
                let witness = try await upload.finish()
                let opened = try await store.open(key)
                #expect(opened.size == Int64(count))
                #expect(opened.witness == witness)
                #expect(try await read(opened) == content)
                #expect(try await opened.digest(.sha256) == sha256(content))
                #expect(try await opened.digest(.sha512) == ContentHash.digest(.sha512, of: content))
            }
        }
    }

    @Test("parts come as they are asked for, the empty one too", arguments: StoreKind.allCases)
    func parts(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let (content, key) = (bytes(700_000), store.newKey())
            try await write(content, as: key, to: store)
            let object = try await store.open(key)
            for range in [0..<0, 0..<1, 5..<300_000, 262_143..<262_145, 699_999..<700_000, 0..<700_000] {
                let found = try await read(object, Int64(range.lowerBound)..<Int64(range.upperBound))
                #expect(found == Array(content[range]), "\(range)")
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

    @Test("all keys are listed once and in order, page by page", arguments: StoreKind.allCases)
    func listing(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            #expect(try await store.keys(after: nil, limit: 10).isEmpty)
            let keys = (0..<25).map { _ in store.newKey() }
            for key in keys { try await write(bytes(1), as: key, to: store) }
            // One that is not finished counts too: it takes room.
            let open = try await store.upload(store.newKey(), from: UploadState(.sha256))
            try await open.append([bytes(100_000)])
            _ = try await open.suspend()
            var (found, last) = ([StorageKey](), StorageKey?.none)
            repeat {
                let page = try await store.keys(after: last, limit: 10)
                #expect(page.count <= 10)
                found += page
                last = page.last
            } while last != nil
            #expect(found.count == 26)
            #expect(Set(found).isSuperset(of: keys))
            #expect(found.map(\.description) == found.map(\.description).sorted())
        }
    }

    @Test("an object that was never written is missing", arguments: StoreKind.allCases)
    func missing(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            #expect(await storeError { _ = try await store.open(store.newKey()) } == .missing)
        }
    }

    @Test(
        "an upload goes on from any state it was suspended with", arguments: StoreKind.allCases,
        Digest.Algorithm.allCases)
    func resume(kind: StoreKind, algorithm: Digest.Algorithm) async throws {
        try await kind.withBlobs { store in
            let content = bytes(100_001)
            let key = store.newKey()
            var state = UploadState(algorithm)
            for cut in [1, 64, 1000, 65_536, 100_001] {
                let upload = try await store.upload(key, from: state)
                #expect(upload.state.offset == state.offset)
                try await upload.append([Array(content[Int(state.offset)..<cut])])
                state = try await upload.suspend()
                #expect(state.offset == Int64(cut))
                // Through its bytes, as another process would have it.
                let hash = try #require(ContentHash(algorithm, state: state.hash.state))
                state = UploadState(offset: state.offset, hash: hash, driver: state.driver)
            }
            let upload = try await store.upload(key, from: state)
            let witness = try await upload.finish()
            #expect(state.hash.digest == ContentHash.digest(algorithm, of: content))
            let object = try await store.open(key)
            #expect(object.witness == witness)
            #expect(try await read(object) == content)
        }
    }

    @Test(
        "what lies behind the state is cut off, whether its writer was lost or gave up", arguments: StoreKind.allCases)
    func rewind(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            for givesUp in [false, true] {
                let key = store.newKey()
                let first = try await store.upload(key, from: UploadState(.sha256))
                try await first.append([Array("hello".utf8)])
                let state = try await first.suspend()
                let second = try await store.upload(key, from: state)
                try await second.append([Array(" and more that nobody keeps".utf8)])
                if givesUp {
                    try await second.abort()
                    if kind == .s3 {
                        #expect(await storeError { _ = try await store.open(key) } == .missing, "it is not finished")
                    } else {
                        #expect(try await store.open(key).size == 5, "its room is given back at once")
                    }
                }
                let third = try await store.upload(key, from: state)
                try await third.append([Array(", world".utf8)])
                _ = try await third.finish()
                #expect(try await read(store.open(key)) == Array("hello, world".utf8))
                #expect(third.state.hash.digest == sha256(Array("hello, world".utf8)))
            }
        }
    }

    @Test("going on behind what is there is refused", arguments: StoreKind.allCases)
    func hole(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let key = store.newKey()
            try await write(bytes(10), as: key, to: store)
            let state = UploadState(offset: 11, hash: ContentHash(.sha256))
            #expect(await storeError { _ = try await store.upload(key, from: state) } == .missing)
            #expect(try await store.open(key).size == 10)
        }
    }

    @Test(
        "a removed object is missing, may be removed again, and who has it open as a file reads on",
        arguments: StoreKind.allCases
    )
    func remove(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let (key, other) = (store.newKey(), store.newKey())
            try await write(bytes(10), as: key, to: store)
            let opened = try await store.open(key)
            for _ in 0..<2 {
                let gone = try await store.remove([key, other]) { key, error in
                    Issue.record("\(key): \(error.cause)")
                }
                #expect(Set(gone) == [key, other])
            }
            #expect(await storeError { _ = try await store.open(key) } == .missing)
            if kind == .s3 {
                #expect(await storeError { _ = try await read(opened) } == .missing)
            } else {
                #expect(try await read(opened) == bytes(10))
            }
        }
    }

    @Test("objects do not touch each other", arguments: StoreKind.allCases)
    func separate(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let keys = (0..<8).map { _ in store.newKey() }
            try await withThrowingTaskGroup { group in
                for (index, key) in keys.enumerated() {
                    group.addTask {
                        let once = bytes(1000, seed: UInt8(index))
                        try await write(Array(repeatElement(once, count: 20).joined()), as: key, to: store, piece: 1000)
                    }
                }
                try await group.waitForAll()
            }
            for (index, key) in keys.enumerated() {
                let once = bytes(1000, seed: UInt8(index))
                #expect(try await read(store.open(key)) == Array(repeatElement(once, count: 20).joined()))
            }
            try await store.check()
        }
    }

    @Test("a closed store refuses what comes later", arguments: StoreKind.allCases)
    func closed(kind: StoreKind) async throws {
        try await kind.withBlobs { store in
            let key = store.newKey()
            try await write(bytes(10), as: key, to: store)
            let object = try await store.open(key)
            store.close()
            #expect(await storeError { _ = try await object.digest(.sha256) } == .overloaded)
        }
    }
}
