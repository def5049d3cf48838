import Crypto
import Foundation
import Model
import NIOCore
import NIOHTTP1
import Runtime
import Store

/// A part that a store has.
struct S3Part: Sendable, Equatable {
    let etag: String
    /// 32 bytes.
    let sha256: [UInt8]
}

extension [S3Part] {
    /// The ETag of an object of these parts, where those of the parts are MD5; nil where they are something else.
    var etag: String? {
        var all: [UInt8] = []
        for part in self {
            guard let hash = [UInt8](hex: part.etag), hash.count == 16 else { return nil }
            all += hash
        }
        return "\(Hex.encode([UInt8](Insecure.MD5.hash(data: all))))-\(count)"
    }

    /// What a store that keeps hashes has of an object of these parts, without the number of parts behind it.
    var checksum: String { Data(SHA256.hash(data: flatMap(\.sha256))).base64EncodedString() }
}

extension [UInt8] {
    fileprivate init?(hex text: String) {
        let digits = Array(text.utf8)
        guard digits.count.isMultiple(of: 2) else { return nil }
        var bytes: [UInt8] = []
        for at in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[at..<at + 2], as: UTF8.self), radix: 16) else { return nil }
            bytes.append(byte)
        }
        self = bytes
    }
}

extension S3Client {
    /// Most parts of an object.
    static let mostParts = 10_000
    /// Of a list, each of up to 1000.
    private static let mostPages = 100

    /// Begins an object in parts; gives its id.
    func createUpload(_ name: String) async throws(StoreError) -> String {
        var request = S3Request(method: .POST, name: name, query: [(name: "uploads", value: "")])
        request.headers = [
            (name: "content-type", value: "application/octet-stream"),
            (name: "x-amz-checksum-algorithm", value: "SHA256"),
        ]
        let root = try XMLElement(document: try await send(request).body)
        guard let id = root["UploadId"], !id.isEmpty else {
            throw StoreError(.unavailable, "S3 begins no upload of \(name)")
        }
        return id
    }

    /// Sends a part; one of that number that was sent before is replaced. Throws `.missing` where the upload is over.
    func uploadPart(
        _ number: Int, of name: String, _ upload: String, _ body: S3Body
    ) async throws(StoreError) -> S3Part {
        var request = S3Request(method: .PUT, name: name, body: body, patience: Self.transferPatience)
        request.query = [(name: "partNumber", value: "\(number)"), (name: "uploadId", value: upload)]
        request.headers = [(name: "x-amz-checksum-sha256", value: body.checksum)]
        let answer = try await send(request)
        return S3Part(etag: try etag(of: answer, sent: body, "part \(number) of \(name)"), sha256: body.sha256)
    }

    /// Makes an object of its parts, in the place of the one with the ETag `replaced`, or of none; gives its ETag. Throws
    /// `.conflict` where something else is in that place, `.missing` where the upload is over.
    func completeUpload(
        of name: String, _ upload: String, _ parts: [S3Part], replacing replaced: String?
    ) async throws(StoreError) -> String {
        let list = parts.enumerated().map { index, part in
            "<Part><PartNumber>\(index + 1)</PartNumber><ETag>&quot;\(part.etag.escapedForXML)&quot;</ETag>"
                + "<ChecksumSHA256>\(Data(part.sha256).base64EncodedString())</ChecksumSHA256></Part>"
        }.joined()
        let text =
            "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\(list)</CompleteMultipartUpload>"
        var request = S3Request(
            method: .POST, name: name, query: [(name: "uploadId", value: upload)],
            body: S3Body(hashing: Array(text.utf8)),
            patience: Self.transferPatience, accepted: [404, 412], mayFailLate: true)
        request.headers = [
            (name: "content-type", value: "application/xml"),
            replaced.map { (name: "if-match", value: "\"\($0)\"") } ?? (name: "if-none-match", value: "*"),
        ]
        let answer = try await send(request)
        guard answer.status == 200 else {
            let etag = try await completedBefore(name, parts, isOver: answer.status == 404)
            if answer.status == 412 { try await abortUpload(of: name, upload) }
            return etag
        }
        guard let etag = try XMLElement(document: answer.body)["ETag"]?.unquoted, !etag.isEmpty else {
            throw StoreError(.unavailable, "S3 gives no ETag for \(name)")
        }
        return etag
    }

    /// The ETag of an object that is there already, and of these parts: by an attempt whose answer, or whose session's end, was
    /// lost. Throws `.missing` or, where the upload is not over, `.conflict` for any other object.
    func completedBefore(_ name: String, _ parts: [S3Part], isOver: Bool) async throws(StoreError) -> String {
        let found = try await head(name)
        let isOurs =
            found.checksum.map { $0.prefix { $0 != "-" } == parts.checksum }
            ?? (parts.etag.map { $0 == found.etag } ?? false)
        guard isOurs else {
            throw StoreError(isOver ? .missing : .conflict, "what stands in the place of \(name) is not of this upload")
        }
        return found.etag
    }

    /// Gives up an object in parts; one that is not there is no error.
    func abortUpload(of name: String, _ upload: String) async throws(StoreError) {
        _ = try await send(
            S3Request(method: .DELETE, name: name, query: [(name: "uploadId", value: upload)], accepted: [404]))
    }

    /// Names that begin with `prefix` of objects that are being made in parts: all of them, in no order, as stores differ in
    /// what they mean by one. Some forget uploads here: what has to be ended is known from elsewhere.
    package func listUploads(_ prefix: String) async throws(StoreError) -> [String] {
        var (names, markers) = ([String](), (key: "", upload: ""))
        for _ in 0..<Self.mostPages {
            var request = S3Request(
                method: .GET, query: [(name: "uploads", value: ""), (name: "prefix", value: prefix)])
            if !markers.key.isEmpty {
                request.query.append((name: "key-marker", value: markers.key))
                request.query.append((name: "upload-id-marker", value: markers.upload))
            }
            let root = try XMLElement(document: try await send(request).body)
            names += root.all("Upload").compactMap { $0["Key"] }.filter { $0.hasPrefix(prefix) }
            let next = (key: root["NextKeyMarker"] ?? "", upload: root["NextUploadIdMarker"] ?? "")
            guard root["IsTruncated"] == "true", !next.key.isEmpty, next != markers else { break }
            markers = next
        }
        return names
    }
}
