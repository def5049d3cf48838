extension JSONReader {
    /// Reads a string; gives what stands between its quotes.
    mutating func readString() throws(ParseError) -> ArraySlice<UInt8> {
        at += 1
        let start = at
        while byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw wrong() }
            if byte == UInt8(ascii: "\\") { try readEscape() } else { at += 1 }
        }
        at += 1
        return bytes[start..<at - 1]
    }

    /// Reads from a backslash to the end of what it begins. Half of a surrogate pair is refused, as readers differ on it: Go
    /// puts U+FFFD in its place, JavaScript and Python keep it, Rust takes none of the text.
    private mutating func readEscape() throws(ParseError) {
        let start = at
        at += 1
        guard byte == UInt8(ascii: "u") else {
            guard Self.escape(byte) != nil else { throw wrong() }
            at += 1
            return
        }
        let unit = try readUnit()
        guard UTF16.isSurrogate(unit) else { return }
        var isPair = false
        if UTF16.isLeadSurrogate(unit), byte == UInt8(ascii: "\\") {
            at += 1
            isPair = byte == UInt8(ascii: "u") ? UTF16.isTrailSurrogate(try readUnit()) : false
        }
        guard isPair else {
            let half = String(decoding: bytes[start..<start + 6], as: UTF8.self)
            throw fault(
                "\(half) at byte \(start) is half of a surrogate pair: write the whole character, or leave it out")
        }
    }

    /// Reads the `u` and the four digits of an escape.
    private mutating func readUnit() throws(ParseError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            at += 1
            guard let digit = Self.hexDigit(byte) else { throw wrong() }
            unit = unit << 4 | digit
        }
        at += 1
        return unit
    }

    mutating func readWord(_ word: StaticString) throws(ParseError) {
        guard bytes[at...].starts(with: UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
        else {
            throw wrong()
        }
        at += word.utf8CodeUnitCount
    }

    mutating func readNumber() throws(ParseError) {
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
        while Self.isDigit(byte) { at += 1 }
        guard at > start else { throw wrong() }
    }

    mutating func skipBlanks() {
        while byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
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

    private static func hexDigit(_ byte: UInt8) -> UInt16? {
        switch byte {
        case 0x30...0x39: UInt16(byte) - 0x30
        case 0x41...0x46: UInt16(byte) - 0x37
        case 0x61...0x66: UInt16(byte) - 0x57
        default: nil
        }
    }

    /// The bytes that a string which was read stands for.
    func unescaped(_ raw: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard var at = raw.firstIndex(of: UInt8(ascii: "\\")) else { return raw }
        var out = Array(raw[..<at])
        func unit(_ start: Int) -> UInt32 {
            raw[start..<start + 4].reduce(0) { $0 << 4 | UInt32(Self.hexDigit($1) ?? 0) }
        }
        while at < raw.endIndex {
            guard raw[at] == UInt8(ascii: "\\") else {
                out.append(raw[at])
                at += 1
                continue
            }
            if let plain = Self.escape(raw[at + 1]) {
                out.append(plain)
                at += 2
                continue
            }
            var scalar = unit(at + 2)
            at += 6
            if 0xd800..<0xdc00 ~= scalar {
                scalar = 0x10000 + (scalar & 0x3ff) << 10 + unit(at + 2) & 0x3ff
                at += 6
            }
            out += UTF8.encode(Unicode.Scalar(scalar) ?? "\u{fffd}").map { Array($0) } ?? []
        }
        return out[...]
    }
}
