import Glibc
import Model
import Runtime
import Store

/// A file being appended to. One caller at a time, which the contract asks for: hence `@unchecked`.
package final class FileUpload: BlobUpload, @unchecked Sendable {
    /// How many bytes may be dirty before the kernel is told to write them out, so that the last fsync is short.
    private static let writeback: Int64 = 8 << 20

    private let file: File
    private let lanes: FileLanes
    /// Holds the file's entry; nil once that is durable, or where there is none.
    private var directory: String?
    private let start: Int64
    private var written: Int64
    package private(set) var state: UploadState

    /// Goes on at `state` and cuts off what lies behind; blocks for a moment. Throws `.missing` when there are fewer bytes
    /// than that.
    package init(_ file: File, from state: UploadState, _ lanes: FileLanes, directory: String? = nil) throws(StoreError)
    {
        let size = Int64(try file.status().st_size)
        guard size >= state.offset else { throw StoreError(.missing, "\(size) bytes of \(state.offset) are there") }
        if size > state.offset { try file.truncate(to: state.offset) }
        self.file = file
        self.lanes = lanes
        self.state = state
        // Of a state that has bytes the entry was made durable with them.
        self.directory = state.offset == 0 ? directory : nil
        start = state.offset
        written = state.offset
    }

    package func append(_ chunks: [any ByteChunk]) async throws(StoreError) {
        try await lanes.uploads.run { () throws(StoreError) in try self.write(chunks) }
    }

    package func suspend() async throws(StoreError) -> UploadState {
        _ = try await finish()
        return state
    }

    package func finish() async throws(StoreError) -> String {
        try await lanes.syncs.run { () throws(StoreError) in
            try self.file.sync()
            if let directory = self.directory { try Directory.sync(directory) }
            self.directory = nil
            return FileObject.witness(try self.file.status())
        }
    }

    package func abort() async throws(StoreError) {
        try await lanes.reads.run { () throws(StoreError) in try self.file.truncate(to: self.start) }
    }

    private func write(_ chunks: [any ByteChunk]) throws(StoreError) {
        for chunk in chunks {
            let outcome: Result<Void, StoreError> = chunk.withBytes { bytes in
                Result { () throws(StoreError) in
                    try file.write(bytes, at: state.offset)
                    state.hash.update(bytes)
                    state.offset += Int64(bytes.count)
                }
            }
            try outcome.get()
        }
        if state.offset - written >= Self.writeback {
            file.startWriteback(from: written, count: state.offset - written)
            written = state.offset
        }
    }
}
