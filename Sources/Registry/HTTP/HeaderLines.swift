/// Header fields written once for many answers, in the form in which they are sent.
package struct HeaderLines: Sendable {
    /// A CR LF before each field, none behind the last.
    package let bytes: [UInt8]

    /// Writes the fields. A value can never end its line, whatever it was made from: control characters become blanks.
    package init(_ fields: [(name: String, value: String)]) {
        var bytes: [UInt8] = []
        for (name, value) in fields {
            bytes += "\r\n\(name): ".utf8
            bytes += value.utf8.map { $0 < 0x20 ? 0x20 : $0 }
        }
        self.bytes = bytes
    }
}
