import HTTP
import NIOCore
import Store

/// What is left to send of an answer whose head has gone out.
enum Outgoing {
    /// Bytes in memory from an offset on, given to the socket window by window: an answer that nobody reads holds a
    /// window, and its share of bytes that others send too.
    case bytes(Response, [UInt8], from: Int)
    /// What sendfile is reading from.
    case file(any BlobContent, NIOFileHandle)
    /// Pieces, one at a time, each asked for when the socket has taken the one before.
    case stream
}

extension Connection {
    /// Bytes of a body that go out with the head.
    static var small: Int { 16 << 10 }

    /// Sends the head, and as much of the body as the socket takes now.
    func send(_ response: Response, keepsAlive: Bool) {
        guard let context else { return }
        var inMemory: [UInt8] = []
        if !answersHead, case .bytes(let body) = response.body { inMemory = body }
        let isSmall = inMemory.count <= Self.small
        var buffer = shared.takeOutput(capacity: 1024 + (isSmall ? inMemory.count : 0))
        ResponseEncoder.encode(
            response, body: isSmall ? inMemory : [], keepsAlive: keepsAlive, date: shared.currentDate(), into: &buffer)
        context.write(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
        switch response.body {
        case .content(let content, let range) where !answersHead:
            send(content, range)
        case .bytes where !isSmall:
            outgoing = .bytes(response, inMemory, from: 0)
            sendMore()
        case .stream(let stream, let count) where !answersHead:
            context.flush()
            outgoing = .stream
            Task.immediate(executorPreference: shared.executor) { [self] in await send(stream, count) }
        case .empty, .bytes, .content, .stream, .absent:
            if !isInRead { context.flush() }
            shared.giveOutput(buffer)
            tell(.sent)
        }
    }

    /// Gives the next windows of an answer to the socket, until it takes no more or that was the last.
    func sendMore() {
        guard !isSendingMore, case .bytes? = outgoing else { return }
        isSendingMore = true
        let isDone = sendWindows()
        isSendingMore = false
        guard isDone else { return }
        outgoing = nil
        tell(.sent)
    }

    /// Whether nothing is left.
    private func sendWindows() -> Bool {
        while let context, case .bytes(let response, let bytes, let start)? = outgoing {
            isStalled = !context.channel.isWritable
            guard !isStalled else { return false }
            let end = min(bytes.count, start + shared.window)
            outgoing = .bytes(response, bytes, from: end)
            writeAndFlush(ByteBuffer(bytes: bytes[start..<end]))
            if end == bytes.count { return true }
        }
        return false
    }

    private func send(_ content: any BlobContent, _ range: Range<Int64>) {
        guard let context else { return }
        // The handle only borrows the descriptor: it is taken back before the content goes.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: content.descriptor)
        outgoing = .file(content, handle)
        let region = FileRegion(
            fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
        let done = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.fileRegion(region)), promise: done)
        done.futureResult.assumeIsolated().whenComplete { [self] result in
            do {
                _ = try handle.takeDescriptorOwnership()
                outgoing = nil
                try result.get()
                tell(.sent)
            } catch {
                cut()
            }
        }
    }

    /// A stream that has not as many bytes as were promised ends the connection: the client must not take it for whole.
    private func send(_ stream: BlobStream, _ count: Int64) async {
        var sent: Int64 = 0
        do {
            for try await piece in stream {
                guard let context else { return }
                sent += Int64(piece.count)
                try await context.channel.writeAndFlush(IOData.byteBuffer(ByteBuffer(bytes: piece))).get()
            }
        } catch { return cut() }
        guard sent == count else { return cut() }
        outgoing = nil
        tell(.sent)
    }

    func writeAndFlush(_ buffer: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }
}
