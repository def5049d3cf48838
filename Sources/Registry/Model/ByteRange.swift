/// The `Range` header of a download (RFC 9110 section 14), applied to content of a known size.
package enum ByteRange: Equatable, Sendable {
    /// Send everything: no range, another unit, too many ranges, or a form that RFC 9110 lets a server ignore.
    case whole
    /// Send these bytes (206).
    case part(Range<Int64>)
    /// Send these, which do not overlap, in this order (206 with `multipart/byteranges`): two of them or more.
    case parts([Range<Int64>])
    /// Nothing to send (416).
    case unsatisfiable

    /// Most parts that are sent; most that may be asked for, before those that overlap are joined (RFC 9110 section 14.2
    /// warns of many small ones).
    private static let (mostParts, mostAsked) = (16, 64)
    /// Parts nearer than this are sent as one: what lies between costs less than a part's head.
    private static let nearness: Int64 = 128

    /// Reads a header's value against content of `size` bytes. Never throws: what is no byte range is ignored.
    package static func parse(_ text: String?, size: Int64) -> ByteRange {
        guard let text else { return .whole }
        let halves = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, halves[0].lowercased() == "bytes" else { return .whole }
        var asked: [Range<Int64>?] = []
        for item in halves[1].split(separator: ",", maxSplits: mostAsked, omittingEmptySubsequences: false) {
            let item = item.trimmed
            // A list may have empty elements (RFC 9110 section 5.6.1.2).
            if item.isEmpty { continue }
            guard asked.count < mostAsked, let range = spec(item, size: size) else { return .whole }
            asked.append(range.isEmpty ? nil : range)
        }
        guard !asked.isEmpty else { return .whole }
        let parts = joined(asked.compactMap { $0 })
        switch parts.count {
        case 0: return .unsatisfiable
        case 1: return .part(parts[0])
        case ...mostParts: return .parts(parts)
        default: return .whole
        }
    }

    /// The bytes that one element means, none when it cannot be satisfied; nil when it is no byte range.
    private static func spec(_ text: Substring, size: Int64) -> Range<Int64>? {
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2 else { return nil }
        switch (position(ends[0].trimmed), position(ends[1].trimmed)) {
        case (.number(let first), .number(let last)):
            guard first <= last else { return nil }
            return first < size ? first..<min(last, size - 1) + 1 : 0..<0
        case (.number(let first), .none):
            return first < size ? first..<size : 0..<0
        case (.none, .number(let suffix)):
            return suffix > 0 && size > 0 ? max(0, size - suffix)..<size : 0..<0
        case (.none, .none), (.other, _), (_, .other):
            return nil
        }
    }

    /// What overlaps, touches or nearly does is one; each stands where the first of it was asked for.
    private static func joined(_ ranges: [Range<Int64>]) -> [Range<Int64>] {
        let ascending = ranges.enumerated().sorted { $0.element.lowerBound < $1.element.lowerBound }
        var parts: [(place: Int, range: Range<Int64>)] = []
        for (place, range) in ascending {
            if let last = parts.last, range.lowerBound - last.range.upperBound < nearness {
                let end = max(last.range.upperBound, range.upperBound)
                parts[parts.count - 1] = (min(last.place, place), last.range.lowerBound..<end)
            } else {
                parts.append((place, range))
            }
        }
        return parts.sorted { $0.place < $1.place }.map(\.range)
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
