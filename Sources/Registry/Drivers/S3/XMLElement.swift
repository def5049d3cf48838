import Model
import Runtime

/// An element of an XML document, as far as S3 and STS use XML: elements, text and entities. Attributes are passed over;
/// document types and processing instructions behind the declaration are refused, so that nothing can expand.
package struct XMLElement: Sendable {
    package let name: String
    /// The text in it, of its children none.
    package private(set) var text: String = ""
    package private(set) var children: [XMLElement] = []

    /// The root of a document. Throws `.unavailable` for what is none.
    package init(document bytes: [UInt8]) throws(StoreError) {
        var reader = XMLReader(bytes)
        self = try reader.document()
    }

    fileprivate init(name: String) { self.name = name }

    /// Children with this name, in their order.
    package func all(_ name: String) -> [XMLElement] { children.filter { $0.name == name } }

    /// The text of the first child with this name.
    package subscript(_ name: String) -> String? { children.first { $0.name == name }?.text }

    /// The first element with this name, itself included, outermost first.
    package func descendant(_ name: String) -> XMLElement? {
        if self.name == name { return self }
        for child in children {
            if let found = child.descendant(name) { return found }
        }
        return nil
    }

    fileprivate mutating func add(_ child: XMLElement) { children.append(child) }
    fileprivate mutating func add(_ text: String) { self.text += text }
}

private struct XMLReader {
    private static let deepest = 32

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(StoreError) -> XMLElement {
        if starts(with: [0xef, 0xbb, 0xbf]) { at += 3 }
        skipBlanks()
        if starts(with: "<?xml") { try skip(past: "?>") }
        try skipMisc()
        guard starts(with: "<") else { throw fault("no element") }
        let root = try element(depth: 0)
        try skipMisc()
        guard at == bytes.count else { throw fault("text behind the root") }
        return root
    }

    private mutating func element(depth: Int) throws(StoreError) -> XMLElement {
        guard depth < Self.deepest else { throw fault("too deep") }
        at += 1
        let name = try self.name()
        var element = XMLElement(name: name)
        guard try !endOfTag() else { return element }
        while true {
            guard at < bytes.count else { throw fault("no end of \(name)") }
            if starts(with: "</") {
                at += 2
                guard try self.name() == name else { throw fault("another end than that of \(name)") }
                skipBlanks()
                guard starts(with: ">") else { throw fault("no end of a tag") }
                at += 1
                return element
            } else if starts(with: "<!--") {
                try skip(past: "-->")
            } else if starts(with: "<![CDATA[") {
                at += 9
                let start = at
                try skip(past: "]]>")
                element.add(String(decoding: bytes[start..<at - 3], as: UTF8.self))
            } else if starts(with: "<") {
                element.add(try self.element(depth: depth + 1))
            } else {
                element.add(try text())
            }
        }
    }

    /// Passes over attributes; true for an element without content.
    private mutating func endOfTag() throws(StoreError) -> Bool {
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: ">"):
                at += 1
                return false
            case UInt8(ascii: "/"):
                at += 1
                guard starts(with: ">") else { throw fault("a lone slash") }
                at += 1
                return true
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = bytes[at]
                at += 1
                guard let end = bytes[at...].firstIndex(of: quote) else { throw fault("no end of an attribute") }
                at = end + 1
            case UInt8(ascii: "<"): throw fault("a tag in a tag")
            default: at += 1
            }
        }
        throw fault("no end of a tag")
    }

    /// A name without its prefix.
    private mutating func name() throws(StoreError) -> String {
        let start = at
        while at < bytes.count, ![0x20, 0x09, 0x0a, 0x0d, 0x2f, 0x3e, 0x3c].contains(bytes[at]) { at += 1 }
        guard at > start else { throw fault("no name") }
        let local = bytes[start..<at].split(separator: UInt8(ascii: ":")).last ?? bytes[start..<at]
        return String(decoding: local, as: UTF8.self)
    }

    private mutating func text() throws(StoreError) -> String {
        var out: [UInt8] = []
        while at < bytes.count, bytes[at] != UInt8(ascii: "<") {
            if bytes[at] == UInt8(ascii: "&") {
                out += try entity().utf8
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private mutating func entity() throws(StoreError) -> String {
        let window = bytes[at..<min(at + 12, bytes.count)]
        guard let end = window.firstIndex(of: UInt8(ascii: ";")) else { throw fault("a lone ampersand") }
        let name = String(decoding: bytes[at + 1..<end], as: UTF8.self)
        at = end + 1
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            let number =
                name.hasPrefix("#x")
                ? UInt32(name.dropFirst(2), radix: 16) : name.hasPrefix("#") ? UInt32(name.dropFirst()) : nil
            guard let number, let scalar = Unicode.Scalar(number) else { throw fault("an unknown entity") }
            return String(Character(scalar))
        }
    }

    private mutating func skipMisc() throws(StoreError) {
        skipBlanks()
        while starts(with: "<!--") {
            try skip(past: "-->")
            skipBlanks()
        }
    }

    private mutating func skipBlanks() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private mutating func skip(past end: String) throws(StoreError) {
        let mark = Array(end.utf8)
        while at < bytes.count {
            if starts(with: mark) {
                at += mark.count
                return
            }
            at += 1
        }
        throw fault("no \(end)")
    }

    private func starts(with text: String) -> Bool { starts(with: Array(text.utf8)) }

    private func starts(with mark: [UInt8]) -> Bool { bytes[at...].starts(with: mark) }

    private func fault(_ what: String) -> StoreError {
        StoreError(.unavailable, "an answer in XML cannot be read: \(what), at byte \(at)")
    }
}
