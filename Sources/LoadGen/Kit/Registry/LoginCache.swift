import Harness

/// Tokens of one event loop by scope. Touched on it only.
final class LoginCache {
    private var tokens: [String: (value: String, until: Nanoseconds, renewal: Nanoseconds)] = [:]
    /// How the registry asks for credentials, once it has.
    var way: LoginWay?

    func token(for scope: String) -> String? {
        guard let token = tokens[scope], token.until > MonotonicClock.now() else { return nil }
        return token.value
    }

    /// - Parameter lifetime: what the token server said, or 60 s; the last fifth is not used.
    func keep(_ token: String, for scope: String, lifetime: Duration) {
        if tokens.count > 10_000 { tokens.removeAll() }
        let now = MonotonicClock.now()
        tokens[scope] = (token, now + lifetime.nanoseconds / 5 * 4, now + lifetime.nanoseconds / 5 * 3)
    }

    /// Whether the token has to be renewed, by whoever asks: said once, so that many at once fetch one.
    func isDue(_ scope: String) -> Bool {
        guard let token = tokens[scope], token.renewal <= MonotonicClock.now() else { return false }
        tokens[scope]?.renewal = token.until
        return true
    }

    func forget(_ scope: String) {
        tokens[scope] = nil
    }
}

/// How a registry wants to be told who asks.
package enum LoginWay: Equatable, Sendable {
    case basic
    case bearer(realm: String, service: String?)

    /// That of all challenges which clients answer: Bearer before Basic, as docker chooses. `nil` when there is none of these, or
    /// a Bearer without realm.
    ///
    /// - Parameter fields: the values of all `WWW-Authenticate`, each with one challenge or several.
    package init?(_ fields: [String]) {
        let all = Challenge.all(fields)
        if let bearer = all.first(where: { $0.scheme == "bearer" && $0.parameters["realm"] != nil })?.parameters {
            self = .bearer(realm: bearer["realm"] ?? "", service: bearer["service"])
        } else if all.contains(where: { $0.scheme == "basic" }) {
            self = .basic
        } else {
            return nil
        }
    }
}
