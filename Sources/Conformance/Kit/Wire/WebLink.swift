/// One link of a `Link` header (RFC 8288 section 3).
package struct WebLink: Sendable, Equatable {
    /// The target as written, relative or absolute.
    package let reference: String
    /// The relation types of its first `rel`, in lower case.
    package let relations: [String]

    /// Relations that say where else one may go, and nothing of a next page.
    package static let others: Set<String> = ["first", "last", "self", "up", "start"]

    /// All links of all `Link` lines; nil when one of the lines is malformed.
    package static func all(_ headers: Headers) -> [WebLink]? {
        var links: [WebLink] = []
        for line in headers.all("Link") {
            guard let found = parse(line) else { return nil }
            links += found
        }
        return links
    }

    private static func parse(_ line: String) -> [WebLink]? {
        var rest = line[...]
        var links: [WebLink] = []
        while true {
            rest = rest.drop { $0.isWhitespace || $0 == "," }
            guard !rest.isEmpty else { return links }
            guard rest.first == "<", let close = rest.firstIndex(of: ">") else { return nil }
            let reference = String(rest[rest.index(after: rest.startIndex)..<close])
            rest = rest[rest.index(after: close)...]
            var relations: [String]?
            while true {
                rest = rest.drop { $0.isWhitespace }
                guard rest.first == ";" else { break }
                guard let (name, value) = parameter(&rest) else { return nil }
                // Of several, only the first counts.
                if name == "rel", relations == nil {
                    relations = value.lowercased().split { $0.isWhitespace }.map(String.init)
                }
            }
            guard rest.isEmpty || rest.first == "," else { return nil }
            links.append(WebLink(reference: reference, relations: relations ?? []))
        }
    }

    /// A parameter behind its semicolon; an empty one is allowed, an open quotation is not.
    private static func parameter(_ rest: inout Substring) -> (name: String, value: String)? {
        rest = rest.dropFirst().drop { $0.isWhitespace }
        let name = rest.prefix { !"=;,".contains($0) }
        rest = rest[name.endIndex...]
        guard rest.first == "=" else { return (name.trimmed.lowercased(), "") }
        rest = rest.dropFirst().drop { $0.isWhitespace }
        guard rest.first == "\"" else {
            let value = rest.prefix { !";,".contains($0) }
            rest = rest[value.endIndex...]
            return (name.trimmed.lowercased(), value.trimmed)
        }
        var value = ""
        rest = rest.dropFirst()
        while let next = rest.popFirst() {
            if next == "\"" { return (name.trimmed.lowercased(), value) }
            if next == "\\", let escaped = rest.popFirst() { value.append(escaped) } else { value.append(next) }
        }
        return nil
    }
}
