/// One request to an agent: as much of HTTP/1.1 (RFC 9112) as a coordinator needs, and nothing besides.
package struct AgentRequest: Equatable, Sendable {
    /// As they stand in the first line.
    package let method: String
    package let path: String
    /// The value of `Authorization`.
    package let authorization: String?
    /// The connection may be used again.
    package let keepsAlive: Bool
    /// As many bytes as `Content-Length` said.
    package let body: [UInt8]
}

/// Gathers requests from pieces of any size. What it does not know ends the connection.
package struct AgentRequestReader {
    /// What is no request that an agent takes.
    package struct Refusal: Error, Equatable {}

    private static let longestHead = 16_384
    private static let longestBody = 4_194_304
    private static let endOfHead = Array("\r\n\r\n".utf8)
    private var bytes: [UInt8] = []

    /// Nothing has come yet.
    package init() {}

    /// Takes what came; gives a request once one is whole. Throws when it never can be.
    package mutating func read(_ piece: some Sequence<UInt8>) throws(Refusal) -> AgentRequest? {
        bytes.append(contentsOf: piece)
        guard bytes.count <= Self.longestHead + Self.longestBody else { throw Refusal() }
        guard let end = bytes.prefix(Self.longestHead).firstRange(of: Self.endOfHead)?.lowerBound else {
            if bytes.count >= Self.longestHead { throw Refusal() }
            return nil
        }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).split(
            separator: "\r\n", omittingEmptySubsequences: false)
        let first = (lines.first ?? "").split(separator: " ", omittingEmptySubsequences: false)
        guard first.count == 3, first[2].hasPrefix("HTTP/1."), first[1].hasPrefix("/") else { throw Refusal() }
        let fields = try Self.fields(lines.dropFirst())
        guard fields["transfer-encoding"] == nil, let length = Int(fields["content-length"] ?? "0"),
            (0...Self.longestBody).contains(length)
        else { throw Refusal() }
        let start = end + Self.endOfHead.count
        guard bytes.count >= start + length else { return nil }
        let request = AgentRequest(
            method: String(first[0]), path: String(first[1]), authorization: fields["authorization"],
            keepsAlive: first[2] != "HTTP/1.0" && fields["connection"]?.lowercased() != "close",
            body: Array(bytes[start..<(start + length)]))
        bytes.removeFirst(start + length)
        return request
    }

    /// By lower-case name; one that stands twice is refused.
    private static func fields(_ lines: some Sequence<Substring>) throws(Refusal) -> [String: String] {
        var fields: [String: String] = [:]
        for line in lines {
            guard let colon = line.firstIndex(of: ":") else { throw Refusal() }
            let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            let earlier = fields.updateValue(String(value), forKey: line[..<colon].lowercased())
            guard earlier == nil else { throw Refusal() }
        }
        return fields
    }
}
