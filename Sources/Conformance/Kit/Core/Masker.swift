import Foundation
import Synchronization

/// Keeps secrets out of everything that is written: by the names of headers, parameters and fields that carry them,
/// and by the literal values that the run knows to be secret.
package final class Masker: Sendable {
    /// What stands in a secret's place.
    package static let mask = "•••"

    /// Secrets by their first four bytes, so that a text is gone through once, however many there are.
    private struct Literals {
        var known: Set<String> = []
        var byStart: [UInt32: [[UInt8]]] = [:]
    }

    private let literals = Mutex(Literals())

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
        literals.withLock { literals in
            for form in forms where literals.known.insert(form).inserted {
                let bytes = Array(form.utf8)
                var same = literals.byStart[Masker.start(bytes, 0)] ?? []
                same.append(bytes)
                literals.byStart[Masker.start(bytes, 0)] = same.sorted { $0.count > $1.count }
            }
        }
    }

    private static func start(_ bytes: [UInt8], _ index: Int) -> UInt32 {
        UInt32(bytes[index]) << 24 | UInt32(bytes[index + 1]) << 16 | UInt32(bytes[index + 2]) << 8
            | UInt32(bytes[index + 3])
    }

    /// The text with every literal secret and every secret parameter masked.
    package func text(_ text: String) -> String {
        literalsOnly(Masker.parameters(text))
    }

    /// The text with every literal secret masked: for whole files, whose other parts were masked when they were made.
    package func literalsOnly(_ text: String) -> String {
        let byStart = literals.withLock { $0.byStart }
        let bytes = Array(text.utf8)
        guard !byStart.isEmpty, bytes.count >= 4 else { return text }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            if index + 4 <= bytes.count, let candidates = byStart[Masker.start(bytes, index)],
                let found = candidates.first(where: { bytes[index...].starts(with: $0) })
            {
                result += Array(Masker.mask.utf8)
                index += found.count
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
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
            let isJSON = before.last(where: { $0 != " " }) == "\""
            let (lead, value) = secretValue(rest, isJSON: isJSON || result.last == ":")
            guard !value.isEmpty else { continue }
            result += lead + mask
            rest = rest[value.endIndex...]
        }
        return result + rest
    }

    private static func trailingName(_ text: Substring) -> Substring {
        var text = text
        while text.last == " " { text = text.dropLast() }
        if text.last == "\"" { text = text.dropLast() }
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
