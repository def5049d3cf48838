/// A small JSON text as a tree: bodies of requests whose members have many forms. Manifests are read without one.
package enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int64)
    case text(String)
    case array([JSONValue])
    /// In the order of their keys.
    case object([String: JSONValue])

    /// Reads all of the bytes, as strictly as `JSONReader` does; numbers are whole ones from zero on.
    /// Throws `ParseError(subject)`.
    package static func parse(
        _ bytes: [UInt8], _ subject: ParseError.Subject, noun: String
    ) throws(ParseError) -> JSONValue {
        var reader = try JSONReader(bytes, subject, noun: noun)
        let value = try reader.value()
        try reader.finish()
        return value
    }
}

extension JSONReader {
    fileprivate mutating func value() throws(ParseError) -> JSONValue {
        skipBlanks()
        switch byte {
        case UInt8(ascii: "n"):
            try readWord("null")
            return .null
        case UInt8(ascii: "t"):
            try readWord("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try readWord("false")
            return .bool(false)
        case UInt8(ascii: "\""): return .text(try text())
        case UInt8(ascii: "["):
            var items: [JSONValue] = []
            try beginArray()
            while try advance() { items.append(try value()) }
            return .array(items)
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try beginObject()
            while try nextMember() {
                let key = frames.last?.key ?? []
                members[String(decoding: key, as: UTF8.self)] = try value()
            }
            return .object(members)
        default: return .integer(try count())
        }
    }
}
