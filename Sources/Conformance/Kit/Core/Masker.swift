import Foundation
import Synchronization

/// Keeps secrets out of everything that is written: by the names of headers, parameters and fields that carry them,
/// and by the literal values that the run knows to be secret.
package final class Masker: Sendable {
    /// What stands in a secret's place.
    package static let mask = "•••"

    private let literals = Mutex<Set<String>>([])

    /// Knows no literal secrets yet.
    package init() {}

    private static let secretHeaders: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "set-cookie", "x-amz-security-token", "x-registry-auth",
        "x-api-key",
    ]
    private static let secretNames: Set<String> = [
        "_state", "token", "access_token", "refresh_token", "password", "secret", "client_secret", "sig", "signature",
        "x-amz-signature", "x-amz-credential", "x-amz-security-token", "x-goog-signature", "x-goog-credential",
        "awsaccesskeyid", "key-pair-id", "policy", "se", "sp", "skoid", "verify", "jwt", "auth", "api_key", "hmac",
        "id_token", "credential", "account_key",
    ]

    /// Never lets `secret` pass from now on. Very short ones are ignored: they would mask ordinary text.
    package func learn(_ secret: String) {
        guard secret.count >= 4 else { return }
        let forms: Set<String> = [
            secret, queryEscaped(secret), Data(secret.utf8).base64EncodedString(),
            secret.replacingOccurrences(of: "/", with: "\\/"),
        ]
        literals.withLock { $0.formUnion(forms) }
    }

    /// The text with every literal secret and every secret parameter masked.
    package func text(_ text: String) -> String {
        literalsOnly(Masker.parameters(text))
    }

    /// The text with every literal secret masked: for whole files, whose other parts were masked when they were made.
    package func literalsOnly(_ text: String) -> String {
        var masked = text
        let known = literals.withLock { $0.sorted { $0.count > $1.count } }
        for secret in known where masked.contains(secret) {
            masked = masked.replacingOccurrences(of: secret, with: Masker.mask)
        }
        return masked
    }

    /// Header lines with the values of secret ones masked; cookies' values are learned.
    package func headers(_ headers: Headers) -> Headers {
        Headers(
            headers.fields.map { field in
                let name = field.name.lowercased()
                if name == "set-cookie" || name == "cookie" { learnCookies(field.value) }
                if Masker.secretHeaders.contains(name) {
                    let scheme = field.value.split(separator: " ").first.map(String.init) ?? ""
                    let keeps = name.hasSuffix("authorization") && ["basic", "bearer"].contains(scheme.lowercased())
                    return (field.name, keeps ? "\(scheme) \(Masker.mask)" : Masker.mask)
                }
                return (field.name, text(field.value))
            })
    }

    private func learnCookies(_ value: String) {
        for pair in value.split(separator: ";") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            if parts.count == 2, parts[1].count >= 8 { learn(String(parts[1])) }
        }
    }

    /// Masks `name=value` and `"name":"value"` where the name is one that carries a secret.
    private static func parameters(_ text: String) -> String {
        guard text.contains("=") || text.contains(":") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.firstIndex(where: { $0 == "=" || $0 == ":" }) {
            let before = rest[..<mark]
            let name = trailingName(before)
            result += rest[...mark]
            rest = rest[rest.index(after: mark)...]
            guard secretNames.contains(name.lowercased()) else { continue }
            let isJSON = before.last == "\""
            let (lead, value) = secretValue(rest, isJSON: isJSON || result.last == ":")
            guard !value.isEmpty else { continue }
            result += lead + mask
            rest = rest[value.endIndex...]
        }
        return result + rest
    }

    private static func trailingName(_ text: Substring) -> Substring {
        let text = text.last == "\"" ? text.dropLast() : text
        let start = text.lastIndex { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        return start.map { text[text.index(after: $0)...] } ?? text
    }

    private static func secretValue(_ rest: Substring, isJSON: Bool) -> (lead: String, value: Substring) {
        let blanks = rest.prefix { $0 == " " }
        let body = rest[blanks.endIndex...]
        if isJSON {
            guard body.first == "\"" else { return ("", rest[rest.startIndex..<rest.startIndex]) }
            let inner = body.dropFirst()
            return (blanks + "\"", inner.prefix { $0 != "\"" })
        }
        let end = body.firstIndex { "&;, \"'<>\n\r)".contains($0) } ?? body.endIndex
        return (String(blanks), body[..<end])
    }
}
