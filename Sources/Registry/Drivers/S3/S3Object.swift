import AsyncHTTPClient
import Model
import NIOCore
import Runtime
import Store

extension S3Head {
    /// A sign that other bytes in the same place do not have.
    var witness: String { "\(size):\(etag)" }
}

/// An object of the bucket. Reading one that is removed meanwhile may end with `.missing`.
struct S3Object: BlobObject {
    private static let piece = 256 << 10
    private static let slice: Int64 = 16 << 20

    let key: StorageKey
    let head: S3Head
    let tools: S3Tools

    var size: Int64 { head.size }
    var witness: String { head.witness }

    func delivery(of range: Range<Int64>, redirects: Bool) async throws(StoreError) -> BlobDelivery {
        guard redirects, tools.client.settings.redirects else { return .stream(stream(range)) }
        if let url = tools.known.link(to: key) { return .redirect(url) }
        let (url, life) = try await tools.client.timedLink(to: tools.names.name(of: key))
        tools.known.put(key, link: url, for: life / 4)
        return .redirect(url)
    }

    func digest(
        _ algorithm: Digest.Algorithm, _ pause: @Sendable (Int64) async -> Void
    ) async throws(StoreError) -> Digest {
        guard !tools.client.transport.isClosed else { throw StoreError(.overloaded, "the store is closed") }
        var (hash, count, batch) = (ContentHash(algorithm), Int64(0), [[UInt8]]())
        var reader = stream(0..<size).makeAsyncIterator()
        while !Task.isCancelled {
            let piece = try await reader.next()
            if let piece { batch.append(piece) }
            if batch.count == 4 || piece == nil {
                hash = try await tools.lanes.hashes.run { [hash, batch] () throws(StoreError) in
                    var hash = hash
                    for piece in batch { piece.withBytes { hash.update($0) } }
                    return hash
                }
                batch = []
            }
            count += Int64(piece?.count ?? 0)
            if count >= Self.slice || piece == nil {
                await pause(count)
                count = 0
            }
            if piece == nil { return hash.digest }
        }
        throw StoreError(.overloaded, "nobody waits for the digest any more")
    }

    private func stream(_ range: Range<Int64>) -> BlobStream {
        let reader = S3Reader(self, range)
        return BlobStream { () throws(StoreError) in try await reader.next(atMost: Self.piece) }
    }
}

/// Reads a range as it is asked for, and asks for the rest of it where the connection is cut. One reader at a time, which
/// the contract of streams asks for: hence `@unchecked`.
private final class S3Reader: @unchecked Sendable {
    /// In a row, without a byte between them.
    private static let failures = 4
    /// Of one answer, however slowly a client takes it.
    private static let patience = Duration.seconds(6 * 3600)

    private let object: S3Object
    private var rest: Range<Int64>
    private var body: HTTPClientResponse.Body.AsyncIterator?
    private var buffer = ByteBuffer()
    private var failed = 0

    init(_ object: S3Object, _ range: Range<Int64>) {
        self.object = object
        rest = range
    }

    func next(atMost count: Int) async throws(StoreError) -> [UInt8]? {
        guard !rest.isEmpty else { return nil }
        while buffer.readableBytes == 0 { try await fill() }
        let taken = min(count, buffer.readableBytes, Int(clamping: rest.count))
        guard let bytes = buffer.readBytes(length: taken) else { return nil }
        rest = (rest.lowerBound + Int64(taken))..<rest.upperBound
        if rest.isEmpty { body = nil }
        return bytes
    }

    private func fill() async throws(StoreError) {
        let name = object.tools.names.name(of: object.key)
        do {
            if body == nil {
                body = try await object.tools.client.read(
                    name, rest, etag: object.head.etag, within: Self.patience
                ).body.makeAsyncIterator()
            }
            if let next = try await body?.next() {
                buffer = next
                failed = next.readableBytes > 0 ? 0 : failed
                return
            }
            throw StoreError(.unavailable, "S3 has ended \(name) too early")
        } catch {
            body = nil
            failed += 1
            let error = error as? StoreError ?? StoreError(.unavailable, "reading \(name): \(error)")
            if error.code != .unavailable { object.tools.known.remove(object.key) }
            guard error.code == .unavailable, failed < Self.failures, !Task.isCancelled else { throw error }
        }
    }
}
