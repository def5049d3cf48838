import Foundation
import Synchronization

/// Keeps secrets out of everything that is written: by the names of headers, parameters and fields that carry them,
/// by the forms of tokens, and by the literal values that the run knows to be secret. It masks values where they enter
/// a report, never a finished one: a password may be a word of the report's own.
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

    /// Never lets `secret` pass from now on. Very short ones are ignored: they would mask ordinary text.
    package func learn(_ secret: String) {
        guard secret.utf8.count >= 4 else { return }
        let forms: Set<String> = [
            secret, queryEscaped(secret), Data(secret.utf8).base64EncodedString(),
            secret.replacingOccurrences(of: "/", with: "\\/"),
            String(JSONText.string(secret).dropFirst().dropLast()),
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

    /// The text with every literal secret, every secret parameter and everything in a token's form masked.
    package func text(_ text: String) -> String {
        String(decoding: known(in: SecretForms.masked(Array(text.utf8))), as: UTF8.self)
    }

    /// The text with nothing but the literal secrets masked: for content whose own names say nothing.
    package func literals(_ text: String) -> String { String(decoding: known(in: Array(text.utf8)), as: UTF8.self) }

    /// Bytes of any kind: as `text` where they are text, else as `text` the lines that are, such as those of a head
    /// before a body.
    package func bytes(_ bytes: [UInt8]) -> [UInt8] {
        if String(validating: bytes, as: UTF8.self) != nil { return known(in: SecretForms.masked(bytes)) }
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { line in
            String(validating: line, as: UTF8.self) == nil ? Array(line) : SecretForms.masked(Array(line))
        }
        return known(in: Array(lines.joined(separator: [10])))
    }

    /// The text with secret parameters and everything in a token's form masked: for messages outside a run.
    package static func form(_ text: String) -> String {
        String(decoding: SecretForms.masked(Array(text.utf8)), as: UTF8.self)
    }

    private func known(in bytes: [UInt8]) -> [UInt8] {
        let byStart = literals.withLock { $0.byStart }
        guard !byStart.isEmpty, bytes.count >= 4 else { return bytes }
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
        return result
    }

    /// Header lines with the values of secret ones masked; cookies' values are learned.
    package func headers(_ headers: Headers) -> Headers {
        for field in headers.fields where ["set-cookie", "cookie"].contains(field.name.lowercased()) {
            learnCookies(field.value, all: field.name.lowercased() == "cookie")
        }
        return Headers(
            headers.fields.map { field in
                guard SecretNames.holds(field.name) else { return (field.name, text(field.value)) }
                let scheme = field.value.split(separator: " ").first.map(String.init) ?? ""
                let keeps =
                    field.name.lowercased().hasSuffix("authorization")
                    && ["basic", "bearer"].contains(scheme.lowercased())
                return (field.name, keeps ? "\(scheme) \(Masker.mask)" : Masker.mask)
            })
    }

    /// The first pair of `Set-Cookie` is the cookie, the others say how to keep it; all pairs of `Cookie` are cookies.
    private func learnCookies(_ value: String, all: Bool) {
        for pair in value.split(separator: ";").prefix(all ? Int.max : 1) {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2 else { continue }
            learn(pair.trimmed)
            learn(parts[1].trimmed)
        }
    }
}
