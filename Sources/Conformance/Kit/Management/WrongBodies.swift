import Foundation

/// A body that does not fit a schema.
struct WrongBody: Sendable {
    let what: String
    /// The member that is wrong; nil where it is the whole.
    let member: String?
    let text: String
}

extension APIDocument {
    /// Bodies that the schema forbids, each of them `good` with one thing changed.
    func wrongBodies(_ schema: APISchema, _ good: String) -> [WrongBody] {
        let schema = resolved(schema)
        guard let json = JSON(parsing: Array(good.utf8)), let keys = json.keys else { return [] }
        let members = keys.compactMap { key in json[key].map { (key, $0.text) } }
        func with(_ name: String, _ text: String) -> String {
            JSONText.object(members.filter { $0.0 != name } + [(name, text)])
        }
        var wrong = [
            WrongBody(what: "half an object", member: nil, text: String(good.dropLast())),
            WrongBody(what: "an array", member: nil, text: "[\(good)]"),
            WrongBody(what: "a text", member: nil, text: "\"text\""),
            WrongBody(what: "two objects", member: nil, text: good + good),
            WrongBody(what: "a deep nest", member: nil, text: String(repeating: "[", count: 20_000)),
        ]
        if schema.isClosed {
            wrong.append(WrongBody(what: "a member that is not known", member: "no_such", text: with("no_such", "1")))
        }
        for name in schema.required {
            let text = JSONText.object(members.filter { $0.0 != name })
            wrong.append(WrongBody(what: "\(name) left out", member: name, text: text))
        }
        for (name, member) in schema.properties.sorted(by: { $0.key < $1.key }) {
            for text in resolved(member).wrongValues {
                wrong.append(
                    WrongBody(what: "\(name) \(text.prefix(60))", member: name, text: with(name, text)))
            }
        }
        return wrong
    }

    private func resolved(_ schema: APISchema) -> APISchema {
        schema.reference.flatMap { schemas[$0] } ?? schema
    }
}

extension APISchema {
    /// JSON values that do not fit, of types and bounds.
    var wrongValues: [String] {
        var wrong = [#"{"of":"another type"}"#]
        let mayBeText = types.contains("string")
        if anyOf.isEmpty, !types.contains("null"), values?.contains("null") != true { wrong.append("null") }
        if mayBeText || values != nil {
            wrong.append("7")
            wrong += wrongTexts.map(JSONText.string)
        }
        if types.contains("integer") {
            wrong += ["1.5", "\"1\"", "1e400", "99999999999999999999"]
            if numbers.lowerBound > Int.min { wrong.append("\(numbers.lowerBound - 1)") }
            if numbers.upperBound < Int.max { wrong.append("\(numbers.upperBound + 1)") }
        }
        if types.contains("boolean") { wrong += ["\"true\"", "1"] }
        if types.contains("array") { wrong += ["\"pull\"", "[1]"] }
        return wrong
    }

    /// Texts that do not fit: of a parameter, or of a text member.
    var wrongTexts: [String] {
        if let values {
            return ["nothing-of-that", values.first.map { $0.uppercased().replacing("\"", with: "") } ?? ""]
        }
        if types.contains("integer") {
            return ["x", "1.5", "", "99999999999999999999"]
                + (numbers.lowerBound > Int.min ? ["\(numbers.lowerBound - 1)"] : [])
                + (numbers.upperBound < Int.max ? ["\(numbers.upperBound + 1)"] : [])
        }
        guard types.contains("string") else { return [] }
        var wrong: [String] = []
        if lengths.lowerBound == 1 { wrong.append("") }
        if lengths.upperBound < 5_000 { wrong.append(String(repeating: "a", count: lengths.upperBound + 1)) }
        // Look-alikes, marks that turn the direction of writing, control characters, what case folding changes.
        if pattern != nil {
            for odd in ["UPPER", "\u{430}bc", "a\u{202E}b", "a\u{0}b", "a b", "\u{FF41}bc", "caf\u{E9}", "cafe\u{301}"]
            {
                wrong.append(odd)
            }
        }
        if format == "date-time" { wrong += ["yesterday", "2026-13-01T00:00:00Z", "2026-01-01"] }
        return wrong.filter { text in
            pattern == nil || text.isEmpty || text.range(of: pattern ?? "", options: .regularExpression) == nil
                || !lengths.contains(text.unicodeScalars.count)
        }
    }
}
