import Model

/// What a JSON value of the management API looks like: bodies are held against it before a handler sees them, and the
/// published document is written from it, so that the two cannot disagree.
package indirect enum Shape: Sendable {
    /// Whatever JSON there is.
    case anything
    case flag
    case number(ClosedRange<Int64>)
    case text(Text)
    /// Of so many items or more.
    case list(Shape, least: Int = 0)
    case object([Member])
    /// One that the document has a name for.
    case named(String, Shape)
    /// The same, or null.
    case nullable(Shape)

    /// What a text is like. A pattern is for the document: parsers decide, and a test holds the two together.
    package struct Text: Sendable {
        var pattern: String?
        /// In Unicode scalars, as JSON Schema counts.
        var length: ClosedRange<Int> = 0...1024
        var format: String?
        /// Whether it is an address in the web, or nothing.
        var isAddress = false
        /// The only ones there are; empty for any.
        var values: [String] = []
    }

    /// A member of an object.
    package struct Member: Sendable {
        let name: String
        let shape: Shape
        let about: String
        let isRequired: Bool
    }

    /// What of a value does not fit, and where: `scope[0].actions`.
    package struct Fault: Error, Equatable {
        package let place: String
        package let what: String
    }

    /// The first fault of a value; nil when it fits.
    package func fault(of value: JSONValue, at place: String = "") -> Fault? {
        switch self {
        case .anything: return nil
        case .named(_, let shape): return shape.fault(of: value, at: place)
        case .nullable(let shape): return value == .null ? nil : shape.fault(of: value, at: place)
        case .flag:
            if case .bool = value { return nil }
            return Fault(place: place, what: "must be true or false")
        case .number(let range):
            if case .integer(let number) = value, range.contains(number) { return nil }
            return Fault(
                place: place, what: "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        case .text(let rule):
            guard case .text(let text) = value else { return Fault(place: place, what: "must be a text") }
            return rule.fault(of: text).map { Fault(place: place, what: $0) }
        case .list(let shape, let least):
            guard case .array(let items) = value else { return Fault(place: place, what: "must be a list") }
            guard items.count >= least else { return Fault(place: place, what: "must have \(least) or more items") }
            for (index, item) in items.enumerated() {
                if let fault = shape.fault(of: item, at: "\(place)[\(index)]") { return fault }
            }
            return nil
        case .object(let members): return Self.fault(of: value, members, at: place)
        }
    }

    private static func fault(of value: JSONValue, _ members: [Member], at place: String) -> Fault? {
        guard case .object(let found) = value else { return Fault(place: place, what: "must be an object") }
        let prefix = place.isEmpty ? "" : place + "."
        let known = Set(members.map(\.name))
        for name in found.keys.sorted() where !known.contains(name) {
            return Fault(
                place: prefix + name.excerpt,
                what: known.isEmpty
                    ? "is not known here: nothing is"
                    : "is not known here: there are \(known.sorted().joined(separator: ", "))")
        }
        for member in members {
            guard let value = found[member.name] else {
                guard member.isRequired else { continue }
                return Fault(place: prefix + member.name, what: "has to be there")
            }
            if let fault = member.shape.fault(of: value, at: prefix + member.name) { return fault }
        }
        return nil
    }
}

extension Shape.Text {
    fileprivate func fault(of text: String) -> String? {
        guard values.isEmpty else {
            return values.contains(text)
                ? nil : "is '\(text.excerpt)': must be one of \(values.joined(separator: ", "))"
        }
        if format == "date-time" {
            return Timestamp(rfc3339: text) == nil ? "must be a time such as 2027-01-31T00:00:00Z" : nil
        }
        if isAddress, !text.isEmpty, !Self.isAddress(text) { return "must begin with https:// or http://" }
        guard length.contains(text.unicodeScalars.count) else {
            return length.lowerBound == 0
                ? "must have at most \(length.upperBound) characters"
                : "must have \(length.lowerBound) to \(length.upperBound) characters"
        }
        return nil
    }
}

extension Shape.Text {
    /// What a browser takes for a link to the web and nothing else: no script hides in it.
    private static func isAddress(_ text: String) -> Bool {
        guard let scheme = ["https://", "http://"].first(where: text.hasPrefix), text.utf8.count > scheme.utf8.count
        else { return false }
        return text.unicodeScalars.allSatisfy {
            $0.value > 0x20 && $0.value != 0x7f && !"<>\"".unicodeScalars.contains($0)
        }
    }
}

extension Shape {
    /// A time (RFC 3339).
    static let time = Shape.text(Text(format: "date-time"))

    /// A text of so many characters.
    static func text(_ length: ClosedRange<Int>) -> Shape { .text(Text(length: length)) }

    /// One of these texts.
    static func oneOf(_ values: [String]) -> Shape { .text(Text(values: values)) }

    /// An object of a name, with these members.
    static func object(_ name: String, _ members: [Member]) -> Shape { .named(name, .object(members)) }
}

extension Shape.Member {
    /// A member that is always there.
    static func required(_ name: String, _ shape: Shape, _ about: String) -> Shape.Member {
        Shape.Member(name: name, shape: shape, about: about, isRequired: true)
    }

    /// A member that may be left out.
    static func optional(_ name: String, _ shape: Shape, _ about: String) -> Shape.Member {
        Shape.Member(name: name, shape: shape, about: about, isRequired: false)
    }
}
