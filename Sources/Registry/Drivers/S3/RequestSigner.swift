import Crypto
import Model
import Synchronization

/// Signatures of AWS, version 4, over requests and URLs.
///
/// Paths come encoded once and are signed as they are, which S3 alone of AWS's services wants. The hash over a body is
/// signed with its request: so a store takes neither another body nor half of one, on a connection without TLS too, and
/// chunks with signatures of their own, which exist for bodies whose hash is not known, are not needed.
package final class RequestSigner: Sendable {
    /// What is signed in the place of a body's hash where the body is not known, as in a URL.
    package static let unsigned = "UNSIGNED-PAYLOAD"
    /// The hash over no bytes.
    package static let empty = Hex.encode(Array(SHA256.hash(data: [UInt8]())))

    private struct DayKey {
        let credentials: S3Credentials
        let day: Substring
        let key: SymmetricKey
    }

    private let region: String
    private let service: String
    private let key = Mutex<DayKey?>(nil)

    /// Signatures for this region, such as `eu-central-1`.
    package init(region: String, service: String = "s3") {
        self.region = region
        self.service = service
    }

    /// A moment as signatures have it: `20130524T000000Z`.
    package static func date(_ moment: Timestamp) -> String {
        String(moment.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }) + "Z"
    }

    /// The value of `Authorization`. `headers`: all that are signed, `host` and `x-amz-date` among them, with lower-case names.
    /// `path` is encoded, `query` is not. `bodyHash`: in hexadecimal digits.
    package func authorization(
        _ method: String, _ path: String, _ query: [(name: String, value: String)],
        headers: [(name: String, value: String)], bodyHash: String, at moment: Timestamp, by credentials: S3Credentials
    ) -> String {
        let date = Self.date(moment)
        let names = headers.map(\.name).sorted().joined(separator: ";")
        let signature = signature(
            canonical(method, path, PercentEncoding.query(query), headers, bodyHash), date, credentials)
        return "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope(date)), SignedHeaders=\(names), "
            + "Signature=\(signature)"
    }

    /// The query of a URL by which whoever has it may ask for `path` for so many seconds, a week at most, whatever headers
    /// it sends besides the host.
    package func presignedQuery(
        _ method: String, host: String, path: String, lasting seconds: Int64, at moment: Timestamp,
        by credentials: S3Credentials
    ) -> String {
        let date = Self.date(moment)
        var items = [
            (name: "X-Amz-Algorithm", value: "AWS4-HMAC-SHA256"),
            (name: "X-Amz-Credential", value: "\(credentials.accessKeyID)/\(scope(date))"),
            (name: "X-Amz-Date", value: date), (name: "X-Amz-Expires", value: "\(seconds)"),
            (name: "X-Amz-SignedHeaders", value: "host"),
        ]
        if let token = credentials.sessionToken { items.append((name: "X-Amz-Security-Token", value: token)) }
        let query = PercentEncoding.query(items)
        let signature = signature(
            canonical(method, path, query, [(name: "host", value: host)], Self.unsigned), date, credentials)
        return "\(query)&X-Amz-Signature=\(signature)"
    }

    private func scope(_ date: String) -> String { "\(date.prefix(8))/\(region)/\(service)/aws4_request" }

    private func canonical(
        _ method: String, _ path: String, _ query: String, _ headers: [(name: String, value: String)],
        _ bodyHash: String
    ) -> String {
        let sorted = headers.sorted { $0.name < $1.name }
        let lines = sorted.map { "\($0.name):\(Self.squeezed($0.value))\n" }.joined()
        return "\(method)\n\(path)\n\(query)\n\(lines)\n\(sorted.map(\.name).joined(separator: ";"))\n\(bodyHash)"
    }

    /// Without blanks at its ends, and one where there are several.
    private static func squeezed(_ value: String) -> String {
        value.split(separator: " ").joined(separator: " ")
    }

    private func signature(_ canonical: String, _ date: String, _ credentials: S3Credentials) -> String {
        let hash = Hex.encode(Array(SHA256.hash(data: Array(canonical.utf8))))
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope(date))\n\(hash)"
        let key = dayKey(date.prefix(8), credentials)
        return Hex.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)))
    }

    /// The key of a day, which is the same for all of its requests.
    private func dayKey(_ day: Substring, _ credentials: S3Credentials) -> SymmetricKey {
        key.withLock { known in
            if let known, known.day == day, known.credentials == credentials { return known.key }
            var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
            for part in [String(day), region, service, "aws4_request"] {
                key = SymmetricKey(data: Array(HMAC<SHA256>.authenticationCode(for: Array(part.utf8), using: key)))
            }
            known = DayKey(credentials: credentials, day: day, key: key)
            return key
        }
    }
}
