/// Where a request goes, as a script can say it again.
package enum Place: Sendable, Equatable {
    /// A path on the registry, with its query.
    case path(String)
    /// Any URL.
    case url(String)
    /// What the `header` of an earlier exchange points at, `query` added.
    case follow(exchange: Int, header: String, url: String, query: String)

    /// The same place with more query.
    package func adding(_ query: String) -> Place {
        switch self {
        case .path(let path): .path(Address.adding(query, to: path))
        case .url(let url): .url(Address.adding(query, to: url))
        case .follow(let exchange, let header, let url, let old):
            .follow(exchange: exchange, header: header, url: url, query: old.isEmpty ? query : old + "&" + query)
        }
    }

    /// The absolute URL.
    package func url(on base: Address) -> String {
        switch self {
        case .path(let path): base.origin + path
        case .url(let url): url
        case .follow(_, _, let url, let query): Address.adding(query, to: url)
        }
    }
}

/// One request and what came of it, secrets masked.
package struct Exchange: Sendable {
    /// The answer's part.
    package struct Response: Sendable {
        /// The status code.
        package let status: Int
        /// Header lines, masked.
        package let headers: Headers
        /// Length of the body in bytes.
        package let bodyCount: Int
        /// The sha256 digest of the body.
        package let bodyDigest: String
        /// The beginning of the body where it is text.
        package let sample: String
        /// The whole body, not masked, where rules or scripts look at it and it has 64 KiB at most; never in a report.
        package let json: [UInt8]?
    }

    /// Counted from 1 within its check.
    package let number: Int
    /// The method.
    package let method: String
    /// The URL, masked.
    package let url: String
    /// Header lines, masked.
    package let headers: Headers
    /// Where it went, for the script.
    package let place: Place
    /// The body.
    package let body: Content?
    /// The body as text where it is short and readable, masked.
    package let bodyText: String
    /// How the body was delimited.
    package let framing: Outgoing.Framing
    /// The bytes as sent, when the request did not go through libcurl.
    package let raw: [UInt8]?
    /// The target of a request that did not go through libcurl, where an earlier answer gave it: masked in `raw`.
    package let rawTarget: String?
    /// The answer; nil when none came.
    package let response: Response?
    /// Why no answer came.
    package let failure: String?
    /// How long it took.
    package let duration: Duration
    /// The node that it went to, from 0, of a registry whose nodes are asked in turn.
    var node: Int?
    /// Who asked, where that was somebody of the management API's accounts.
    var actor: Actor?
    /// What the request took from earlier answers; no secret of these is ever written.
    var borrowed: [Borrowed] = []
    /// The answer as it was held against the API's own document.
    var look: ContractLook?
    /// The member of an earlier answer whose secret is in this one.
    var leaked: String?
}

extension Exchange {
    /// `GET http://… → 200`, in one line.
    package var line: String {
        "\(method) \(url)\(by) → \(response.map { String($0.status) } ?? failure ?? "no answer")"
    }

    /// The line with what tells the request from others of its kind: the headers that a check chose.
    package var telling: String {
        let words = headers.fields.filter { Exchange.isTelling($0.name, $0.value) }.map { "\($0.name): \($0.value)" }
        let place = Address(url)?.target ?? url
        let came = response.map { String($0.status) } ?? failure ?? "no answer"
        return "\(method) \(place)\(by) → \(came)" + (words.isEmpty ? "" : " [" + words.joined(separator: "; ") + "]")
    }

    /// Who asked, where checks say so, and which node.
    private var by: String { (actor.map { " by \($0.name)" } ?? "") + (node.map { " at node \($0 + 1)" } ?? "") }

    /// Whether a header of a request says which form of it was sent.
    private static func isTelling(_ name: String, _ value: String) -> Bool {
        !["authorization", "user-agent"].contains(name.lowercased()) && value != "application/octet-stream"
    }

    /// The exchange as text: heads whole, bodies shortened.
    package var text: String {
        var lines = ["> \(method) \(url)\(by)"]
        lines += headers.fields.map { "> \($0.name): \($0.value)" }
        if let body { lines.append("> [\(body.count) bytes, \(body.digest)]\(bodyText)") }
        if let raw { lines.append("> [raw] " + String(Exchange.visible(raw.prefix(600)))) }
        if let response {
            lines.append("< \(response.status)")
            lines += response.headers.fields.map { "< \($0.name): \($0.value)" }
            if response.bodyCount > 0 {
                lines.append("< [\(response.bodyCount) bytes, \(response.bodyDigest)] \(response.sample)")
            }
        }
        if let failure { lines.append("! \(failure)") }
        return lines.joined(separator: "\n")
    }

    /// A body as text, masked; empty where it is long or random.
    static func preview(_ body: Content?, _ masker: Masker) -> String {
        guard let body, case .literal = body.recipe, body.count <= 800 else { return "" }
        return " " + visible(masker.bytes(body.bytes)[...])
    }

    /// The exchange with what became known as a secret after it masked as well.
    func masked(by masker: Masker) -> Exchange {
        let answer = response.map { response in
            Response(
                status: response.status, headers: masker.headers(response.headers), bodyCount: response.bodyCount,
                bodyDigest: response.bodyDigest, sample: masker.text(response.sample), json: response.json)
        }
        var masked = Exchange(
            number: number, method: method, url: masker.text(url), headers: masker.headers(headers), place: place,
            body: body, bodyText: Exchange.preview(body, masker), framing: framing, raw: raw.map(masker.bytes),
            rawTarget: rawTarget, response: answer, failure: failure.map(masker.text), duration: duration)
        (masked.actor, masked.borrowed, masked.look, masked.leaked) = (actor, borrowed, look, leaked)
        masked.node = node
        return masked
    }

    /// Bytes as text, what is no printable ASCII as `\xNN`.
    package static func visible(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            case 0x0A: text += "\\n"
            case 0x0D: text += "\\r"
            default: text += "\\x" + Hex.encode([byte])
            }
        }
        return text
    }
}
