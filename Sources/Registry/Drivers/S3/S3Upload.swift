import Model
import NIOCore
import Runtime
import Store

/// An object that is being written, in parts where it has more than one: several of them on their way, while the next one
/// fills. One caller at a time, which the contract asks for: hence `@unchecked`.
final class S3Upload: BlobUpload, @unchecked Sendable {
    /// Parts on their way at a time.
    private static let inFlight = 4
    /// How long a part's memory may be held by what does not fill it, while others wait.
    private static let patience = Duration.seconds(10)
    /// Bytes of a buffer that does not take a part's memory.
    static let smallBuffer = 64 << 10

    private typealias Sending = Task<Result<S3Part, StoreError>, Never>

    private let key: StorageKey
    private let name: String
    private let tools: S3Tools
    private let start: S3Progress
    private var progress: S3Progress
    private(set) var state: UploadState

    /// Bytes behind the parts; those of `rest`, while that is not nil, are not among them yet.
    private var buffer = ByteBuffer()
    private var rest: S3Progress.Rest?
    /// The uptime when the buffer took a part's memory.
    private var held = Duration.zero
    private var share: PartMemory.Share?
    private var capacity = 0
    private var partHash = ContentHash(.sha256)
    private var sending: [Sending] = []

    /// Throws `.missing` when there are fewer bytes than `state` says, `.unusable` for one that cannot be read.
    init(_ key: StorageKey, from state: UploadState, _ tools: S3Tools) async throws(StoreError) {
        self.key = key
        self.tools = tools
        self.state = state
        name = tools.names.name(of: key)
        start = try S3Progress(state.driver, partSize: tools.client.settings.partSize)
        guard start.count == state.offset else {
            throw StoreError(.missing, "\(start.count) bytes of \(state.offset) are there")
        }
        progress = start
        rest = start.rest == .none ? nil : start.rest
        // Begun by somebody who did not come to a part that counts, and who cannot make an object of it any more.
        if let upload = start.upload, start.parts.isEmpty {
            try await tools.client.abortUpload(of: name, upload)
            progress.upload = nil
        }
    }

    var begun: [UInt8]? {
        var announced = start
        announced.garbage = progress.garbage
        if let upload = progress.upload, upload != start.upload { announced.upload = upload }
        return announced == start ? nil : announced.encoded
    }

    func append(_ chunks: [any ByteChunk]) async throws(StoreError) {
        var left = chunks.reduce(0) { $0 + $1.count }
        var place = (chunk: 0, byte: 0)
        while left > 0 {
            try await load()
            if buffer.readableBytes == progress.partSize { try await sendPart() }
            try await makeRoom(for: buffer.readableBytes + left)
            let from = place
            place = try await tools.lanes.uploads.run { () throws(StoreError) in self.take(chunks, from) }
            left = chunks[place.chunk...].reduce(0) { $0 + $1.count } - place.byte
        }
        try await makeWay()
    }

    func suspend() async throws(StoreError) -> UploadState {
        try await whatever { () throws(StoreError) in try await self.suspendNow() }
    }

    func finish() async throws(StoreError) -> String {
        try await whatever { () throws(StoreError) in try await self.finishNow() }
    }

    func abort() async throws(StoreError) {
        try await whatever { () throws(StoreError) in try await self.abortNow() }
    }

