/// A request's header fields, in their order. Names are found whatever their case (RFC 9110 section 5.1).
package struct Headers: Sendable {
    /// Offsets of a field's name and value in the head's text.
    package struct Field: Sendable {
        let name: Range<Int>
        let value: Range<Int>

        /// A field at these places.
        package init(name: Range<Int>, value: Range<Int>) {
            self.name = name
            self.value = value
        }
    }

    private let text: [UInt8]
    private let fields: [Field]

    /// The fields that a head's text has at these places.
    package init(_ text: [UInt8], _ fields: [Field]) {
        self.text = text
        self.fields = fields
    }

    /// The value of the first field of this name.
    package subscript(name: StaticString) -> String? {
        for field in fields where matches(field, name) { return value(field) }
        return nil
    }

    /// The value of the first field of this name, as it came.
    subscript(bytes name: StaticString) -> ArraySlice<UInt8>? {
        for field in fields where matches(field, name) { return text[field.value] }
        return nil
    }

    /// Whether there is a field of this name.
    func contains(_ name: StaticString) -> Bool { fields.contains { matches($0, name) } }

    /// The values of all fields of this name as one list; nil when there is none.
    package func joined(_ name: StaticString) -> String? {
        var joined: String?
        for field in fields where matches(field, name) {
            joined = joined.map { $0 + ", " + value(field) } ?? value(field)
        }
        return joined
    }

    /// Whether the list in the fields of this name has an element, taken without its parameters, that is wanted.
    func hasElement(_ name: StaticString, _ isWanted: (UnsafeRawBufferPointer) -> Bool) -> Bool {
        text.withUnsafeBytes { text in
            fields.contains { field in
                guard matches(field, name) else { return false }
                return text[field.value].split(separator: UInt8(ascii: ",")).contains { element in
                    var type = element.prefix { $0 != UInt8(ascii: ";") }
                    while let first = type.first, first == 0x20 || first == 0x09 { type.removeFirst() }
                    while let last = type.last, last == 0x20 || last == 0x09 { type.removeLast() }
                    return isWanted(UnsafeRawBufferPointer(rebasing: type))
                }
            }
        }
    }

    private func matches(_ field: Field, _ name: StaticString) -> Bool {
        field.name.count == name.utf8CodeUnitCount
            && text.withUnsafeBytes { UnsafeRawBufferPointer(rebasing: $0[field.name]).equals(name) }
    }

    private func value(_ field: Field) -> String { String(decoding: text[field.value], as: UTF8.self) }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes are `text`, letters of either case being the same.
    package func equals(_ text: StaticString) -> Bool {
        equals(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The same for bytes.
    package func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        guard count == other.count else { return false }
        for at in 0..<count where self[at].lowercasedASCII != other[at].lowercasedASCII { return false }
        return true
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 { (0x41...0x5a).contains(self) ? self | 0x20 : self }
}
