/// A line of the log, bounded in length, in which text from outside can neither begin a line of its own nor pass for
/// another value, nor move a terminal's cursor or turn its text round.
package struct LogLine: Sendable {
    /// Most bytes of a value; what is cut off is told by three dots.
    package static let valueLimit = 2048
    /// Most bytes of a line, values that follow are left out.
    package static let limit = 16 << 10

    private var bytes: [UInt8] = []

    /// An empty line.
    package init() {}

    /// Appends text of our own.
    package mutating func plain(_ text: String) { bytes += text.utf8 }

    /// Appends a message: as it is but for what is escaped.
    package mutating func text(_ text: String) { append(text) { _ in false } }

    /// Appends a value: in quotes where it could pass for more than one.
    package mutating func value(_ text: String) {
        // Nearly all of them.
        if !text.isEmpty, fits(text), text.utf8.allSatisfy({ Self.isShown($0) && $0 != 0x20 && $0 != 0x3d }) {
            bytes += text.utf8
            return
        }
        let head = text.utf8.prefix(Self.valueLimit)
        let isPlain =
            !head.isEmpty
            && text.unicodeScalars.prefix(Self.valueLimit).allSatisfy { scalar in
                scalar != " " && scalar != "=" && scalar != "\"" && scalar != "\\" && !Self.isEscaped(scalar)
            }
        guard !isPlain else { return append(text) { _ in false } }
        quoted(text)
    }

    /// Appends a JSON object of texts; of two with one name the last counts.
    package mutating func object(_ members: [(String, String)]) {
        var seen: Set<String> = []
        let last = Array(members.reversed().filter { seen.insert($0.0).inserted }.reversed())
        for (index, (key, value)) in last.enumerated() {
            bytes += index == 0 ? "{\"".utf8 : ",\"".utf8
            append(key) { $0 == "\"" || $0 == "\\" }
            bytes += "\":".utf8
            quoted(value)
        }
        bytes.append(UInt8(ascii: "}"))
    }

    /// Appends a text in quotes, as JSON has it.
    package mutating func quoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        append(text) { $0 == "\"" || $0 == "\\" }
        bytes.append(UInt8(ascii: "\""))
    }

    /// What there is, without an end.
    package var content: [UInt8] { bytes }

    /// The line with its end.
    package func finished() -> [UInt8] { bytes + [UInt8(ascii: "\n")] }

    private func fits(_ text: String) -> Bool {
        text.utf8.count <= min(Self.valueLimit, Self.limit - bytes.count)
    }

    /// Whether a byte stands for itself, in quotes too.
    private static func isShown(_ byte: UInt8) -> Bool { byte >= 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c }

    private mutating func append(_ text: String, isQuoted: (Unicode.Scalar) -> Bool) {
        if fits(text), text.utf8.allSatisfy(Self.isShown) {
            bytes += text.utf8
            return
        }
        let limit = min(Self.valueLimit, max(0, Self.limit - bytes.count))
        let end = bytes.count + limit
        for scalar in text.unicodeScalars {
            guard bytes.count < end else {
                bytes += "...".utf8
                return
            }
            if isQuoted(scalar) {
                bytes += [UInt8(ascii: "\\"), UInt8(truncatingIfNeeded: scalar.value)]
            } else if Self.isEscaped(scalar) {
                escape(scalar)
            } else {
                bytes += UTF8.encode(scalar).map { Array($0) } ?? []
            }
        }
    }

    /// As JSON writes it, and text too: `\u001b`; beyond the sixteen bits as two halves.
    private mutating func escape(_ scalar: Unicode.Scalar) {
        for unit in UTF16.encode(scalar).map({ Array($0) }) ?? [] {
            let digits = String(unit, radix: 16)
            bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
        }
    }

    /// Controls of both sets, line and paragraph separators, and what has no shape but turns or hides others (bidi marks,
    /// joiners, tags).
    private static func isEscaped(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.value >= 0x7f else { return scalar.value < 0x20 }
        guard scalar.value > 0x9f else { return true }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate, .unassigned: return true
        default: return false
        }
    }
}
