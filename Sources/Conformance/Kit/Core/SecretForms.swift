/// The forms of secrets in a text, as bytes: a run goes through megabytes of answers, and a character at a time is slow.
/// A byte that is no ASCII counts as part of a name.
enum SecretForms {
    static let mask = Array("•••".utf8)

    /// The text with secret parameters and everything in a token's form masked.
    static func masked(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(where: isTelling) else { return text }
        return tokens(parameters(userInfo(text)))
    }

    /// Whether a byte may begin or end what is masked: without any of them there is nothing.
    private static func isTelling(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: "%"), UInt8(ascii: " "), UInt8(ascii: "."): true
        default: false
        }
    }

    // MARK: Credentials in a URL

    /// Masks what stands before `@` in the authority of a URL.
    private static func userInfo(_ text: [UInt8]) -> [UInt8] {
        guard text.contains(UInt8(ascii: "@")) else { return text }
        var result: [UInt8] = []
        var rest = text[...]
        while let mark = rest.indices.first(where: { rest[$0...].starts(with: "://".utf8) }) {
            result += rest[..<(mark + 3)]
            rest = rest[(mark + 3)...]
            guard let at = rest.prefix(while: { !endsAuthority($0) }).lastIndex(of: UInt8(ascii: "@")) else { continue }
            result += mask
            rest = rest[at...]
        }
        return result + rest
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool { "/?# \"'<>\n\r\t".utf8.contains(byte) }

    // MARK: Parameters, fields and header lines

    /// Masks `name=value` and `"name":"value"` where the name is one that carries a secret.
    private static func parameters(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count + 16)
        var rest = text[...]
        while let mark = rest.indices.first(where: { length(ofMarkAt: $0, text) > 0 }) {
            let name = trailingName(rest[..<mark])
            let end = mark + length(ofMarkAt: mark, text)
            result += rest[..<end]
            rest = rest[end...]
            guard !name.isEmpty, SecretNames.holds(name) else { continue }
            let isColon = text[mark] == UInt8(ascii: ":")
            let isHeader =
                isColon && name.startIndex > 0 && isNewline(text[name.startIndex - 1])
                && rest.first == UInt8(ascii: " ")
            let value = isHeader ? rest.dropFirst().prefix { !isNewline($0) } : secretValue(rest, isJSON: isColon)
            guard !value.isEmpty else { continue }
            result += rest[..<value.startIndex] + mask
            rest = rest[value.endIndex...]
        }
        return result + rest
    }

    /// How long the mark is that a name may stand before: `=`, `:`, or an escaped `=`; 0 where there is none.
    private static func length(ofMarkAt index: Int, _ text: [UInt8]) -> Int {
        switch text[index] {
        case UInt8(ascii: "="), UInt8(ascii: ":"): return 1
        case UInt8(ascii: "%"):
            let isEscape =
                index + 2 < text.count && text[index + 1] == UInt8(ascii: "3")
                && text[index + 2] | 0x20 == UInt8(ascii: "d")
            return isEscape ? 3 : 0
        default: return 0
        }
    }

    private static func isNewline(_ byte: UInt8) -> Bool { (10...13).contains(byte) }

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"), 128...: true
        default: false
        }
    }

    private static func trailingName(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text
        while text.last == UInt8(ascii: " ") { text = text.dropLast() }
        while let last = text.last, last == UInt8(ascii: "\"") || last == UInt8(ascii: "\\") { text = text.dropLast() }
        guard let start = text.lastIndex(where: { !isOfName($0) }) else { return text }
        let name = text[(start + 1)...]
        // An escaped `&` or `?` before a name is none of its letters.
        for (mark, escape) in [("\\", "u0026"), ("%", "26"), ("%", "3F"), ("%", "3f")]
        where text[start] == mark.utf8.first && name.starts(with: escape.utf8) {
            return name.dropFirst(escape.utf8.count)
        }
        return name
    }

    /// The value behind a mark; empty where there is none.
    private static func secretValue(_ rest: ArraySlice<UInt8>, isJSON: Bool) -> ArraySlice<UInt8> {
        let body = rest.drop { $0 == UInt8(ascii: " ") }
        for quote in ["\"", "\\\""] where body.starts(with: quote.utf8) {
            return quoted(body.dropFirst(quote.utf8.count), until: quote)
        }
        return isJSON ? body.prefix(0) : parameter(body)
    }

    /// The value of a parameter: in a query `;` and `,` belong to it, before a blank they end it. The `&` that ends it
    /// may be escaped, in JSON or by percent.
    private static func parameter(_ body: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var end = body.startIndex
        while end < body.endIndex, !"& \"'<>\n\r)".utf8.contains(body[end]) {
            let rest = body[end...]
            if rest.starts(with: "\\u0026".utf8) || rest.starts(with: "%26".utf8) { break }
            let isEnd = end + 1 == body.endIndex || body[end + 1] == UInt8(ascii: " ")
            if isEnd, body[end] == UInt8(ascii: ";") || body[end] == UInt8(ascii: ",") { break }
            end += 1
        }
        return body[..<end]
    }

    /// What stands before the closing quote, escaped characters passed over.
    private static func quoted(_ text: ArraySlice<UInt8>, until quote: String) -> ArraySlice<UInt8> {
        var index = text.startIndex
        while index < text.endIndex, !text[index...].starts(with: quote.utf8) {
            index += text[index] == UInt8(ascii: "\\") && quote.utf8.count == 1 ? 2 : 1
        }
        return text[..<min(index, text.endIndex)]
    }

    // MARK: Tokens

    /// Masks JSON Web Tokens, and what stands behind `Bearer` and `Basic`.
    private static func tokens(_ text: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.count)
        var index = 0
        while index < text.count {
            let end = text[index...].firstIndex { !SecretNames.isToken($0) } ?? text.count
            if end > index { result += masked(text[index..<end], behind: result) }
            let next = text[end...].firstIndex(where: SecretNames.isToken) ?? text.count
            result += text[end..<next]
            index = next
        }
        return result
    }

    /// A word, masked where it is a token or a credential.
    private static func masked(_ word: ArraySlice<UInt8>, behind text: [UInt8]) -> ArraySlice<UInt8> {
        if word.count > 7, word.contains(UInt8(ascii: ".")) {
            let parts = word.split(separator: UInt8(ascii: "."))
            if parts.count >= 2, let head = parts.firstIndex(where: { $0.starts(with: "eyJ".utf8) && $0.count > 5 }) {
                return word[..<parts[head].startIndex] + mask
            }
        }
        return isCredential(word, behind: text) ? mask[...] : word
    }

    private static func isCredential(_ word: ArraySlice<UInt8>, behind text: [UInt8]) -> Bool {
        guard text.last == UInt8(ascii: " ") else { return false }
        let before = text[...(text.lastIndex { $0 != UInt8(ascii: " ") } ?? text.startIndex)].suffix(6).map {
            $0 | 0x20
        }
        let isScheme = ["bearer", "basic"].contains { before.suffix($0.utf8.count).elementsEqual($0.utf8) }
        return isScheme && SecretNames.isCredential(word)
    }
}
