/// Reads a JSON text strictly (RFC 8259), front to back, once. Strict in what a lenient reader lets pass and two readers
/// could take differently: a comma too many, a number that begins with 0, a raw control character, a byte order mark,
/// half of a surrogate pair, a key that stands twice in one object (one reader takes the first and another the last), and a
/// key that differs from a defined one only in case (Go's encoding/json takes it for that one).
///
/// What is read is bounded by what was sent: each byte is looked at a fixed number of times. Every message names the place.
package struct JSONReader {
    /// Levels of objects and arrays that are read.
    private static let depthLimit = 500

    /// An object or array that has begun and not ended.
    struct Frame {
        let isObject: Bool
        /// The member at hand; -1 before the first one.
        var index = -1
        /// The key at hand, as what it stands for.
        var key: ArraySlice<UInt8>?
        /// The defined keys that were there, a bit each.
        var defined: UInt32 = 0
        /// The other keys that were there, by their bytes: two spellings of one letter are two keys.
        var others: Set<Key> = []
    }

    /// The bytes of a key.
    struct Key: Hashable {
        let bytes: ArraySlice<UInt8>

        static func == (first: Key, second: Key) -> Bool { first.bytes.elementsEqual(second.bytes) }

        func hash(into hasher: inout Hasher) { bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }
    }

    let bytes: [UInt8]
    /// What is read, and what messages call it.
    let subject: ParseError.Subject
    let noun: String
    var at = 0
    private(set) var frames: [Frame] = []

    /// Reads UTF-8; every error is one about `subject`, which messages call `noun`. Throws when it is something else.
    package init(
        _ bytes: [UInt8], _ subject: ParseError.Subject = .manifest, noun: String = "the manifest"
    ) throws(ParseError) {
        self.bytes = bytes
        self.subject = subject
        self.noun = noun
        do {
            _ = try UTF8Span(validating: bytes.span)
        } catch {
            throw ParseError(subject, "\(noun) is not UTF-8 text: see byte \(error.byteOffsets.lowerBound)")
        }
    }

    /// The byte at hand; 0, which no JSON has, at the end.
    var byte: UInt8 { at < bytes.count ? bytes[at] : 0 }

    /// Enters an object. `next(_:)` then gives its members.
    package mutating func beginObject() throws(ParseError) {
        skipBlanks()
        guard byte == UInt8(ascii: "{") else { throw mistyped("an object") }
        try begin(isObject: true)
    }

    /// Enters an array. `advance()` then goes to its elements.
    package mutating func beginArray() throws(ParseError) {
        skipBlanks()
        guard byte == UInt8(ascii: "[") else { throw mistyped("an array") }
        try begin(isObject: false)
    }

    private mutating func begin(isObject: Bool) throws(ParseError) {
        guard frames.count < Self.depthLimit else {
            throw ParseError(subject, "\(noun) is nested deeper than \(Self.depthLimit) levels")
        }
        frames.append(Frame(isObject: isObject))
        at += 1
    }

    /// Goes to the value of the next member of what was entered last; false at its end, which is left then.
    package mutating func advance() throws(ParseError) -> Bool {
        let top = frames.count - 1
        let end = UInt8(ascii: frames[top].isObject ? "}" : "]")
        skipBlanks()
        if byte == end {
            frames.removeLast()
            at += 1
            return false
        }
        frames[top].key = nil
        if frames[top].index >= 0 {
            guard byte == UInt8(ascii: ",") else { throw wrong() }
            at += 1
            skipBlanks()
            guard byte != end else { throw wrong() }
        }
        frames[top].index += 1
        guard frames[top].isObject else { return true }
        guard byte == UInt8(ascii: "\"") else { throw wrong() }
        frames[top].key = unescaped(try readString())
        skipBlanks()
        guard byte == UInt8(ascii: ":") else { throw wrong() }
        at += 1
        return true
    }

    /// Goes to the value of the next member that has a defined key, over those with others; nil at the end of the object,
    /// which is left then.
    package mutating func next<Name: DefinedKey>(_: Name.Type) throws(ParseError) -> Name? {
        while try advance() {
            let top = frames.count - 1
            guard let key = frames[top].key else { continue }
            for (place, name) in Name.spelled.enumerated() where key == name.bytes[...] {
                guard frames[top].defined & 1 << place == 0 else { throw twice(key) }
                frames[top].defined |= 1 << place
                return name.key
            }
            let folded = key.folded
            if let name = Name.spelled.first(where: { $0.folded == folded }) { throw alike(key, name.key.rawValue) }
            try remember()
            try skip()
        }
        return nil
    }

    /// Goes to the value of the next member of an object whose keys are anybody's; false at its end, which is left then.
    mutating func nextMember() throws(ParseError) -> Bool {
        guard try advance() else { return false }
        try remember()
        return true
    }

    /// Sees to it that the key at hand was not there before.
    private mutating func remember() throws(ParseError) {
        let top = frames.count - 1
        guard let key = frames[top].key, !frames[top].others.insert(Key(bytes: key)).inserted else { return }
        throw twice(key)
    }

    /// Reads over a value of any kind.
    package mutating func skip() throws(ParseError) {
        let base = frames.count
        repeat {
            skipBlanks()
            switch byte {
            case UInt8(ascii: "{"): try begin(isObject: true)
            case UInt8(ascii: "["): try begin(isObject: false)
            case UInt8(ascii: "\""): _ = try readString()
            case UInt8(ascii: "t"): try readWord("true")
            case UInt8(ascii: "f"): try readWord("false")
            case UInt8(ascii: "n"): try readWord("null")
            default: try readNumber()
            }
            while frames.count > base, try !nextMember() {}
        } while frames.count > base
    }

    /// Reads `null`, if that is the value; whether it is.
    package mutating func takeNull() throws(ParseError) -> Bool {
        skipBlanks()
        guard byte == UInt8(ascii: "n") else { return false }
        try readWord("null")
        return true
    }

    /// Reads a string that is kept: one with a NUL character can't be, in every store.
    package mutating func text() throws(ParseError) -> String {
        let content = try readText()
        guard !content.contains(0) else { throw fault("there is a NUL character in it") }
        return String(decoding: content, as: UTF8.self)
    }

    /// Reads a string; gives the bytes that it stands for.
    mutating func readText() throws(ParseError) -> ArraySlice<UInt8> {
        skipBlanks()
        guard byte == UInt8(ascii: "\"") else { throw mistyped("text") }
        return unescaped(try readString())
    }

    /// Reads a count as typed clients do: Go takes neither `2.0` nor `2e0` for an integer, and Rust's serde no `-0`.
    package mutating func count() throws(ParseError) -> Int64 {
        let kind = "a whole number from 0 to \(Int64.max), without fraction or exponent"
        skipBlanks()
        let start = at
        guard byte == UInt8(ascii: "-") || Self.isDigit(byte) else { throw mistyped(kind) }
        try readNumber()
        let digits = bytes[start..<at]
        guard digits.allSatisfy(Self.isDigit), let count = Int64(String(decoding: digits, as: UTF8.self)) else {
            throw fault("must be \(kind)")
        }
        return count
    }

    /// Sees to it that nothing follows.
    package mutating func finish() throws(ParseError) {
        skipBlanks()
        guard at == bytes.count else { throw wrong() }
    }

    static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
}

