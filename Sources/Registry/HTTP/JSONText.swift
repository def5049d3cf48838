/// JSON written straight to bytes: what is sent is small and flat, and lists of tags are long.
struct JSONText {
    private(set) var bytes: [UInt8] = []

    /// Appends text that is JSON already.
    mutating func raw(_ text: some StringProtocol) { bytes.append(contentsOf: text.utf8) }

    /// Appends bytes that are JSON already.
    mutating func append(_ json: [UInt8]) { bytes += json }

    /// Appends a string with its quotes.
    mutating func string(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0..<0x20, 0x7f:
                raw("\\u00" + (byte < 16 ? "0" : "") + String(byte, radix: 16))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Appends the elements between brackets, each written by `write`.
    mutating func array<Element>(_ elements: some Sequence<Element>, _ write: (inout JSONText, Element) -> Void) {
        raw("[")
        var isFirst = true
        for element in elements {
            if !isFirst { raw(",") }
            isFirst = false
            write(&self, element)
        }
        raw("]")
    }

    /// Appends an object of strings, in the order given.
    mutating func object(_ members: some Sequence<(key: String, value: String)>) {
        raw("{")
        var isFirst = true
        for (key, value) in members {
            if !isFirst { raw(",") }
            isFirst = false
            string(key)
            raw(":")
            string(value)
        }
        raw("}")
    }
}
