/// What a registry says of its management API: an OpenAPI 3.1 document, read for what answers are held against.
package struct APIDocument: Sendable {
    /// What an operation says of one of its statuses.
    struct Answer: Sendable {
        /// The body's schema by content type; empty where there is no body.
        var bodies: [String: APISchema] = [:]
        /// The headers that have to be there.
        var headers: [String] = []
        /// The values of `code` that it names; empty where it names none.
        var codes: Set<String> = []
    }

    /// A parameter: its name, where it stands, its schema.
    struct Parameter: Sendable {
        let name: String
        let place: String
        let schema: APISchema
    }

    /// One operation.
    package struct Operation: Sendable {
        /// Its `operationId`, such as `users.create`.
        package let id: String
        /// In capitals.
        package let method: String
        /// With `{names}` for what stands in it.
        package let path: String
        /// By status.
        var answers: [Int: Answer] = [:]
        var parameters: [Parameter] = []
        /// What its JSON body is; nil where it takes none.
        var body: APISchema?

        /// The statuses that it may answer, in order.
        package var statuses: [Int] { answers.keys.sorted() }
    }

    /// The name of the API.
    package let title: String
    /// In the order of their paths.
    package let operations: [Operation]
    let schemas: [String: APISchema]
    /// Words of schemas that were not understood.
    package let unread: Set<String>

    /// Reads a document. Nil for what is none.
    package init?(_ bytes: [UInt8]) {
        guard let json = JSON(parsing: bytes), let version = json["openapi"]?.string, version.hasPrefix("3."),
            let paths = json["paths"]?.keys
        else { return nil }
        title = json["info"]?["title"]?.string ?? ""
        var schemas: [String: APISchema] = [:]
        let named = json["components"]?["schemas"]
        for name in named?.keys ?? [] { schemas[name] = named?[name].map(APISchema.init) }
        self.schemas = schemas
        var found: [Operation] = []
        for path in paths {
            let item = json["paths"]?[path]
            for method in ["get", "put", "post", "delete", "patch", "head", "options"] {
                if let told = item?[method] { found.append(Self.operation(method.uppercased(), path, told)) }
            }
        }
        operations = found
        var unread = schemas.values.reduce(into: Set<String>()) { $0.formUnion($1.unread) }
        for operation in found {
            let bodies = operation.answers.values.flatMap(\.bodies.values) + [operation.body].compactMap { $0 }
            for schema in bodies + operation.parameters.map(\.schema) { unread.formUnion(schema.unread) }
        }
        self.unread = unread
    }

    private static func operation(_ method: String, _ path: String, _ json: JSON) -> Operation {
        var operation = Operation(id: json["operationId"]?.string ?? "\(method) \(path)", method: method, path: path)
        for parameter in json["parameters"]?.array ?? [] {
            guard let name = parameter["name"]?.string, let schema = parameter["schema"] else { continue }
            operation.parameters.append(
                Parameter(name: name, place: parameter["in"]?.string ?? "", schema: APISchema(schema)))
        }
        operation.body = json["requestBody"]?["content"]?["application/json"]?["schema"].map(APISchema.init)
        let responses = json["responses"]
        for status in responses?.keys ?? [] {
            if let number = Int(status), let told = responses?[status] { operation.answers[number] = answer(told) }
        }
        return operation
    }

    private static func answer(_ json: JSON) -> Answer {
        var answer = Answer()
        for type in json["content"]?.keys ?? [] {
            answer.bodies[type] = (json["content"]?[type]?["schema"]).map(APISchema.init)
        }
        for name in json["headers"]?.keys ?? [] where json["headers"]?[name]?["required"]?.boolean == true {
            answer.headers.append(name)
        }
        let words = json["description"]?.string ?? ""
        if words.hasPrefix("Code ") {
            let codes = words.dropFirst(5).prefix { $0 != "." }.split(separator: ",").map(\.trimmed)
            answer.codes = Set(codes)
        }
        return answer
    }

    /// Whether an operation may answer with a body of this type.
    func tells(_ type: String, of id: String) -> Bool {
        operations.first { $0.id == id }?.answers[200]?.bodies[type] != nil
    }

    /// The operation that a request is one of: of two patterns that fit, the one with fewer names.
    func operation(_ method: String, _ target: String) -> Operation? {
        let parts = target.prefix { $0 != "?" }.split(separator: "/", omittingEmptySubsequences: false)
        func names(_ operation: Operation) -> Int { operation.path.count { $0 == "{" } }
        return operations.filter { $0.method == method && Self.fits($0.path, parts) }
            .min { names($0) < names($1) }
    }

    private static func fits(_ pattern: String, _ parts: [Substring]) -> Bool {
        let wanted = pattern.split(separator: "/", omittingEmptySubsequences: false)
        guard wanted.count == parts.count else { return false }
        return zip(wanted, parts).allSatisfy { $0.hasPrefix("{") ? !$1.isEmpty : $0 == $1 }
    }
}
