import HTTP
import NIOCore
import Service

/// What is left to send of an answer whose head has gone out.
enum Outgoing {
    /// Bytes in memory from an offset on, given to the socket window by window: an answer that nobody reads holds a
    /// window, and its share of bytes that others send too.
    case bytes(Response, [UInt8], from: Int)
    /// What sendfile is reading from.
    case file(any BlobContent, NIOFileHandle)
    /// Pieces, one at a time, each asked for when the socket has taken the one before.
    case pieces
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
        case .content(let content, let range) where !answersHead && security == .plain:
            send(content, range)
        case .bytes where !isSmall:
            outgoing = .bytes(response, inMemory, from: 0)
            sendMore()
        case .content where !answersHead, .stream where !answersHead, .parts where !answersHead:
            context.flush()
            outgoing = .pieces
            Task.immediate(executorPreference: shared.executor) { [self] in await sendInTurn(response.body) }
        case .empty, .bytes, .content, .stream, .parts, .absent:
            if !isInRead { context.flush() }
            shared.giveOutput(buffer)
            sent()
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
        sent()
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
        write(content, range)?.assumeIsolated().whenComplete { [self] result in
            outgoing = nil
            do {
                try result.get()
                sent()
            } catch {
                cut()
            }
        }
    }

    /// Hands a part of a file to the socket; the future comes when all of it has been taken.
    private func write(_ content: any BlobContent, _ range: Range<Int64>) -> EventLoopFuture<Void>? {
        guard let context else { return nil }
        // The handle only borrows the descriptor: it is taken back before the content goes.
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: content.descriptor)
        outgoing = .file(content, handle)
        let region = FileRegion(
            fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
        let done = context.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrapOutboundOut(.fileRegion(region)), promise: done)
        return done.futureResult.assumeIsolated().always { _ in
            do { _ = try handle.takeDescriptorOwnership() } catch { self.cut() }
        }.nonisolated()
    }

    /// Sends one piece after the other. An answer that has not all the bytes that were promised ends the connection: the
    /// client must not take it for whole.
    private func sendInTurn(_ body: Response.Body) async {
        do {
            if case .parts(let parts) = body {
                for part in parts { try await sendPiece(part) }
            } else {
                try await sendPiece(body)
            }
        } catch { return cut() }
        outgoing = nil
        sent()
    }

    private func sendPiece(_ body: Response.Body) async throws {
        switch body {
        case .bytes(let bytes): try await take(bytes)
        case .content(let content, let range) where security != .plain:
            try await sendPiece(.stream(content.stream(range, piece: Self.piece), Int64(range.count)))
        case .content(let content, let range):
            guard let sent = write(content, range) else { throw ChannelError.ioOnClosedChannel }
            try await sent.get()
            outgoing = .pieces
        case .stream(let stream, let count):
            var sent: Int64 = 0
            for try await piece in stream {
                sent += Int64(piece.count)
                try await take(piece)
            }
            guard sent == count else { throw ChannelError.eof }
        case .empty, .absent, .parts: break
        }
    }

    /// Returns when the socket has taken the bytes.
    private func take(_ bytes: [UInt8]) async throws {
        guard let context else { throw ChannelError.ioOnClosedChannel }
        try await context.channel.writeAndFlush(IOData.byteBuffer(ByteBuffer(bytes: bytes))).get()
    }

    func writeAndFlush(_ buffer: ByteBuffer) {
        context?.writeAndFlush(wrapOutboundOut(.byteBuffer(buffer)), promise: nil)
    }
}
