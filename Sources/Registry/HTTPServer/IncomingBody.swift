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
    private let pieces: BodyPieces
    private var waiting: [ByteBuffer] = []
    /// What the handler took last: its memory is used again once the handler comes back for more.
    private var lent: [ByteBuffer] = []
    private var failure: RegistryError?
    private var waiter: UnsafeContinuation<Void, Never>?
    private(set) var isComplete = false
    /// When all of it must have come; nil for a body that may take as long as it goes on.
    private(set) var deadline: NIODeadline?
    private weak var connection: Connection?

    /// `length` as announced; nil with chunked coding.
    init(length: Int64?, pieces: BodyPieces, connection: Connection?) {
        self.length = length
        self.pieces = pieces
        self.connection = connection
    }

    deinit {
        pieces.giveBack(&waiting)
        pieces.giveBack(&lent)
    }

    package func next() async throws(RegistryError) -> [any ByteChunk]? {
        pieces.giveBack(&lent)
        if waiting.isEmpty, !isComplete, failure == nil {
            connection?.bodyIsWanted()
            await withUnsafeContinuation { waiter = $0 }
        }
        if !waiting.isEmpty {
            swap(&waiting, &lent)
            connection?.bodyWasTaken()
            return lent
        }
        if let failure { throw failure }
        return nil
    }

    /// The whole body, for which it has a minute. Throws `.manifestTooLarge` past `limit` bytes.
    package func collect(upTo limit: Int) async throws(RegistryError) -> [UInt8] {
        let tooLarge = RegistryError(.manifestTooLarge, "a manifest may have at most \(limit) bytes here")
        if let length, length > limit { throw tooLarge }
        deadline = .now() + .seconds(60)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(length ?? 0))
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

    /// Copies a chunk to where it waits: kept as it is, a few bytes would pin the whole buffer that they came in.
    func receive(_ chunk: ByteBuffer) {
        var chunk = chunk
        while chunk.readableBytes > 0 {
            if waiting.last.map({ $0.writerIndex >= BodyPieces.size }) ?? true { waiting.append(pieces.take()) }
            let last = waiting.count - 1
            let room = BodyPieces.size - waiting[last].writerIndex
            guard var part = chunk.readSlice(length: min(room, chunk.readableBytes)) else { break }
            waiting[last].writeBuffer(&part)
        }
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

/// Memory for bodies on their way, used again and again. On one event loop alone.
final class BodyPieces {
    /// Bytes of a piece.
    static let size = 128 << 10

    private let budget: Int
    private var spare: [ByteBuffer] = []
    /// Pieces that bodies have, those being written included.
    private var taken = 0

    /// `budget` in bytes, more or less: every body may have one piece waiting.
    init(budget: Int) { self.budget = budget }

    /// Bytes that one body may have waiting: much while there is room, little when many share it.
    var limit: Int { taken * Self.size < budget ? 1 << 20 : Self.size / 2 }

    func take() -> ByteBuffer {
        taken += 1
        return spare.popLast() ?? ByteBufferAllocator().buffer(capacity: Self.size)
    }

    /// Empties `lent`.
    func giveBack(_ lent: inout [ByteBuffer]) {
        while var piece = lent.popLast() {
            taken -= 1
            guard spare.count < 16 else { continue }
            piece.clear()
            spare.append(piece)
        }
    }
}