    /// Runs `body` to its end also for a client that has gone: it is what keeps its bytes, or clears them away.
    private func whatever<T: Sendable>(
        _ body: @Sendable @escaping () async throws(StoreError) -> T
    ) async throws(StoreError) -> T {
        let task = Task { () -> Result<T, StoreError> in
            do throws(StoreError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        return try await task.value.get()
    }

    private func suspendNow() async throws(StoreError) -> UploadState {
        try await settle()
        if let rest {
            progress.rest = rest
            if case .tail(let tail, _, _) = rest { progress.garbage.removeAll { $0 == tail } }
        } else {
            try await keepRest()
        }
        state.driver = progress.encoded
        return state
    }

    private func finishNow() async throws(StoreError) -> String {
        try await settle()
        let etag: String
        var checksum: String?
        if let upload = progress.upload {
            etag = try await complete(upload)
            checksum = progress.parts.checksum
        } else if case .whole(_, let sha256)? = rest, let placed = start.placed {
            etag = placed
            checksum = S3Body(buffer: ByteBuffer(), sha256: sha256).checksum
        } else {
            try await load()
            let body = body()
            etag = try await tools.client.put(name, body, replacing: progress.placed)
            checksum = body.checksum
        }
        giveBackBuffer()
        return try await readBack(etag, checksum)
    }

    private func abortNow() async throws(StoreError) {
        for task in sending { task.cancel() }
        for task in sending { _ = await task.value }
        sending = []
        giveBackBuffer()
        if let upload = progress.upload, upload != start.upload {
            try await tools.client.abortUpload(of: name, upload)
            progress.upload = nil
        }
    }

    // MARK: - Bytes

    /// Fills the buffer; gives where it goes on. On a thread that may be busy for a while.
    private func take(_ chunks: [any ByteChunk], _ from: (chunk: Int, byte: Int)) -> (chunk: Int, byte: Int) {
        var place = from
        let sharesHash = sharesHash
        while place.chunk < chunks.count {
            let room = capacity - buffer.readableBytes
            guard room > 0 else { break }
            let chunk = chunks[place.chunk]
            let taken = chunk.withBytes { bytes in
                let piece = UnsafeRawBufferPointer(rebasing: bytes[place.byte..<min(bytes.count, place.byte + room)])
                buffer.writeBytes(piece)
                state.hash.update(piece)
                if !sharesHash { partHash.update(piece) }
                return piece.count
            }
            state.offset += Int64(taken)
            place.byte += taken
            if place.byte == chunk.count { place = (place.chunk + 1, 0) }
        }
        return place
    }

    /// Whether the hash over all that has come is that over the buffer.
    private var sharesHash: Bool {
        state.hash.algorithm == .sha256 && progress.parts.isEmpty && sending.isEmpty
    }

    private func body() -> S3Body {
        let hash = sharesHash ? state.hash : partHash
        return S3Body(buffer: buffer, sha256: Array(hash.digest.compact.dropFirst()))
    }

    /// Room in the buffer for so many bytes, or for a whole part if it is fewer.
    private func makeRoom(for bytes: Int) async throws(StoreError) {
        guard bytes > capacity, capacity < progress.partSize else { return }
        let isSmall = bytes <= Self.smallBuffer
        let (memory, size) = isSmall ? (tools.smallMemory, Self.smallBuffer) : (tools.memory, progress.partSize)
        share = try await memory.share(size)
        capacity = size
        held = tools.clocks.uptime()
        buffer.reserveCapacity(isSmall ? bytes : size)
    }

    private func giveBackBuffer() {
        buffer = ByteBuffer()
        share = nil
        capacity = 0
        partHash = ContentHash(.sha256)
    }

    /// Reads the bytes that were left behind the parts, and makes sure that they are those.
    private func load() async throws(StoreError) {
        guard let rest else { return }
        let (bytes, known): ([UInt8], [UInt8]?)
        switch rest {
        case .none: (bytes, known) = ([], nil)
        case .inline(let content): (bytes, known) = (content, nil)
        case .whole(let size, let sha256): (bytes, known) = (try await read(name, size), sha256)
        case .tail(let tail, let size, let sha256): (bytes, known) = (try await read(tail, size), sha256)
        }
        let hash = try await tools.lanes.uploads.run { () throws(StoreError) in
            var hash = ContentHash(.sha256)
            bytes.withBytes { hash.update($0) }
            return hash
        }
        if let known, known != Array(hash.digest.compact.dropFirst()) {
            throw StoreError(.missing, "what was left of \(name) has become something else")
        }
        try await makeRoom(for: bytes.count)
        buffer.writeBytes(bytes)
        partHash = hash
        self.rest = nil
    }

    private func read(_ name: String, _ size: Int64) async throws(StoreError) -> [UInt8] {
        try await makeRoom(for: Int(clamping: size))
        return try await tools.client.get(name, limit: progress.partSize)
    }

    // MARK: - Parts

    private func sendPart() async throws(StoreError) {
        let number = progress.parts.count + sending.count + 1
        guard number <= S3Client.mostParts else {
            throw StoreError(
                .full, "\(name) has over \(S3Client.mostParts) parts of \(progress.partSize) bytes: raise s3.part-size")
        }
        let client = tools.client
        let upload: String
        if let known = progress.upload {
            upload = known
        } else {
            upload = try await client.createUpload(name)
        }
        progress.upload = upload
        while sending.count >= Self.inFlight { try await settleOldest() }
        let (part, share, name) = (body(), share, name)
        giveBackBuffer()
        sending.append(
            Task {
                // The part's memory is not free before the part is there.
                defer { withExtendedLifetime(share) {} }
                do throws(StoreError) {
                    return .success(try await client.uploadPart(number, of: name, upload, part))
                } catch {
                    return .failure(error)
                }
            })
    }

    private func settleOldest() async throws(StoreError) {
        progress.parts.append(try await sending.removeFirst().value.get())
    }

    /// Waits for all parts. One that failed ends the upload: its bytes are gone, and those behind it were hashed.
    private func settle() async throws(StoreError) {
        while !sending.isEmpty { try await settleOldest() }
    }

    private func complete(_ upload: String) async throws(StoreError) -> String {
        try await load()
        let client = tools.client
        guard buffer.readableBytes > 0 else {
            return try await client.completeUpload(of: name, upload, progress.parts, replacing: progress.placed)
        }
        let last = body()
        do throws(StoreError) {
            let part = try await client.uploadPart(progress.parts.count + 1, of: name, upload, last)
            progress.parts.append(part)
        } catch {
            // An earlier end of this session may have come as far as the object, and no farther.
            guard error.code == .missing else { throw error }
            progress.parts.append(S3Part(etag: last.md5, sha256: last.sha256))
            return try await client.completedBefore(name, progress.parts, isOver: true)
        }
        return try await client.completeUpload(of: name, upload, progress.parts, replacing: progress.placed)
    }

    /// Keeps the bytes behind the parts for whoever goes on.
    private func keepRest() async throws(StoreError) {
        let client = tools.client
        let count = Int64(buffer.readableBytes)
        if count <= S3Progress.inlineLimit {
            progress.rest = count == 0 ? .none : .inline(Array(buffer.readableBytesView))
        } else if progress.upload == nil, progress.placed == nil {
            let body = body()
            progress.placed = try await client.put(name, body)
            progress.rest = .whole(count, sha256: body.sha256)
        } else {
            progress.rest = try await putAside()
        }
        giveBackBuffer()
        // Of rests before the last one no state is of use any more.
        if !start.garbage.isEmpty, try await client.delete(start.garbage).isEmpty {
            progress.garbage.removeAll(where: start.garbage.contains)
        }
        if case .tail(let tail, _, _) = start.rest { progress.garbage.append(tail) }
    }

    /// Gives a part's memory to who waits for some, where its client takes its time to fill it: else a few of those could hold up
    /// everybody.
    private func makeWay() async throws(StoreError) {
        guard capacity > Self.smallBuffer, buffer.readableBytes < progress.partSize, tools.memory.isScarce,
            tools.clocks.uptime() - held > Self.patience
        else { return }
        let aside = try await putAside()
        if case .tail(let tail, _, _) = aside { progress.garbage.append(tail) }
        rest = aside
        giveBackBuffer()
    }

    /// Writes the bytes behind the parts to an object of their own.
    private func putAside() async throws(StoreError) -> S3Progress.Rest {
        let (body, tail) = (body(), tools.names.newTail(of: key, tools.ids))
        _ = try await tools.client.put(tail, body)
        return .tail(tail, Int64(body.buffer.readableBytes), sha256: body.sha256)
    }

    /// Asks for what was acknowledged: a store that does not have it has nothing, whatever it has answered.
    private func readBack(_ etag: String, _ checksum: String?) async throws(StoreError) -> String {
        let found: S3Head
        do throws(StoreError) {
            found = try await tools.client.head(name)
        } catch {
            guard error.code == .missing else { throw error }
            throw StoreError(.unavailable, "S3 has acknowledged \(name), and does not have it")
        }
        guard found.size == state.offset, found.etag == etag else {
            throw StoreError(
                .unavailable,
                "S3 has \(found.size) bytes of \(name), ETag \(found.etag): \(state.offset) were sent, ETag \(etag)")
        }
        if let kept = found.checksum, let checksum, kept.prefix(while: { $0 != "-" }) != checksum {
            throw StoreError(.unavailable, "S3 has other bytes of \(name) than were sent: their SHA-256 is \(kept)")
        }
        tools.known.put(key, found)
        return found.witness
    }
}
