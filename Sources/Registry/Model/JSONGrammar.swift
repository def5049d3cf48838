/// Reads a JSON text strictly (RFC 8259), for what a lenient decoder lets pass: a comma too many, a number that begins
/// with 0, a raw control character, a byte order mark, and a key that stands twice in one object. Of two such keys one
/// reader takes the first and another the last, so that a client could see another manifest than the registry did.
struct JSONGrammar {
    /// Levels of objects and arrays that are read.
    private static let depthLimit = 500

    private let bytes: [UInt8]
    private var at = 0
    /// The keys so far of the objects around, by their bytes: two spellings of one letter are two keys; nil for an array.
    private var open: [Set<ArraySlice<UInt8>>?] = []

    /// Throws `ParseError(.manifest)` with what is wrong and where.
    static func check(_ bytes: [UInt8]) throws(ParseError) {
        var reader = JSONGrammar(bytes: bytes)
        try reader.read()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// The byte at hand; 0, which no JSON has, at the end.
    private var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }

    private mutating func read() throws(ParseError) {
        repeat {
            try beginValue()
            // After a value: the ends of what it stands in, then a comma and the next one.
            while true {
                skipBlanks()
                guard let keys = open.last else { break }
                if byte == UInt8(ascii: keys == nil ? "]" : "}") {
                    open.removeLast()
                    at += 1
                    continue
                }
                guard byte == UInt8(ascii: ",") else { throw wrong() }
                at += 1
                if keys != nil { try readKey() }
                break
            }
        } while !open.isEmpty
        guard at == bytes.count else { throw wrong() }
    }

    /// Reads up to the end of a scalar or of an empty container; of others up to their first value.
    private mutating func beginValue() throws(ParseError) {
        skipBlanks()
        while byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
            guard open.count < Self.depthLimit else {
                throw ParseError(.manifest, "the manifest is nested deeper than \(Self.depthLimit) levels")
            }
            let isObject = byte == UInt8(ascii: "{")
            open.append(isObject ? [] : nil)
            at += 1
            skipBlanks()
            // The end is looked at by the caller.
            if byte == UInt8(ascii: isObject ? "}" : "]") { return }
            if isObject { try readKey() }
            skipBlanks()
        }
        switch byte {
        case UInt8(ascii: "\""): _ = try readString()
        case UInt8(ascii: "t"): try readWord("true")
        case UInt8(ascii: "f"): try readWord("false")
        case UInt8(ascii: "n"): try readWord("null")
        default: try readNumber()
        }
    }

    private mutating func readKey() throws(ParseError) {
        skipBlanks()
        guard byte == UInt8(ascii: "\"") else { throw wrong() }
        let key = unescaped(try readString())
        skipBlanks()
        guard byte == UInt8(ascii: ":") else { throw wrong() }
        at += 1
        guard open[open.count - 1]?.insert(key).inserted == true else {
            let text = String(decoding: key, as: UTF8.self)
            throw ParseError(.manifest, "the manifest has the key '\(text.excerpt)' twice in one object")
        }
    }

    /// Reads a string; gives what stands between its quotes.
    private mutating func readString() throws(ParseError) -> ArraySlice<UInt8> {
        at += 1
        let start = at
        while byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw wrong() }
            if byte == UInt8(ascii: "\\") {
                at += 1
                if byte == UInt8(ascii: "u") {
                    for _ in 0..<4 {
                        at += 1
                        guard Self.hexDigit(byte) != nil else { throw wrong() }
                    }
                } else if Self.escape(byte) == nil {
                    throw wrong()
                }
            }
            at += 1
        }
        at += 1
        return bytes[start..<at - 1]
    }

    private mutating func readWord(_ word: StaticString) throws(ParseError) {
        guard bytes[at...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else {
            throw wrong()
        }
        at += word.utf8CodeUnitCount
    }

    private mutating func readNumber() throws(ParseError) {
        if byte == UInt8(ascii: "-") { at += 1 }
        if byte == UInt8(ascii: "0") { at += 1 } else { try readDigits() }
        if byte == UInt8(ascii: ".") {
            at += 1
            try readDigits()
        }
        if byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E") {
            at += 1
            if byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") { at += 1 }
            try readDigits()
        }
    }

    private mutating func readDigits() throws(ParseError) {
        let start = at
        while (0x30...0x39).contains(byte) { at += 1 }
        guard at > start else { throw wrong() }
    }

    private mutating func skipBlanks() {
        while byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    private func wrong() -> ParseError {
        ParseError(.manifest, "the manifest is not JSON: see byte \(at) of \(bytes.count)")
    }

    /// What a backslash and this byte stand for; nil for `u` and what may not be escaped.
    private static func escape(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): byte
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0c
        case UInt8(ascii: "n"): 0x0a
        case UInt8(ascii: "r"): 0x0d
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    private static func hexDigit(_ byte: UInt8) -> UInt32? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt32.init)
    }

    /// The bytes that a string which was read stands for; half of a surrogate pair alone stands for U+FFFD.
    private func unescaped(_ raw: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard raw.contains(UInt8(ascii: "\\")) else { return raw }
        var out: [UInt8] = []
        var rest = raw
        var units: [UInt16] = []
        func flush() {
            out += Array(String(decoding: units, as: UTF16.self).utf8)
            units = []
        }
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else {
                flush()
                out.append(byte)
                continue
            }
            if let plain = Self.escape(kind) {
                flush()
                out.append(plain)
            } else {
                units.append(UInt16(rest.prefix(4).reduce(0) { $0 << 4 | (Self.hexDigit($1) ?? 0) }))
                rest = rest.dropFirst(4)
            }
        }
        flush()
        return out[...]
    }
}
