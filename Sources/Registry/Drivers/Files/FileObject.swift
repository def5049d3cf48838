import Glibc
import Model
import Runtime
import Store

/// A file opened for reading.
package final class FileObject: BlobObject, BlobContent {
    /// Bytes hashed before others that wait for the lane have a turn.
    private static let slice = 16 << 20
    /// Bytes of a piece of a stream.
    private static let piece = 256 << 10

    private let file: File
    private let lanes: FileLanes
    private let isStreamed: Bool
    package let size: Int64
    package let witness: String

    /// Blocks for a moment. `isStreamed`: the bytes leave in pieces instead of by descriptor.
    package init(_ file: File, _ lanes: FileLanes, isStreamed: Bool = false) throws(StoreError) {
        let status = try file.status()
        self.file = file
        self.lanes = lanes
        self.isStreamed = isStreamed
        size = Int64(status.st_size)
        witness = Self.witness(status)
    }

    package var descriptor: Int32 { file.descriptor }

    package var isWhole: Bool {
        do throws(StoreError) {
            return Int64(try file.status().st_size) >= size
        } catch {
            return false
        }
    }

    package func delivery(of range: Range<Int64>, redirects: Bool) async throws(StoreError) -> BlobDelivery {
        isStreamed ? .stream(stream(range, piece: Self.piece)) : .file(self, range)
    }

    package func stream(_ range: Range<Int64>, piece: Int) -> BlobStream {
        let position = Position(range.lowerBound)
        return BlobStream { [self] () throws(StoreError) in
            let start = position.advance(by: Int64(piece), upTo: range.upperBound)
            guard !start.isEmpty else { return nil }
            return try await lanes.reads.run { () throws(StoreError) in try self.read(start) }
        }
    }

    package func digest(
        _ algorithm: Digest.Algorithm, _ pause: @Sendable (Int64) async -> Void
    ) async throws(StoreError) -> Digest {
        var (hash, offset) = (ContentHash(algorithm), Int64(0))
        while !Task.isCancelled {
            let (next, count) = try await lanes.hashes.run { [hash, offset] () throws(StoreError) in
                try self.hashSlice(hash, from: offset)
            }
            guard count > 0 else { return next.digest }
            (hash, offset) = (next, offset + count)
            await pause(count)
        }
        throw StoreError(.overloaded, "nobody waits for the digest any more")
    }

    /// Takes a slice into the hash; 0 bytes at the end.
    private func hashSlice(_ hash: ContentHash, from offset: Int64) throws(StoreError) -> (ContentHash, Int64) {
        var (hash, done) = (hash, Int64(0))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while done < Self.slice {
            let count = try file.read(into: buffer, at: offset + done)
            guard count > 0 else { break }
            hash.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            done += Int64(count)
        }
        return (hash, done)
    }

    /// Reads these bytes. Throws `.unavailable` when the file has become shorter.
    private func read(_ range: Range<Int64>) throws(StoreError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < bytes.count {
            let outcome: Result<Int, StoreError> = bytes.withUnsafeMutableBytes { raw in
                Result { () throws(StoreError) in
                    try file.read(
                        into: UnsafeMutableRawBufferPointer(rebasing: raw[done...]), at: range.lowerBound + Int64(done))
                }
            }
            let count = try outcome.get()
            guard count > 0 else { throw StoreError(.unavailable, "the object has become shorter") }
            done += count
        }
        return bytes
    }

    /// The change time moves with every write, truncation and replacement, and no program can set it back.
    static func witness(_ status: stat) -> String {
        "\(status.st_ino):\(status.st_size):\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }
}
