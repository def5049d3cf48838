import Glibc
import Model
import Store

/// A file being appended to. One caller at a time, which the session's lock sees to: hence `@unchecked`.
final class FileWriter: BlobWriter, @unchecked Sendable {
    /// How many bytes may be dirty before the kernel is told to write them out, so that the last fsync is short.
    private static let writeback: Int64 = 8 << 20

    private let file: File
    private let directory: String?
    private(set) var offset: Int64
    private(set) var hash: ContentHash
    private var written: Int64

    /// Goes on at `offset` and cuts off what lies behind. Throws `.missing` when there are fewer bytes than that.
    /// `directory` holds the file's entry, which has to be durable too.
    init(_ file: File, offset: Int64, hash: ContentHash, directory: String?) throws(StoreError) {
        let size = Int64(try file.status().st_size)
        guard size >= offset else { throw StoreError(.missing, "\(size) bytes of \(offset) are there") }
        if size > offset { try file.truncate(to: offset) }
        self.file = file
        self.directory = directory
        self.offset = offset
        self.hash = hash
        written = offset
    }

    func append(_ chunks: [any ByteChunk]) throws(StoreError) {
        for chunk in chunks {
            let outcome: Result<Void, StoreError> = chunk.withBytes { bytes in
                Result { () throws(StoreError) in
                    try file.write(bytes, at: offset)
                    hash.update(bytes)
                    offset += Int64(bytes.count)
                }
            }
            try outcome.get()
        }
        if offset - written >= Self.writeback {
            file.startWriteback(from: written, count: offset - written)
            written = offset
        }
    }

    func sync() throws(StoreError) -> String {
        try file.sync()
        if let directory { try File(directory, O_RDONLY | O_DIRECTORY).sync() }
        return FileContent.stamp(try file.status())
    }
}
