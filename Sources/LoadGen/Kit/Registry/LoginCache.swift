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

    /// The one to answer of all that a registry offers: Bearer before Basic, as docker chooses. `nil` when there is none
    /// of these, or a Bearer without realm.
    ///
    /// - Parameter fields: the values of all `WWW-Authenticate`, each with one challenge or several.
    package init?(_ fields: [String]) {
        let offers = fields.flatMap(Self.offers)
        if let (_, bearer) = offers.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil }) {
            self = .bearer(realm: bearer["realm"] ?? "", service: bearer["service"], scope: bearer["scope"])
        } else if offers.contains(where: { $0.scheme == "basic" }) {
            self = .basic
        } else {
            return nil
        }
    }

    /// Schemes, in lower case, with their parameters. A name with `=` behind it is a parameter, one without begins an offer.
    private static func offers(_ field: String) -> [(scheme: String, parameters: [String: String])] {
        var found: [(scheme: String, parameters: [String: String])] = []
        var rest = field[...]
        while true {
            rest = rest.drop { " \t,=\"".contains($0) }
            let name = rest.prefix { !" \t,=\"".contains($0) }
            guard !name.isEmpty else { return found }
            let behind = rest.dropFirst(name.count).drop { " \t".contains($0) }
            guard behind.first == "=", !found.isEmpty else {
                found.append((name.lowercased(), [:]))
                rest = rest.dropFirst(name.count)
                continue
            }
            rest = behind.dropFirst().drop { " \t".contains($0) }
            found[found.count - 1].parameters[name.lowercased()] = value(&rest)
        }
    }

    /// Takes a token or a quoted string (RFC 9110 5.6.4) off the front.
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
