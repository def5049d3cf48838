import Runtime

/// Writes the fields of one line of the access log into memory that has room for them. A text that does not stand for itself takes
/// the way of all logs (`LogLine`).
struct AccessWriter {
    private let bytes: UnsafeMutableRawBufferPointer
    private var at: Int
    private let isJSON: Bool

    init(_ bytes: UnsafeMutableRawBufferPointer, from start: Int, isJSON: Bool) {
        self.bytes = bytes
        at = start
        self.isJSON = isJSON
    }

    /// The time: `2026-11-27T15:01:02` and milliseconds.
    mutating func begin(_ moment: String, milliseconds: Int) {
        if isJSON { put("{\"time\":\"") }
        copy(moment)
        put(".")
        put(milliseconds, digits: 3)
        put(isJSON ? "Z\"" : "Z info request")
    }

    /// The end of the line; gives where it is.
    mutating func end() -> Int {
        put(isJSON ? "}\n" : "\n")
        return at
    }

    mutating func field(_ name: StaticString, _ text: some StringProtocol) {
        key(name)
        let start = at
        if isJSON { put("\"") }
        if text.utf8.count <= LogLine.valueLimit, isJSON || !text.isEmpty, copy(text) {
            if isJSON { put("\"") }
            return
        }
        at = start
        var line = LogLine()
        if isJSON { line.quoted(String(text)) } else { line.value(String(text)) }
        line.content.withUnsafeBytes { copy($0) }
    }

    mutating func field(_ name: StaticString, _ number: Int) {
        key(name)
        put(number, digits: 1)
    }

    /// As seconds with microseconds.
    mutating func field(_ name: StaticString, nanoseconds: Int64) {
        key(name)
        let microseconds = Int(max(0, nanoseconds) / 1000)
        put(microseconds / 1_000_000, digits: 1)
        put(".")
        put(microseconds % 1_000_000, digits: 6)
    }

    private mutating func key(_ name: StaticString) {
        put(isJSON ? ",\"" : " ")
        put(name)
        put(isJSON ? "\":" : "=")
    }

    private mutating func put(_ text: StaticString) { text.withUTF8Buffer { copy(UnsafeRawBufferPointer($0)) } }

    /// A number that is not negative, with so many digits at least.
    private mutating func put(_ number: Int, digits: Int) {
        var (rest, count) = (max(0, number), digits)
        var limit = Self.power(digits)
        while rest >= limit, count < 19 {
            count += 1
            limit = count < 19 ? limit * 10 : .max
        }
        guard at + count <= bytes.count else { return }
        for place in stride(from: at + count - 1, through: at, by: -1) {
            bytes[place] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        at += count
    }

    private static func power(_ digits: Int) -> Int { digits == 1 ? 10 : digits == 3 ? 1000 : 1_000_000 }

    /// Copies a text; whether all of it stands for itself in both formats.
    @discardableResult
    private mutating func copy(_ text: some StringProtocol) -> Bool {
        let start = at
        let isWhole: Void? = text.utf8.withContiguousStorageIfAvailable { copy(UnsafeRawBufferPointer($0)) }
        guard isWhole != nil else { return false }
        var strange: UInt8 = 0
        for place in start..<at {
            let byte = bytes[place]
            let isPlain = byte > 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c && byte != 0x3d
            strange |= isPlain ? 0 : 1
        }
        return strange == 0
    }

    /// What there is no room for is left out, which the bounds of all texts leave no case for.
    private mutating func copy(_ source: UnsafeRawBufferPointer) {
        guard let base = source.baseAddress, source.count <= bytes.count - at else { return }
        UnsafeMutableRawBufferPointer(rebasing: bytes[at..<at + source.count])
            .copyMemory(from: UnsafeRawBufferPointer(start: base, count: source.count))
        at += source.count
    }
}
