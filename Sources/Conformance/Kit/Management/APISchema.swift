import Foundation

/// A JSON Schema (2020-12) of the words that API documents use; whatever else one says is in `unread`.
package struct APISchema: Sendable {
    /// The types that a value may have; empty for any.
    var types: Set<String> = []
    /// The values that it may have, as JSON text; nil for any.
    var values: [String]?
    var lengths: ClosedRange<Int> = 0...Int.max
    var pattern: String?
    var format: String?
    var numbers: ClosedRange<Int> = Int.min...Int.max
    /// What the elements of an array are; none or one.
    var items: [APISchema] = []
    var counts: ClosedRange<Int> = 0...Int.max
    var properties: [String: APISchema] = [:]
    var required: [String] = []
    /// Whether an object may have members that `properties` does not name, and of what kind; none or one.
    var isClosed = false
    var others: [APISchema] = []
    /// Of these one has to fit.
    var anyOf: [APISchema] = []
    /// The name of another schema of the document, which counts instead.
    var reference: String?
    /// Words that were not understood.
    package var unread: Set<String> = []

    /// Reads a schema. What is no schema is one that everything fits, with `unread` saying so.
    init(_ json: JSON) {
        guard let keys = json.keys else {
            if json.boolean != true { unread = ["a schema that is no object"] }
            return
        }
        for key in keys { if let value = json[key] { read(key, value) } }
    }

    private mutating func read(_ key: String, _ value: JSON) {
        switch key {
        case "type": types = Set(value.string.map { [$0] } ?? value.strings ?? [])
        case "enum": values = value.array?.map(\.text)
        case "const": values = [value.text]
        case "minLength": lengths = max(0, value.integer ?? 0)...lengths.upperBound
        case "maxLength": lengths = lengths.lowerBound...max(lengths.lowerBound, value.integer ?? Int.max)
        case "pattern": pattern = value.string
        case "format": format = value.string
        case "minimum": numbers = (value.integer ?? Int.min)...max(numbers.upperBound, value.integer ?? Int.min)
        case "maximum": numbers = min(numbers.lowerBound, value.integer ?? Int.max)...(value.integer ?? Int.max)
        case "items": items = [APISchema(value)]
        case "minItems": counts = max(0, value.integer ?? 0)...counts.upperBound
        case "maxItems": counts = counts.lowerBound...max(counts.lowerBound, value.integer ?? Int.max)
        case "required": required = value.strings ?? []
        case "properties":
            for name in value.keys ?? [] { properties[name] = value[name].map(APISchema.init) }
        case "additionalProperties":
            isClosed = value.boolean == false
            if value.keys != nil { others = [APISchema(value)] }
        case "anyOf", "oneOf": anyOf = (value.array ?? []).map(APISchema.init)
        case "$ref":
            reference = value.string.flatMap { $0.hasPrefix(Self.place) ? String($0.dropFirst(Self.place.count)) : nil }
            if reference == nil { unread.insert("$ref") }
        case "description", "title", "default", "examples", "deprecated", "readOnly", "writeOnly", "$comment": break
        default: unread.insert(key)
        }
        for child in items + Array(properties.values) + others + anyOf { unread.formUnion(child.unread) }
    }

    private static let place = "#/components/schemas/"

    /// What is wrong with a value, and where; nil when it fits.
    func fault(of value: JSON, in names: [String: APISchema], at place: String = "") -> String? {
        if let reference {
            guard let other = names[reference] else { return "\(place): no schema is called \(reference)" }
            return other.fault(of: value, in: names, at: place)
        }
        func told(_ what: String) -> String { "\(place.isEmpty ? "the whole" : place) \(what)" }
        if !types.isEmpty, types.isDisjoint(with: value.types) {
            return told("is \(value.types.min() ?? "nothing"), not \(types.sorted().joined(separator: " or "))")
        }
        if let values, !values.contains(value.text) { return told("is none of the values that it may have") }
        if !anyOf.isEmpty {
            let faults = anyOf.map { $0.fault(of: value, in: names, at: place) }
            if !faults.contains(nil) { return faults.compactMap { $0 }.first }
        }
        if let text = value.string, let fault = fault(ofText: text) { return told(fault) }
        if let number = value.integer, !numbers.contains(number) { return told("is \(number)") }
        if let elements = value.array { return fault(of: elements, in: names, at: place) }
        if value.keys != nil { return fault(ofMembers: value, in: names, at: place) }
        return nil
    }

    private func fault(ofText text: String) -> String? {
        if !lengths.contains(text.unicodeScalars.count) { return "has \(text.unicodeScalars.count) characters" }
        if let pattern, text.range(of: pattern, options: .regularExpression) == nil {
            return "does not fit \(pattern)"
        }
        if format == "date-time", text.wholeMatch(of: Self.time) == nil { return "is no time of RFC 3339" }
        return nil
    }

    private static var time: Regex<Substring> {
        /[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9](?:\.[0-9]+)?(?:Z|[+\-][0-2][0-9]:[0-5][0-9])/
    }

    private func fault(of elements: [JSON], in names: [String: APISchema], at place: String) -> String? {
        if !counts.contains(elements.count) { return "\(place) has \(elements.count) elements" }
        guard let schema = items.first else { return nil }
        for (index, element) in elements.enumerated() {
            if let fault = schema.fault(of: element, in: names, at: "\(place)[\(index)]") { return fault }
        }
        return nil
    }

    private func fault(ofMembers value: JSON, in names: [String: APISchema], at place: String) -> String? {
        for name in required where value[name] == nil { return "\(place).\(name) is not there" }
        for name in value.keys ?? [] {
            guard let member = value[name] else { continue }
            let path = "\(place).\(name)"
            if let schema = properties[name] ?? others.first {
                if let fault = schema.fault(of: member, in: names, at: path) { return fault }
            } else if isClosed {
                return "\(path) is not described"
            }
        }
        return nil
    }
}
