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
        String(decoding: known(in: Array(Masker.form(text).utf8)), as: UTF8.self)
    }

    /// The text with nothing but the literal secrets masked: for content whose own names say nothing.
    package func literals(_ text: String) -> String { String(decoding: known(in: Array(text.utf8)), as: UTF8.self) }

    /// Bytes of any kind: as `text` where they are text, else as `text` the lines that are, such as those of a head
    /// before a body.
    package func bytes(_ bytes: [UInt8]) -> [UInt8] {
        if let text = String(validating: bytes, as: UTF8.self) { return Array(self.text(text).utf8) }
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map { line in
            String(validating: line, as: UTF8.self).map { Array(Masker.form($0).utf8) } ?? Array(line)
        }
        return known(in: Array(lines.joined(separator: [10])))
    }

    /// The text with secret parameters and everything in a token's form masked: for messages outside a run.
    package static func form(_ text: String) -> String { tokens(parameters(userInfo(text))) }

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

    // MARK: forms

    /// Masks what stands before `@` in the authority of a URL.
    private static func userInfo(_ text: String) -> String {
        guard text.contains("://"), text.contains("@") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.range(of: "://") {
            result += rest[..<mark.upperBound]
            rest = rest[mark.upperBound...]
            let authority = rest.prefix { !"/?# \"'<>\n\r\t".contains($0) }
            guard let at = authority.lastIndex(of: "@") else { continue }
            result += mask
            rest = rest[at...]
        }
        return result + rest
    }

    /// Masks JSON Web Tokens, and what stands behind `Bearer` and `Basic`.
    private static func tokens(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard index == 0 || !SecretNames.isToken(bytes[index - 1]), SecretNames.isToken(bytes[index]) else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let word = bytes[index...].prefix(while: SecretNames.isToken)
            let parts = word.split(separator: UInt8(ascii: "."))
            if parts.count >= 2, let head = parts.firstIndex(where: { $0.starts(with: "eyJ".utf8) && $0.count > 5 }) {
                result += bytes[index..<parts[head].startIndex] + Array(mask.utf8)
            } else if isCredential(word, behind: result) {
                result += Array(mask.utf8)
            } else {
                result += word
            }
            index += word.count
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static func isCredential(_ word: ArraySlice<UInt8>, behind text: [UInt8]) -> Bool {
        guard text.last == UInt8(ascii: " ") else { return false }
        var end = text.count
        while end > 0, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
        guard end >= 5 else { return false }
        let before = String(decoding: text[max(0, end - 6)..<end], as: UTF8.self).lowercased()
        return (before.hasSuffix("bearer") || before.hasSuffix("basic")) && SecretNames.isCredential(word)
    }

    /// Masks `name=value` and `"name":"value"` where the name is one that carries a secret.
    private static func parameters(_ text: String) -> String {
        guard text.contains("=") || text.contains(":") || text.contains("%3") else { return text }
        var result = ""
        var rest = text[...]
        while let mark = rest.indices.first(where: { isMark(rest[$0...]) }) {
            let name = trailingName(rest[..<mark])
            let isColon = rest[mark] == ":"
            let end = rest.index(mark, offsetBy: rest[mark] == "%" ? 3 : 1)
            result += rest[..<end]
            rest = rest[end...]
            guard !name.isEmpty, SecretNames.holds(String(name)) else { continue }
            let isHeader = isColon && name.startIndex > text.startIndex && rest.first == " " && begins(name, text)
            let (lead, value) =
                isHeader ? (" ", rest.dropFirst().prefix { !$0.isNewline }) : secretValue(rest, isJSON: isColon)
            guard !value.isEmpty else { continue }
            result += lead + mask
            rest = rest[value.endIndex...]
        }
        return result + rest
    }

    /// Whether a name may stand before it: `=`, `:`, or an escaped `=`.
    private static func isMark(_ text: Substring) -> Bool {
        guard let first = text.first else { return false }
        return first == "=" || first == ":" || first == "%" && text.lowercased(first: 3) == "%3d"
    }

    /// Whether a name begins a line, as that of a header does.
    private static func begins(_ name: Substring, _ text: String) -> Bool {
        text[text.index(before: name.startIndex)].isNewline
    }

    private static func trailingName(_ text: Substring) -> Substring {
        var text = text
        while text.last == " " { text = text.dropLast() }
        while text.last == "\"" || text.last == "\\" { text = text.dropLast() }
        let start = text.lastIndex { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        guard let start else { return text }
        let name = text[text.index(after: start)...]
        // An escaped `&` or `?` before a name is none of its letters.
        for (mark, escape) in [("\\", "u0026"), ("%", "26"), ("%", "3F"), ("%", "3f")]
        where text[start...].hasPrefix(mark) && name.hasPrefix(escape) {
            return name.dropFirst(escape.count)
        }
        return name
    }

    private static func secretValue(_ rest: Substring, isJSON: Bool) -> (lead: String, value: Substring) {
        let blanks = rest.prefix { $0 == " " }
        let body = rest[blanks.endIndex...]
        let none = ("", rest[rest.startIndex..<rest.startIndex])
        if body.first == "\"" || body.hasPrefix("\\\"") {
            let quote = body.first == "\"" ? "\"" : "\\\""
            let inner = body.dropFirst(quote.count)
            return (blanks + quote, quoted(inner, until: quote))
        }
        if isJSON { return none }
        return (String(blanks), parameter(body))
    }

    /// The value of a parameter: in a query `;` and `,` belong to it, before a blank they end it. The `&` that ends it
    /// may be escaped, in JSON or by percent.
    private static func parameter(_ body: Substring) -> Substring {
        var end = body.startIndex
        while end < body.endIndex, !"& \"'<>\n\r)".contains(body[end]) {
            let rest = body[end...]
            if rest.hasPrefix("\\u0026") || rest.lowercased(first: 3) == "%26" { break }
            let next = body.index(after: end)
            if rest.first == ";" || rest.first == ",", next == body.endIndex || body[next] == " " { break }
            end = next
        }
        return body[..<end]
    }

    /// What stands before the closing quote, escaped characters passed over.
    private static func quoted(_ text: Substring, until quote: String) -> Substring {
        if quote != "\"" { return text.range(of: quote).map { text[..<$0.lowerBound] } ?? text }
        var index = text.startIndex
        while index < text.endIndex, text[index] != "\"" {
            index = text.index(after: index)
            if index < text.endIndex, text[text.index(before: index)] == "\\" { index = text.index(after: index) }
        }
        return text[..<index]
    }
}

extension Substring {
    /// The first characters in lower case.
    fileprivate func lowercased(first count: Int) -> String { prefix(count).lowercased() }
}
