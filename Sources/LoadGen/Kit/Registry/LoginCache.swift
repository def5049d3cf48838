/// Tokens of one event loop by scope. Touched on it only.
final class LoginCache {
    private var tokens: [String: (value: String, until: Nanoseconds)] = [:]
    /// How the registry asks for credentials, once it has.
    var challenge: Challenge?

    func token(for scope: String) -> String? {
        guard let token = tokens[scope], token.until > MonotonicClock.now() else { return nil }
        return token.value
    }

    /// - Parameter lifetime: what the token server said, or 60 s; the last fifth is not used.
    func keep(_ token: String, for scope: String, lifetime: Duration) {
        if tokens.count > 10_000 { tokens.removeAll() }
        tokens[scope] = (token, MonotonicClock.now() + lifetime.nanoseconds / 5 * 4)
    }

    func forget(_ scope: String) {
        tokens[scope] = nil
    }
}

/// A `WWW-Authenticate` of RFC 7235 as registries send it.
package enum Challenge: Equatable, Sendable {
    case basic
    case bearer(realm: String, service: String?, scope: String?)

    /// Reads one field's value; `nil` for a scheme that is not known or a Bearer without realm.
    package init?(_ field: String) {
        let scheme = field.prefix { $0 != " " }.lowercased()
        let rest = field.dropFirst(scheme.count)
        switch scheme {
        case "basic": self = .basic
        case "bearer":
            let parameters = Self.parameters(rest)
            guard let realm = parameters["realm"] else { return nil }
            self = .bearer(realm: realm, service: parameters["service"], scope: parameters["scope"])
        default: return nil
        }
    }

    private static func parameters(_ text: Substring) -> [String: String] {
        var found: [String: String] = [:]
        var rest = text
        while true {
            rest = rest.drop { $0 == " " || $0 == "," }
            let name = rest.prefix { $0 != "=" }
            rest = rest.dropFirst(name.count + 1)
            guard !name.isEmpty, !rest.isEmpty else { return found }
            var value = ""
            if rest.first == "\"" {
                rest = rest.dropFirst()
                while let character = rest.first, character != "\"" {
                    rest = rest.dropFirst()
                    if character == "\\", let escaped = rest.first {
                        value.append(escaped)
                        rest = rest.dropFirst()
                    } else {
                        value.append(character)
                    }
                }
                rest = rest.dropFirst()
            } else {
                value = String(rest.prefix { $0 != "," && $0 != " " })
                rest = rest.dropFirst(value.count)
            }
            found[name.lowercased()] = value
        }
    }
}
