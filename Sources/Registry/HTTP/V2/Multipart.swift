import Model

/// Several parts of one content in one answer (RFC 9110 section 14.6).
struct Multipart {
    private let partType: String
    private let size: Int64
    private let boundary: String

    /// Parts of content that has this type and `size` bytes. The boundary is drawn anew, so that no content can have it.
    init(type: String, size: Int64) {
        partType = type
        self.size = size
        var random = SystemRandomNumberGenerator()
        boundary = String(random.next(), radix: 36) + String(random.next(), radix: 36)
    }

    /// The answer's Content-Type.
    var type: String { "multipart/byteranges; boundary=\(boundary)" }

    /// The parts, each behind a head of its own.
    func body(_ parts: [(range: Range<Int64>, body: Response.Body)]) -> Response.Body {
        var bodies: [Response.Body] = []
        for (index, part) in parts.enumerated() {
            let head = """
                \(index == 0 ? "" : "\r\n")--\(boundary)\r
                Content-Type: \(partType)\r
                Content-Range: \(Self.contentRange(part.range, of: size))\r
                \r

                """
            bodies += [.bytes(Array(head.utf8)), part.body]
        }
        return .parts(bodies + [.bytes(Array("\r\n--\(boundary)--\r\n".utf8))])
    }

    /// A part's Content-Range.
    static func contentRange(_ range: Range<Int64>, of size: Int64) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)"
    }
}
