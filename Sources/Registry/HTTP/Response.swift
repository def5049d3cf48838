import Model
import Service
import Vocabulary

/// An answer. Its length is always known, so nothing is ever sent chunked.
package struct Response: Sendable {
    /// What follows the head.
    package enum Body: Sendable {
        case empty
        case bytes([UInt8])
        /// Part of stored content, by sendfile.
        case content(any BlobContent, Range<Int64>)
        /// So many bytes that come in pieces.
        case stream(BlobStream, Int64)
        /// So many bytes that a GET would get.
        case absent(Int64)
        /// One after the other, none of them in parts itself.
        indirect case parts([Body])

        /// Bytes.
        package var length: Int64 {
            switch self {
            case .empty: 0
            case .bytes(let bytes): Int64(bytes.count)
            case .content(_, let range): Int64(range.count)
            case .stream(_, let count), .absent(let count): count
            case .parts(let parts): parts.reduce(0) { $0 + $1.length }
            }
        }
    }

    package var status: Int
    package var headers: [(name: String, value: String)]
    /// Further fields, which were written before.
    package var lines: HeaderLines?
    package var body: Body
    /// Goes into `X-Request-Id`.
    package var requestID = ""
    /// What it takes of the memory for answers, until it is sent.
    package var memory: MemoryShare?
    /// Close the connection behind it.
    package var closes = false

    /// An answer; Content-Length is added when it is sent.
    package init(_ status: Int, _ headers: [(name: String, value: String)] = [], _ body: Body = .empty) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// An answer whose fields were written before.
    package init(_ status: Int, _ lines: HeaderLines, _ body: Body) {
        self.init(status, [], body)
        self.lines = lines
    }

    /// An answer of JSON text.
    package static func json(
        _ status: Int, _ text: [UInt8], type: String = MediaType.json, _ headers: [(name: String, value: String)] = []
    ) -> Response {
        Response(status, [("Content-Type", type)] + headers, .bytes(text))
    }
}
