import Model
import NIOCore
import Service
import Store

extension ByteBuffer: ByteChunk {
    package var count: Int { readableBytes }

    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeReadableBytes(body)
    }
}

/// A request's body on its way from the socket to the handler; both are on the connection's event loop, and nothing
/// else touches it: hence `@unchecked`. Reading from the socket pauses while the handler is behind.
package final class RequestBody: ByteSource, @unchecked Sendable {
    package let length: Int64?
    private var chunks: [ByteBuffer] = []
    private var failure: RegistryError?
    private var waiter: UnsafeContinuation<Void, Never>?
    private(set) var isComplete = false
    private weak var connection: Connection?

    /// `length` as announced; nil with chunked coding.
    init(length: Int64?, connection: Connection?) {
        self.length = length
        self.connection = connection
    }

    package func next() async throws(RegistryError) -> [any ByteChunk]? {
        if chunks.isEmpty, !isComplete, failure == nil {
            connection?.bodyIsWanted()
            await withUnsafeContinuation { waiter = $0 }
        }
        if !chunks.isEmpty {
            let taken = chunks
            chunks = []
            connection?.bodyWasTaken()
            return taken
        }
        if let failure { throw failure }
        return nil
    }

    /// The whole body. Throws `.manifestTooLarge` past `limit` bytes.
    package func collect(upTo limit: Int) async throws(RegistryError) -> [UInt8] {
        let tooLarge = RegistryError(.manifestTooLarge, "a manifest may have at most \(limit) bytes here")
        if let length, length > limit { throw tooLarge }
        var bytes: [UInt8] = []
        while let chunks = try await next() {
            for chunk in chunks {
                guard bytes.count + chunk.count <= limit else { throw tooLarge }
                chunk.withBytes { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }

    /// Whether the rest will not come.
    var hasFailed: Bool { failure != nil }

    /// Reads the rest and forgets it. False when that does not end within `limit` bytes.
    func discard(upTo limit: Int64) async -> Bool {
        var count: Int64 = 0
        do throws(RegistryError) {
            while let chunks = try await next() {
                for chunk in chunks { count += Int64(chunk.count) }
                guard count <= limit else { return false }
            }
            return true
        } catch {
            return false
        }
    }

    func receive(_ chunk: ByteBuffer) {
        chunks.append(chunk)
        wake()
    }

    func complete() {
        isComplete = true
        wake()
    }

    /// The rest will not come.
    func fail(_ error: RegistryError) {
        guard !isComplete, failure == nil else { return }
        failure = error
        wake()
    }

    private func wake() {
        guard let waiter else { return }
        self.waiter = nil
        waiter.resume()
    }
}
