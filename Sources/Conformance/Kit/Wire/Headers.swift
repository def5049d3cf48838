/// Header fields in the order in which they stood on the wire; names compare without case (RFC 9110 section 5.1).
package struct Headers: Sendable, Equatable {
    /// One line.
    package struct Field: Sendable, Equatable {
        /// The name as written.
        package let name: String
        /// The value without surrounding blanks.
        package let value: String

        /// Whether this is a line of that name.
        func isNamed(_ name: String) -> Bool {
            self.name.utf8.count == name.utf8.count
                && zip(self.name.utf8, name.utf8).allSatisfy { Field.lowered($0) == Field.lowered($1) }
        }

        private static func lowered(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
    }

    /// All lines.
    package private(set) var fields: [Field] = []

    /// No lines.
    package init() {}

    /// Lines from pairs.
    package init(_ pairs: [(String, String)]) {
        fields = pairs.map { Field(name: $0.0, value: $0.1) }
    }

    /// Adds a line.
    package mutating func add(_ name: String, _ value: String) {
        fields.append(Field(name: name, value: value))
    }

    /// The first value of `name`, nil when there is none.
    package subscript(_ name: String) -> String? {
        fields.first { $0.isNamed(name) }?.value
    }

    /// Every value of `name`, a line each.
    package func all(_ name: String) -> [String] {
        fields.compactMap { $0.isNamed(name) ? $0.value : nil }
    }

    /// The members of a list-valued header over all its lines, split at commas (RFC 9110 section 5.6.1).
    package func list(_ name: String) -> [String] {
        all(name).flatMap { $0.split(separator: ",") }.map { $0.trimmed }.filter { !$0.isEmpty }
    }
}

extension StringProtocol {
    /// Without blanks, tabs and line ends on either side.
    package var trimmed: String {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return "" }
        return String(self[first..<scalars.index(after: last)])
    }
}
