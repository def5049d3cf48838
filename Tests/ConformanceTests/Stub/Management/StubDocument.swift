import Foundation

/// `docs/openapi.json` as the stub uses it: to find operations, and to refuse what does not fit.
struct StubDocument: @unchecked Sendable {
    struct Operation {
        let id: String
        let method: String
        let path: [String]
        let told: [String: Any]
    }

    let bytes: [UInt8]
    // Read once and never changed: JSON values of Foundation are no Sendable by type.
    private let operations: [Operation]
    private let schemas: [String: Any]

    init(_ faults: ManagementFaults) throws {
        let data = try Data(contentsOf: TestRun.file("docs/openapi.json"))
        guard let json = try JSONSerialization.jsonObject(with: data) as? [String: Any],
            var paths = json["paths"] as? [String: [String: Any]]
        else { throw StubFailure("no document") }
        schemas = (json["components"] as? [String: Any])?["schemas"] as? [String: Any] ?? [:]
        operations = paths.flatMap { path, item in
            item.map { method, told in
                let told = told as? [String: Any] ?? [:]
                return Operation(
                    id: told["operationId"] as? String ?? "", method: method.uppercased(),
                    path: path.split(separator: "/").map(String.init), told: told)
            }
        }
        if faults.has(.documentLacksOperation) { paths["/api/v1/system/info"] = nil }
        if faults.has(.documentKnowsMore) {
            paths["/api/v1/more"] = ["get": ["operationId": "more.get", "responses": ["200": ["description": "x"]]]]
        }
        for path in ["/api/v1/audit", "/api/v1/organizations/{organization}/audit"] {
            let read = Self.withLines(paths[path]?["get"])
            paths[path]?["get"] = read
        }
        var shown = json
        shown["paths"] = paths
        bytes = StubJSON.bytes(shown)
    }

    /// An operation whose answer may be lines.
    private static func withLines(_ operation: Any?) -> Any? {
        guard var operation = operation as? [String: Any], var answers = operation["responses"] as? [String: Any],
            var answer = answers["200"] as? [String: Any], var content = answer["content"] as? [String: Any]
        else { return operation }
        if content["application/x-ndjson"] == nil { content["application/x-ndjson"] = [String: Any]() }
        answer["content"] = content
        answers["200"] = answer
        operation["responses"] = answers
        return operation
    }

    /// The schema that a reference names.
    func resolved(_ schema: [String: Any]) -> [String: Any] {
        guard let name = schema["$ref"] as? String else { return schema }
        return schemas[String(name.split(separator: "/").last ?? "")] as? [String: Any] ?? [:]
    }

    private func fits(_ operation: Operation, _ parts: [String]) -> Bool {
        operation.path.count == parts.count
            && zip(operation.path, parts).allSatisfy { $0.hasPrefix("{") || $0 == $1 }
    }

    private func parts(_ path: String) -> [String] {
        path.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
    }

    func find(_ method: String, _ path: String) -> (operation: Operation, parameters: [String: String])? {
        let parts = parts(path)
        let found = operations.filter { $0.method == method && fits($0, parts) }
        guard let operation = found.min(by: { names($0) < names($1) }) else { return nil }
        var parameters: [String: String] = [:]
        for (name, value) in zip(operation.path, parts) where name.hasPrefix("{") {
            parameters[String(name.dropFirst().dropLast())] = value.removingPercentEncoding ?? value
        }
        return (operation, parameters)
    }

    private func names(_ operation: Operation) -> Int { operation.path.count { $0.hasPrefix("{") } }

    func methods(_ path: String) -> Set<String> {
        Set(operations.filter { fits($0, parts(path)) }.map(\.method))
    }

    /// What is wrong with parameters and body; fills `fields` where nothing is.
    func fault(
        _ request: StubRequest, _ operation: Operation, _ fields: inout [String: Any], _ stub: StubManagement
    ) -> StubResponse? {
        let parameters = operation.told["parameters"] as? [[String: Any]] ?? []
        for (name, value) in pathValues(operation, request) {
            guard let schema = parameters.first(where: { $0["name"] as? String == name })?["schema"] as? [String: Any],
                !stub.has(.patternsUnchecked), fault(schema, value, stub, at: name) != nil
            else { continue }
            return stub.problem(400, "name_invalid")
        }
        if let refused = queryFault(request, parameters, stub) { return refused }
        guard let told = operation.told["requestBody"] as? [String: Any],
            let content = (told["content"] as? [String: Any])?["application/json"] as? [String: Any],
            let schema = content["schema"] as? [String: Any]
        else { return nil }
        let type = request.header("Content-Type") ?? "application/json"
        if !type.hasPrefix("application/json"), !stub.has(.mediaTypeIgnored) {
            return stub.problem(415, "media_type_unsupported")
        }
        if request.body.count > 65_536 { return stub.problem(400, "bad_request") }
        let body = request.body.isEmpty && told["required"] as? Bool != true ? Array("{}".utf8) : request.body
        let nested = body.count { $0 == UInt8(ascii: "[") } > 1_000
        guard !nested, let json = Self.parsed(body) else { return stub.problem(400, "bad_request") }
        if let field = fault(schema, json, stub, at: "") { return stub.problem(400, "field_invalid", field: field) }
        fields = json as? [String: Any] ?? [:]
        return nil
    }

