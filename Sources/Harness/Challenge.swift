/// A challenge of `WWW-Authenticate` (RFC 9110 section 11.6.1).
package struct Challenge: Sendable, Equatable {
    /// `bearer`, `basic`, in lower case.
    package let scheme: String
    /// Its parameters; names in lower case.
    package private(set) var parameters: [String: String]

    /// A challenge from its parts.
    package init(scheme: String, parameters: [String: String]) {
        (self.scheme, self.parameters) = (scheme, parameters)
    }

    /// All challenges of all lines, each of which may hold several. A name with `=` behind it is a parameter, one without begins a
    /// challenge. Never fails: what reads as neither is passed over.
    package static func all(_ lines: [String]) -> [Challenge] {
        lines.flatMap(challenges)
    }

    private static func challenges(_ line: String) -> [Challenge] {
        var found: [Challenge] = []
        var rest = line[...]
        while true {
            rest = rest.drop { " \t,=\"".contains($0) }
            let name = rest.prefix { !" \t,=\"".contains($0) }
            guard !name.isEmpty else { return found }
            let behind = rest.dropFirst(name.count).drop { " \t".contains($0) }
            guard behind.first == "=", !found.isEmpty else {
                found.append(Challenge(scheme: name.lowercased(), parameters: [:]))
                rest = rest.dropFirst(name.count)
                continue
            }
            rest = behind.dropFirst().drop { " \t".contains($0) }
            found[found.count - 1].parameters[name.lowercased()] = value(&rest)
        }
    }

    /// Takes a token or a quoted string (RFC 9110 section 5.6.4) off the front.
    private static func value(_ rest: inout Substring) -> String {
        guard rest.first == "\"" else {
            let token = rest.prefix { !" \t,".contains($0) }
            rest = rest.dropFirst(token.count)
            return String(token)
        }
        var value = ""
        rest = rest.dropFirst()
        while var character = rest.popFirst(), character != "\"" {
            if character == "\\", let escaped = rest.popFirst() { character = escaped }
            value.append(character)
        }
        return value
    }
}
