import Foundation

/// A JSON value, read by literal keys and types: nothing is coerced, nothing defaulted.
package struct JSON {
    private let value: Any

    private init(value: Any) {
        self.value = value
    }

    /// Parses a document; nil when it is not JSON.
    package init?(parsing bytes: [UInt8]) {
        do {
            value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
        } catch {
            return nil
        }
    }

    /// The member of an object; nil when this is no object or has no such member.
    package subscript(_ key: String) -> JSON? {
        (value as? [String: Any])?[key].map(JSON.init(value:))
    }

    /// The names of an object's members; nil when this is no object.
    package var keys: [String]? {
        (value as? [String: Any]).map { $0.keys.sorted() }
    }

    /// The elements of an array; nil when this is no array.
    package var array: [JSON]? {
        (value as? [Any]).map { $0.map(JSON.init(value:)) }
    }

    /// A string; nil when this is none.
    package var string: String? { value as? String }

    /// A whole number; nil when this is none (a truth value is none).
    package var integer: Int? {
        guard !isTruthValue, let number = value as? NSNumber, let whole = Int(exactly: number.doubleValue) else {
            return nil
        }
        return whole
    }

    /// Whether this is `null`.
    package var isNull: Bool { value is NSNull }

    /// A number or a truth value as its JSON text.
    var scalar: String {
        guard let number = value as? NSNumber else { return "null" }
        if isTruthValue { return number.boolValue ? "true" : "false" }
        return integer.map(String.init) ?? number.stringValue
    }

    private var isTruthValue: Bool {
        guard let number = value as? NSNumber else { return false }
        return isBoolean(number)
    }

    /// The strings of an array of strings; nil when this is anything else.
    package var strings: [String]? {
        guard let elements = array else { return nil }
        let texts = elements.compactMap(\.string)
        return texts.count == elements.count ? texts : nil
    }

    /// The object as a dictionary of strings; nil when this is anything else.
    package var dictionary: [String: String]? { value as? [String: String] }
}

private func isBoolean(_ number: NSNumber) -> Bool {
    String(cString: number.objCType) == "c"
}

/// Builds JSON text with members in the order in which they are written: manifests must be the same bytes every time.
package enum JSONText {
    /// A quoted, escaped string.
    package static func string(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") }
        if isPlain { return "\"" + text + "\"" }
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where scalar.value < 0x20:
                result += "\\u00" + Hex.encode([UInt8(scalar.value)])
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    /// An object of members whose values are JSON text already.
    package static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { string($0.0) + ":" + $0.1 }.joined(separator: ",") + "}"
    }

    /// An array of elements that are JSON text already.
    package static func array(_ elements: [String]) -> String {
        "[" + elements.joined(separator: ",") + "]"
    }
}