/// The keys that an object may have, by their exact spelling.
package protocol DefinedKey: RawRepresentable<String>, CaseIterable, Sendable {
    /// Each key with its bytes, and these as `folded` makes them; at most 32.
    static var spelled: [SpelledKey<Self>] { get }
}

/// A defined key and what it is compared with.
package struct SpelledKey<Name: DefinedKey>: Sendable {
    let key: Name
    let bytes: [UInt8]
    let folded: [UInt8]

    /// All of them, for `spelled`.
    package static var all: [SpelledKey] {
        Name.allCases.map { SpelledKey(key: $0, bytes: Array($0.rawValue.utf8), folded: $0.rawValue.utf8.folded) }
    }
}

extension Collection<UInt8> {
    /// A key as Go's encoding/json compares it with a name of ASCII letters: without case, with ſ (U+017F) taken for s and
    /// the Kelvin sign (U+212A) for k. Of a key longer than any name only the beginning.
    var folded: [UInt8] {
        var out: [UInt8] = []
        var rest = prefix(64)[...]
        while let byte = rest.popFirst() {
            if byte == 0xc5, rest.first == 0xbf {
                out.append(UInt8(ascii: "s"))
                rest = rest.dropFirst()
            } else if byte == 0xe2, rest.starts(with: [0x84, 0xaa]) {
                out.append(UInt8(ascii: "k"))
                rest = rest.dropFirst(2)
            } else {
                out.append((0x41...0x5a).contains(byte) ? byte | 0x20 : byte)
            }
        }
        return out
    }
}
