import FilesDriver
import Foundation
import Glibc
import MemoryDriver
import Model
import Runtime
import S3Driver
import Store
import Testing

/// A directory of its own for a test, removed with the last reference to it.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "aerugo-test-\(IDSource().token())").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record("cannot remove \(path): \(error)")
        }
    }
}

/// The kinds of stores that keep to one contract; S3 where there is a store to be had.
enum StoreKind: String, CaseIterable, Sendable {
    case file, memory, s3

    static var allCases: [StoreKind] { [.file, .memory] + (S3Server.endpoint == nil ? [] : [.s3]) }

    /// Runs `body` with an empty blob store of the kind.
    func withBlobs(_ body: (any BlobStore) async throws -> Void) async throws {
        switch self {
        case .memory:
            for isStreamed in [false, true] {
                let store = MemoryBlobStore(isStreamed: isStreamed)
                try await body(store)
                store.close()
            }
        case .file:
            let scratch = try Scratch()
            let store = try FileBlobStore(directory: scratch.path + "/blobs")
            try await body(store)
            store.close()
            withExtendedLifetime(scratch) {}
        case .s3:
            let store = try await S3BlobStore.open(try S3Server.settings(), credentials: S3Server.keys)
            do {
                try await body(store)
            } catch {
                store.close()
                throw error
            }
            store.close()
        }
    }
}

/// Bytes that look random and are the same in every run.
func bytes(_ count: Int, seed: UInt8 = 1) -> [UInt8] {
    var state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state)
    }
}

extension MetadataStore {
    /// The repository of this name, which is made where it is not there.
    func repository(_ text: String) async throws -> Repository {
        let name = try name(text)
        return try await write { (db) throws(StoreError) in
            try db.makeRepository(name, visibility: 1)
            guard let found = try db.repository(name) else { throw StoreError(.missing, "no \(name)") }
            return found.repository
        }
    }

    /// A manifest's digest and bytes by tag or digest; nil when there is none.
    func manifest(_ reference: Reference, in text: String) async throws -> (known: KnownManifest, bytes: [UInt8])? {
        let repository = try await repository(text)
        return try await read { (db) throws(StoreError) in
            guard let known = try db.find(reference, in: repository), let bytes = try db.bytes(of: known.id) else {
                return nil
            }
            return (known, bytes)
        }
    }

    func tags(of text: String, after last: String = "", limit: Int = 100) async throws -> [String] {
        let repository = try await repository(text)
        return try await read { (db) throws(StoreError) in try db.tags(of: repository, after: last, limit: limit) }
    }

    func remove(_ reference: Reference, from text: String) async throws -> ManifestRemoval {
        let repository = try await repository(text)
        return try await write { (db) throws(StoreError) in
            try db.remove(reference, from: repository, by: PrincipalID(0))
        }
    }

    func hasBegun(_ text: String) async throws -> Bool {
        let repository = try await repository(text)
        return try await read { (db) throws(StoreError) in try db.hasBegun(repository) }
    }

    /// The only column of the only row that a query gives, a number.
    func number(_ sql: String) async throws -> Int64? {
        try await read { (db) throws(StoreError) in try db.rows(sql, []).first?.integer(0) }
    }
}

func name(_ text: String) throws -> RepositoryName { try RepositoryName.parse(text) }

func sha256(_ bytes: [UInt8]) -> Digest { ContentHash.digest(.sha256, of: bytes) }

/// Writes an object in pieces of `piece` bytes; gives its witness.
@discardableResult
func write(_ content: [UInt8], as key: StorageKey, to store: any BlobStore, piece: Int = 1 << 20) async throws -> String
{
    let upload = try await store.upload(key, from: UploadState(.sha256))
    for start in stride(from: 0, to: content.count, by: piece) {
        try await upload.append([Array(content[start..<min(start + piece, content.count)])])
    }
    return try await upload.finish()
}

/// What is delivered of an object, whichever way it comes.
func read(_ object: any BlobObject, _ range: Range<Int64>? = nil) async throws -> [UInt8] {
    let range = range ?? 0..<object.size
    switch try await object.delivery(of: range) {
    case .file(let content, let range): return read(content, range)
    case .stream(let stream):
        var bytes: [UInt8] = []
        for try await piece in stream {
            #expect((1...256 << 10).contains(piece.count))
            bytes += piece
        }
        return bytes
    case .redirect(let url):
        Issue.record("a redirect to \(url) cannot be followed here")
        return []
    }
}

private func read(_ content: any BlobContent, _ range: Range<Int64>) -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: range.count)
    var done = 0
    while done < buffer.count {
        let count = buffer.withUnsafeMutableBytes { raw in
            pread(
                content.descriptor, UnsafeMutableRawBufferPointer(rebasing: raw[done...]).baseAddress, raw.count - done,
                off_t(range.lowerBound) + done)
        }
        guard count > 0 else { break }
        done += count
    }
    return Array(buffer[..<done])
}

/// The code of the `StoreError` that `body` throws, nil when it throws none.
func storeError(_ body: () async throws -> Void) async -> StoreError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? StoreError)?.code
    }
}
