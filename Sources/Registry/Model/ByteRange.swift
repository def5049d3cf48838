/// The `Range` header of a download (RFC 9110 section 14), applied to content of a known size.
package enum ByteRange: Equatable, Sendable {
    /// Send everything: no range, another unit, several ranges, or a form that RFC 9110 lets a server ignore.
    case whole
    /// Send these bytes (206).
    case part(Range<Int64>)
    /// Nothing to send (416).
    case unsatisfiable

    /// Reads a header's value against content of `size` bytes. Never throws: what is no byte range is ignored.
    package static func parse(_ text: String?, size: Int64) -> ByteRange {
        guard let text else { return .whole }
        let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].lowercased() == "bytes", !halves[1].contains(",") else { return .whole }
        let ends = halves[1].trimmed.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else { return .whole }
        let (first, last) = (position(ends[0].trimmed), position(ends[1].trimmed))
        switch (first, last) {
        case (.number(let first), .number(let last)):
            guard first <= last else { return .whole }
            return first < size ? .part(first..<min(last, size - 1) + 1) : .unsatisfiable
        case (.number(let first), .none):
            return first < size ? .part(first..<size) : .unsatisfiable
        case (.none, .number(let suffix)):
            return suffix > 0 && size > 0 ? .part(max(0, size - suffix)..<size) : .unsatisfiable
        case (.none, .none), (.other, _), (_, .other):
            return .whole
        }
    }

    private enum Position { case number(Int64), none, other }

    private static func position(_ text: Substring) -> Position {
        if text.isEmpty { return .none }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return .other }
        return .number(Int64(text) ?? .max)
    }
}

/// The `Content-Range` of a chunk: `first-last`, both inclusive (distribution-spec "Pushing a blob in chunks").
package struct ChunkRange: Equatable, Sendable {
    package let first: Int64
    package let last: Int64

    /// Bytes in the chunk.
    package var count: Int64 { last - first + 1 }

    /// Reads `first-last`; `bytes ` before and `/…` behind are let pass, as some clients send RFC 9110's form.
    /// Throws `ParseError(.contentRange)`.
    package static func parse(_ text: String) throws(ParseError) -> ChunkRange {
        var body = Substring(text).trimmed
        for unit in ["bytes ", "bytes="] where body.hasPrefix(unit) { body = body.dropFirst(unit.count) }
        let ends = body.prefix { $0 != "/" }.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = decimal(ends[0]), let last = decimal(ends[1]), first <= last, last < .max
        else {
            throw ParseError(.contentRange, "Content-Range '\(text.excerpt)' is not first-last, such as 0-1048575")
        }
        return ChunkRange(first: first, last: last)
    }

    private static func decimal(_ text: Substring) -> Int64? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int64(text) : nil
    }
}

extension Substring {
    /// Without the blanks and tabs at both ends.
    package var trimmed: Substring {
        let blank = { (c: Character) in c == " " || c == "\t" }
        guard let first = firstIndex(where: { !blank($0) }), let last = lastIndex(where: { !blank($0) }) else {
            return self[endIndex...]
        }
        return self[first...last]
    }
}
