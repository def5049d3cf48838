import AsyncHTTPClient
import Crypto
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Runtime
import Store

/// What a store says of an object.
struct S3Head: Sendable, Equatable {
    let size: Int64
    let etag: String
    /// The base64 of a SHA-256 that the store has kept, of all bytes or of those of all parts; nil where it keeps none.
    let checksum: String?
}

extension S3Body {
    /// With the hash over the bytes that are in it.
    package init(hashing bytes: [UInt8]) {
        self.init(buffer: ByteBuffer(bytes: bytes), sha256: Array(SHA256.hash(data: bytes)))
    }

    var checksum: String { Data(sha256).base64EncodedString() }

    /// What a store that answers MD5 in an ETag would answer.
    var md5: String { Hex.encode(Array(Insecure.MD5.hash(data: Array(buffer.readableBytesView)))) }
}

extension S3Client {
    /// How long the bytes of one part, or of an object of that size, may take.
    static let transferPatience = Duration.seconds(180)

    /// Writes an object in the place of the one with the ETag `replaced`, or of none; gives its ETag. Throws `.conflict` where
    /// something else is in that place, if the store looks (If-None-Match), and `.unavailable` where it took in other bytes.
    package func put(
        _ name: String, _ body: S3Body, replacing replaced: String? = nil
    ) async throws(StoreError) -> String {
        var request = S3Request(method: .PUT, name: name, body: body, patience: Self.transferPatience, accepted: [412])
        request.headers = [
            (name: "content-type", value: "application/octet-stream"),
            (name: "x-amz-checksum-sha256", value: body.checksum),
            replaced.map { (name: "if-match", value: "\"\($0)\"") } ?? (name: "if-none-match", value: "*"),
        ]
        let answer = try await send(request)
        guard answer.status != 412 else { return try await putBefore(name, body) }
        return try etag(of: answer, sent: body, name)
    }

    /// An object that is there already may be ours, by an attempt whose answer was lost.
    private func putBefore(_ name: String, _ body: S3Body) async throws(StoreError) -> String {
        let found = try await head(name)
        let isOurs = found.checksum.map { $0 == body.checksum } ?? (found.etag == body.md5)
        guard isOurs, found.size == Int64(body.buffer.readableBytes) else {
            throw StoreError(.conflict, "\(name) is there already, and is another one")
        }
        return found.etag
    }

    /// The ETag that a store gives for bytes, once it is known that it has the right ones.
    func etag(of answer: HTTPAnswer, sent body: S3Body, _ name: String) throws(StoreError) -> String {
        guard let etag = answer.headers.first(name: "etag")?.unquoted, !etag.isEmpty else {
            throw StoreError(.unavailable, "S3 gives no ETag for \(name)")
        }
        if let told = answer.headers.first(name: "x-amz-checksum-sha256"), told != body.checksum {
            throw StoreError(
                .unavailable, "S3 has taken other bytes for \(name) than were sent: its SHA-256 is \(told)")
        }
        return etag
    }

    /// What is known of an object. Throws `.missing`.
    func head(_ name: String) async throws(StoreError) -> S3Head {
        let request = S3Request(method: .HEAD, name: name, headers: [(name: "x-amz-checksum-mode", value: "ENABLED")])
        let answer = try await send(request)
        guard let size = answer.headers.first(name: "content-length").flatMap({ Int64($0) }), size >= 0,
            let etag = answer.headers.first(name: "etag")?.unquoted
        else { throw StoreError(.unavailable, "S3 tells neither size nor ETag of \(name)") }
        return S3Head(size: size, etag: etag, checksum: answer.headers.first(name: "x-amz-checksum-sha256"))
    }

    /// The bytes of a small object. Throws `.missing`, and `.unavailable` for one of over `limit` bytes.
    func get(
        _ name: String, limit: Int, patience: Duration = transferPatience
    ) async throws(StoreError) -> [UInt8] {
        try await send(S3Request(method: .GET, name: name, patience: patience), limit: limit).body
    }

    /// Begins to read a range, which is not empty, of the object with this ETag. Throws `.missing`, and `.conflict` where
    /// another one is in its place.
    func read(
        _ name: String, _ range: Range<Int64>, etag: String, within reading: Duration
    ) async throws(StoreError) -> HTTPClientResponse {
        let response = try await stream(
            S3Request(
                method: .GET, name: name,
                headers: [
                    (name: "range", value: "bytes=\(range.lowerBound)-\(range.upperBound - 1)"),
                    (name: "if-match", value: "\"\(etag)\""),
                ]), reading: reading)
        guard response.status == .partialContent || range.lowerBound == 0 else {
            throw StoreError(
                .unavailable, "S3 does not know ranges: it answers \(response.status.code) for one of \(name)")
        }
        return response
    }

    /// Removes objects; gives why others are still there. One that never was is gone, too.
    package func delete(_ names: [String]) async throws(StoreError) -> [(name: String, why: StoreError)] {
        let objects = names.map { "<Object><Key>\($0.escapedForXML)</Key></Object>" }.joined()
        let body = S3Body(hashing: Array("<Delete><Quiet>true</Quiet>\(objects)</Delete>".utf8))
        var request = S3Request(method: .POST, query: [(name: "delete", value: "")], body: body)
        request.headers = [
            (name: "content-type", value: "application/xml"), (name: "x-amz-checksum-sha256", value: body.checksum),
            (
                name: "content-md5",
                value: Data(Insecure.MD5.hash(data: Array(body.buffer.readableBytesView))).base64EncodedString()
            ),
        ]
        let root = try XMLElement(document: try await send(request).body)
        return root.all("Error").filter { $0["Code"] != "NoSuchKey" }.map { error in
            (error["Key"] ?? "", StoreError(.unavailable, "S3 does not remove it: \(error["Code"] ?? "no reason")"))
        }
    }

    /// Names that begin with `prefix`, in their order: at most `limit` of those behind `last`.
    package func list(_ prefix: String, after last: String?, limit: Int) async throws(StoreError) -> [String] {
        var request = S3Request(method: .GET)
        request.query = [
            (name: "list-type", value: "2"), (name: "prefix", value: prefix),
            (name: "max-keys", value: "\(min(limit, 1000))"),
        ]
        if let last { request.query.append((name: "start-after", value: last)) }
        let root = try XMLElement(document: try await send(request).body)
        return root.all("Contents").compactMap { $0["Key"] }
    }
}

extension String {
    /// An ETag without its quotes.
    var unquoted: String {
        var text = self[...]
        if text.hasPrefix("W/") { text = text.dropFirst(2) }
        if text.count > 1, text.hasPrefix("\""), text.hasSuffix("\"") { text = text.dropFirst().dropLast() }
        return String(text)
    }

    var escapedForXML: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
