extension Shape {
    /// As JSON Schema has it (2020-12, the dialect of OpenAPI 3.1); named shapes are referred to.
    var schema: JSONObject {
        var json = JSONObject()
        switch self {
        case .named(let name, _): json.put("$ref", "#/components/schemas/\(name)")
        case .nullable(let shape): return shape.schemaOrNull
        case .anything: break
        default: write(into: &json, type: nil)
        }
        return json
    }

    /// The schema itself of a shape that has a name.
    var definition: JSONObject {
        guard case .named(_, let shape) = self else { return schema }
        return shape.schema
    }

    /// The shapes with names that this one is made of, each once, by name.
    func collectNames(into names: inout [String: Shape]) {
        switch self {
        case .named(let name, let shape):
            guard names.updateValue(self, forKey: name) == nil else { return }
            shape.collectNames(into: &names)
        case .nullable(let shape), .list(let shape, _): shape.collectNames(into: &names)
        case .object(let members): for member in members { member.shape.collectNames(into: &names) }
        case .anything, .flag, .number, .text: break
        }
    }

    private var schemaOrNull: JSONObject {
        var json = JSONObject()
        switch self {
        case .anything, .named, .list, .object, .nullable:
            var null = JSONObject()
            null.put("type", "null")
            json.put("anyOf", [schema, null])
        case .flag, .number, .text: write(into: &json, type: "null")
        }
        return json
    }

    /// `type`: another one that the value may have.
    private func write(into json: inout JSONObject, type other: String?) {
        if let other { json.put("type", [typeName, other]) } else { json.put("type", typeName) }
        switch self {
        case .number(let range):
            json.put("format", "int64")
            json.put("minimum", range.lowerBound)
            json.put("maximum", range.upperBound)
        case .text(let text): text.write(into: &json, orNull: other != nil)
        case .list(let shape, let least):
            json.put("items", shape.schema)
            if least > 0 { json.put("minItems", Int64(least)) }
        case .object(let members):
            var properties = JSONObject()
            for member in members { properties.put(member.name, member.schema) }
            json.put("properties", properties)
            let required = members.filter(\.isRequired).map(\.name)
            if !required.isEmpty { json.put("required", required) }
            json.put("additionalProperties", false)
        case .anything, .flag, .named, .nullable: break
        }
    }

    private var typeName: String {
        switch self {
        case .flag: "boolean"
        case .number: "integer"
        case .text: "string"
        case .list: "array"
        case .object, .named, .anything: "object"
        case .nullable(let shape): shape.typeName
        }
    }
}

extension Shape.Text {
    fileprivate func write(into json: inout JSONObject, orNull: Bool) {
        if let format { json.put("format", format) }
        guard values.isEmpty else {
            json.putTexts("enum", values, orNull: orNull)
            return
        }
        guard format != "date-time" else { return }
        if let pattern { json.put("pattern", pattern) }
        if length.lowerBound > 0 { json.put("minLength", Int64(length.lowerBound)) }
        json.put("maxLength", Int64(length.upperBound))
    }
}

extension Shape.Member {
    /// With what it is about, beside a reference too (allowed since 2019-09).
    fileprivate var schema: JSONObject {
        var json = shape.schema
        if !about.isEmpty { json.put("description", about) }
        return json
    }
}
