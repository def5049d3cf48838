import Access
import Model

/// A request whose head has arrived.
package final class Request: Sendable {
    package let method: Method
    /// As it was sent.
    package let target: String
    /// The target's path as it was sent, percent-encoding and all.
    package let path: Substring
    package let query: Query
    /// Of a target in absolute form; it counts for more than Host.
    package let authority: Substring?
    package let headers: Headers
    /// Whether it comes from a proxy that is trusted.
    let isProxied: Bool
    /// Address of the client, without port: the peer's on the socket, unless that is a proxy that is trusted.
    package let remote: String
    /// Whether it came over TLS.
    package let isSecure: Bool
    /// In the answer, the logs and nowhere else.
    package let id: String
    package let body: any RequestBody
    /// Of the connection that it came on.
    let memory: CredentialMemory
    /// What was found out about it on the way: for counts and the access log.
    package let findings = RequestFindings()

    /// A request with this head; its body may be still to come. `proxies` are those that are trusted, where
    /// the peer is one of them; else none.
    package init(
        _ head: RequestHead, peer: String, behind proxies: [AddressBlock] = [], isSecure: Bool = false, id: String,
        body: any RequestBody, memory: CredentialMemory = CredentialMemory()
    ) {
        let (authority, target) = Self.originForm(head.target)
        self.authority = authority
        let question = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        path = question.map { target[..<$0] } ?? target
        query = Query(question.map { target[target.utf8.index(after: $0)...] })
        method = head.method
        self.target = head.target
        headers = head.headers
        isProxied = !proxies.isEmpty
        remote = head.headers.client(behind: proxies, peer: peer)
        self.isSecure = isSecure
        self.id = id
        self.body = body
        self.memory = memory
    }

    /// Who it says that it is from.
    var presented: Presented {
        Presented(authorization: headers["Authorization"], key: headers["X-API-Key"])
    }

    /// Where it comes from.
    var sender: Sender { Sender(address: remote, requestID: id) }

    /// A target parted from the scheme and authority that it may have in front.
    private static func originForm(_ target: String) -> (authority: Substring?, Substring) {
        guard let (authority, rest) = AbsoluteForm.parts(target) else { return (nil, target[...]) }
        return (authority, rest.first == "/" ? rest : "/" + rest)
    }
}

/// A target with scheme and authority, as proxies send it: any scheme, in any case, is taken (RFC 9112 section 3.2.2).
package enum AbsoluteForm {
    /// The authority, which is a host and perhaps a port, and what follows it; nil for a target of another form.
    package static func parts(_ target: String) -> (authority: Substring, rest: Substring)? {
        guard target.utf8.first != UInt8(ascii: "/"), let colon = target.utf8.firstIndex(of: UInt8(ascii: ":")),
            target[colon...].hasPrefix("://"), isScheme(target[..<colon])
        else { return nil }
        let rest = target[target.utf8.index(colon, offsetBy: 3)...]
        let end = rest.utf8.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        guard end > rest.startIndex, rest[..<end].utf8.allSatisfy(\.isHost) else { return nil }
        return (rest[..<end], rest[end...])
    }

    /// RFC 3986 section 3.1.
    private static func isScheme(_ text: Substring) -> Bool {
        let isLetter = { (byte: UInt8) in (0x61...0x7a).contains(byte | 0x20) }
        guard let first = text.utf8.first, isLetter(first) else { return false }
        return text.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || "+-.".utf8.contains($0) }
    }
}

extension UInt8 {
    /// Whether it may stand in a host and port (RFC 3986 section 3.2): printable, and none of ``"<>\^`{|}/?#@``.
    package var isHost: Bool {
        let low: UInt64 = 0x2fff_7ff2_0000_0000
        let high: UInt64 = 0x47ff_fffe_afff_fffe
        return self < 128 && ((self < 64 ? low : high) >> UInt64(self & 63)) & 1 == 1
    }
}

/// The parameters behind `?`, decoded, in their order. `+` stays a plus sign: media types have one, no value has a blank.
package struct Query: Sendable {
    private let items: [(name: String, value: String)]

    package init(_ text: Substring?) {
        guard let text, !text.isEmpty else {
            items = []
            return
        }
        items = text.split(separator: "&").map { item in
            let halves = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (halves[0].percentDecoded, halves.count > 1 ? halves[1].percentDecoded : "")
        }
    }

    /// The first value of a parameter, nil when it is not there.
    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }

    /// The names of the parameters, each once.
    var names: [String] {
        items.enumerated().filter { item in items.firstIndex { $0.name == item.element.name } == item.offset }
            .map(\.element.name)
    }

    /// Every value of a parameter.
    package func all(_ name: String) -> [String] { items.filter { $0.name == name }.map(\.value) }
}

extension Substring {
    /// With `%xx` replaced; text that is not well encoded stays as it is.
    var percentDecoded: String {
        guard utf8.contains(UInt8(ascii: "%")) else { return String(self) }
        var bytes: [UInt8] = []
        var rest = utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = rest.prefix(2).compactMap { Character(Unicode.Scalar($0)).hexDigitValue }
            guard digits.count == 2 else { return String(self) }
            bytes.append(UInt8(digits[0] << 4 | digits[1]))
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self) ?? String(self)
    }
}

extension String {
    /// Fit for a query's value.
    var percentEncoded: String {
        var out = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: ":"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                out += "%" + Hex.encode([byte]).uppercased()
            }
        }
        return out
    }
}
