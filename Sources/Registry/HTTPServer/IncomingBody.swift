import HTTP
import Metrics
import Model
import NIOCore
import Service

extension ByteBuffer: ByteChunk {
    package var count: Int { readableBytes }

    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
        try withUnsafeReadableBytes(body)
    }
}

/// A request's body between its connection and its handler; both are on the connection's event loop, and nothing else
/// touches it: hence `@unchecked`. Reading from the socket pauses while the handler is behind.
final class IncomingBody: RequestBody, @unchecked Sendable {
    let length: Int64?
    private let pieces: BodyPieces
    private var waiting: [ByteBuffer] = []
    /// What the handler took last: its memory is used again once the handler comes back for more.
    private var lent: [ByteBuffer] = []
    private var failure: RegistryError?
    private var waiter: UnsafeContinuation<Void, Never>?
    private var isComplete = false
    /// Bytes that came.
    private(set) var received = 0
    /// Whether the handler has asked for it.
    private var isTouched = false
    private var isRequired = false
    /// When all of it must have come; nil for a body that may take as long as it goes on.
    private(set) var deadline: NIODeadline?
    private weak var connection: Connection?
    private let loop: (any EventLoop)?

    /// `length` as announced; nil with chunked coding.
    init(length: Int64?, pieces: BodyPieces, connection: Connection?) {
        loop = connection?.shared.loop
        self.length = length
        self.pieces = pieces
        self.connection = connection
    }

    deinit {
        pieces.giveBack(&waiting)
        pieces.giveBack(&lent)
    }

    func next() async throws(RegistryError) -> [any ByteChunk]? {
        isTouched = length != 0
        pieces.giveBack(&lent)
        if waiting.isEmpty, !isComplete, failure == nil {
            connection?.bodyIsWanted()
            await RequestStages.time(.body) { await withUnsafeContinuation { waiter = $0 } }
        }
        if !waiting.isEmpty {
            swap(&waiting, &lent)
            connection?.bodyWasTaken()
            return lent
        }
        if let failure { throw failure }
        return nil
    }

    func require(within patience: Duration) {
        isRequired = true
        deadline = .now() + .nanoseconds(patience.components.seconds.multipliedClamped(by: 1_000_000_000))
    }

    func expire() { loop?.execute { [self] in deadline = .now() } }

    /// Whether the handler's work is in vain when the rest does not come: not of one that may keep what arrived.
    var cancelsHandler: Bool { !isTouched || (isRequired && !isComplete) }

    /// Copies a chunk to where it waits: kept as it is, a few bytes would pin the whole buffer that they came in.
    func receive(_ chunk: ByteBuffer) {
        var chunk = chunk
        while chunk.readableBytes > 0 {
            if waiting.last.map({ $0.writerIndex >= $0.capacity }) ?? true {
                waiting.append(pieces.take(after: received))
            }
            let last = waiting.count - 1
            let room = waiting[last].capacity - waiting[last].writerIndex
            guard var part = chunk.readSlice(length: min(room, chunk.readableBytes)) else { break }
            received += part.readableBytes
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

extension Int64 {
    /// The product, or the largest number there is.
    fileprivate func multipliedClamped(by factor: Int64) -> Int64 {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