    static func parsed(_ bytes: [UInt8]) -> Any? {
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
        } catch {
            return nil
        }
    }

    private func pathValues(_ operation: Operation, _ request: StubRequest) -> [(String, String)] {
        zip(operation.path, parts(request.path)).filter { $0.0.hasPrefix("{") }
            .map { (String($0.dropFirst().dropLast()), $1.removingPercentEncoding ?? $1) }
    }

    private func queryFault(
        _ request: StubRequest, _ parameters: [[String: Any]], _ stub: StubManagement
    ) -> StubResponse? {
        let known = parameters.filter { $0["in"] as? String == "query" }
        for pair in request.target.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let name = String(pair.prefix { $0 != "=" })
            guard let parameter = known.first(where: { $0["name"] as? String == name }),
                let schema = parameter["schema"] as? [String: Any], let text = request.query(name).first
            else {
                if stub.has(.unknownParameterIgnored) { continue }
                return stub.problem(400, "field_invalid", field: name)
            }
            if stub.has(.pageBoundsUnchecked), name == "n" { continue }
            let value: Any = schema["type"] as? String == "integer" ? Int(text) as Any? ?? text : text
            if fault(schema, value, stub, at: name) != nil { return stub.problem(400, "field_invalid", field: name) }
        }
        return nil
    }

    /// The member of a value that does not fit a schema; nil where all of it does.
    private func fault(_ schema: [String: Any], _ value: Any, _ stub: StubManagement, at place: String) -> String? {
        if let name = schema["$ref"] as? String {
            let other = schemas[String(name.split(separator: "/").last ?? "")] as? [String: Any] ?? [:]
            return fault(other, value, stub, at: place)
        }
        if let any = schema["anyOf"] as? [[String: Any]] {
            return any.contains { fault($0, value, stub, at: place) == nil } ? nil : place
        }
        let types = (schema["type"] as? [String]) ?? (schema["type"] as? String).map { [$0] } ?? []
        let isOfType = types.isEmpty || types.contains { Self.isOf($0, value) }
        if !isOfType { return stub.has(.typesUnchecked) ? nil : place }
        if let values = schema["enum"] as? [Any] {
            if !values.contains(where: { "\($0)" == "\(value)" }) { return place }
        }
        if let text = value as? String { return textFault(schema, text, stub) ? place : nil }
        if let number = value as? Int, Self.isOf("integer", value) {
            let (least, most) = (schema["minimum"] as? Int ?? Int.min, schema["maximum"] as? Int ?? Int.max)
            return number < least || number > most ? place : nil
        }
        if let elements = value as? [Any], let items = schema["items"] as? [String: Any] {
            return elements.lazy.compactMap { fault(items, $0, stub, at: place) }.first
        }
        guard let members = value as? [String: Any] else { return nil }
        return memberFault(schema, members, stub, place)
    }

    private func textFault(_ schema: [String: Any], _ text: String, _ stub: StubManagement) -> Bool {
        let count = text.unicodeScalars.count
        if !stub.has(.lengthsUnchecked) {
            if count < schema["minLength"] as? Int ?? 0 || count > schema["maxLength"] as? Int ?? .max { return true }
        }
        if let pattern = schema["pattern"] as? String, !stub.has(.patternsUnchecked),
            text.range(of: pattern, options: .regularExpression) == nil
        {
            return true
        }
        return schema["format"] as? String == "date-time" && ISO8601DateFormatter().date(from: text) == nil
    }

    private func memberFault(
        _ schema: [String: Any], _ members: [String: Any], _ stub: StubManagement, _ place: String
    ) -> String? {
        let properties = schema["properties"] as? [String: [String: Any]] ?? [:]
        func at(_ name: String) -> String { place.isEmpty ? name : "\(place).\(name)" }
        for (name, value) in members {
            guard let property = properties[name] else {
                if stub.has(.unknownMemberIgnored) { continue }
                return at(name)
            }
            if let field = fault(property, value, stub, at: at(name)) { return field }
        }
        if stub.has(.requiredUnchecked) { return nil }
        return (schema["required"] as? [String] ?? []).first { members[$0] == nil }.map(at)
    }

    private static func isOf(_ type: String, _ value: Any) -> Bool {
        switch type {
        case "null": return value is NSNull
        case "string": return value is String
        case "array": return value is [Any]
        case "object": return value is [String: Any]
        default:
            guard let number = value as? NSNumber else { return false }
            let isFlag = String(cString: number.objCType) == "c"
            return type == "boolean"
                ? isFlag
                : !isFlag && number.doubleValue.rounded() == number.doubleValue && abs(number.doubleValue) < 9e18
        }
    }
}
