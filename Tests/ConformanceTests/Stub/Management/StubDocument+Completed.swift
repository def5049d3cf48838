import Foundation

extension StubDocument {
    /// An answer with the members that the document requires and the stub keeps nothing of: the least that fits.
    func completed(_ answer: StubResponse, _ operation: Operation) -> StubResponse {
        guard (200..<300).contains(answer.status), operation.id != "system.document",
            answer["Content-Type"] == "application/json",
            let told = (operation.told["responses"] as? [String: Any])?["\(answer.status)"] as? [String: Any],
            let content = (told["content"] as? [String: Any])?["application/json"] as? [String: Any],
            let schema = content["schema"] as? [String: Any], let body = Self.parsed(answer.body)
        else { return answer }
        var answer = answer
        answer.body = StubJSON.bytes(filled(schema, body))
        return answer
    }

    private func filled(_ schema: [String: Any], _ value: Any) -> Any {
        let schema = resolved(schema)
        if let elements = value as? [Any], let items = schema["items"] as? [String: Any] {
            return elements.map { filled(items, $0) }
        }
        guard var members = value as? [String: Any], let properties = schema["properties"] as? [String: [String: Any]]
        else { return value }
        for (name, property) in properties {
            if let member = members[name] {
                members[name] = filled(property, member)
            } else if (schema["required"] as? [String])?.contains(name) == true {
                members[name] = least(resolved(property))
            }
        }
        return members
    }

    private func least(_ schema: [String: Any]) -> Any {
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? ["null"]
        if types.contains("null") || schema["anyOf"] != nil { return NSNull() }
        if let first = (schema["enum"] as? [Any])?.first { return first }
        switch types[0] {
        case "string": return schema["format"] as? String == "date-time" ? "2026-01-01T00:00:00Z" : "x"
        case "boolean": return false
        case "array": return [Any]()
        case "object": return [String: Any]()
        default: return 0
        }
    }
}
