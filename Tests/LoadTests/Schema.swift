import Foundation

/// As much of JSON Schema (2020-12) as docs/load-report.schema.json uses; a keyword that it does not know is a complaint.
struct Schema {
    private let root: [String: Any]

    /// Reads the file at `path`, from the top of the repository.
    init(_ path: String) throws {
        let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: top.appending(path: path))
        root = try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:]
    }

    /// What in `json` breaks the schema, or one of its definitions; empty when nothing does.
    func complaints(_ json: String, definition: String? = nil) throws -> [String] {
        let value = try JSONSerialization.jsonObject(with: Data(json.utf8))
        return check(value, definition.map { ["$ref": "#/$defs/" + $0] } ?? root, "")
    }

    private func check(_ value: Any, _ schema: [String: Any], _ path: String) -> [String] {
        var found: [String] = []
        for (keyword, rule) in schema {
            switch keyword {
            case "$schema", "$defs", "title", "description", "properties", "additionalProperties": continue
            case "$ref":
                let name = (rule as? String ?? "").split(separator: "/").last.map(String.init) ?? ""
                let definitions = root["$defs"] as? [String: [String: Any]] ?? [:]
                guard let other = definitions[name] else { return ["\(path): no definition \(name)"] }
                found += check(value, other, path)
            case "oneOf":
                let fits = (rule as? [[String: Any]] ?? []).count { check(value, $0, path).isEmpty }
                if fits != 1 { found.append("\(path): fits \(fits) of the kinds") }
            case "type":
                let types = rule as? [String] ?? [rule as? String ?? ""]
                if !types.contains(where: { Self.isOf($0, value) }) { found.append("\(path): is no \(rule)") }
            case "const": if value as? NSNumber != rule as? NSNumber { found.append("\(path): is not \(rule)") }
            case "enum":
                if !(rule as? [String] ?? []).contains(value as? String ?? "\u{0}") {
                    found.append("\(path): is none of \(rule)")
                }
            case "minimum":
                if let number = value as? Double, number < rule as? Double ?? 0 {
                    found.append("\(path): is less than \(rule)")
                }
            case "required":
                let keys = Set((value as? [String: Any] ?? [:]).keys)
                for key in rule as? [String] ?? [] where !keys.contains(key) { found.append("\(path): lacks \(key)") }
            case "items":
                for (place, item) in (value as? [Any] ?? []).enumerated() {
                    found += check(item, rule as? [String: Any] ?? [:], "\(path)[\(place)]")
                }
            default: found.append("\(path): keyword \(keyword)")
            }
        }
        guard let fields = value as? [String: Any] else { return found }
        let known = schema["properties"] as? [String: [String: Any]] ?? [:]
        for (key, item) in fields {
            if let own = known[key] {
                found += check(item, own, "\(path).\(key)")
            } else if let others = schema["additionalProperties"] as? [String: Any] {
                found += check(item, others, "\(path).\(key)")
            } else if schema["additionalProperties"] as? Bool == false {
                found.append("\(path): \(key) is not known")
            }
        }
        return found
    }

    private static func isOf(_ type: String, _ value: Any) -> Bool {
        let isFlag = (value as? NSNumber).map { String(cString: $0.objCType) == "c" } ?? false
        return switch type {
        case "object": value is [String: Any]
        case "array": value is [Any]
        case "string": value is String
        case "boolean": isFlag
        case "null": value is NSNull
        case "number": value is NSNumber && !isFlag
        case "integer": !isFlag && (value as? Double).map { $0 == $0.rounded() } ?? false
        default: false
        }
    }
}
