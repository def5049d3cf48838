import Model
import Vocabulary

/// The description of the management API (OpenAPI 3.1), written from the table of operations: what is not in the one is not
/// in the other.
struct OpenAPI {
    let operations: [Operation]

    /// The operations of the management API among these.
    init(_ operations: [Operation]) {
        self.operations = operations.filter { $0.errorStyle == .problem }
    }

    /// The document. `server`: where the registry is; empty for where the document is.
    func document(server: String = "") -> JSONObject {
        var json = JSONObject()
        json.put("openapi", "3.1.1")
        json.put("jsonSchemaDialect", "https://json-schema.org/draft/2020-12/schema")
        json.put("info", info)
        var host = JSONObject()
        host.put("url", server.isEmpty ? "/" : server)
        json.put("servers", [host])
        json.put("security", Self.ways)
        json.put("tags", tags)
        json.put("paths", paths)
        json.put("components", components)
        return json
    }

    /// The ways in which a caller may say who it is.
    private static var ways: [JSONObject] { ["basic", "apiKey", "session"].map { JSONObject([($0, .texts([]))]) } }

    private var info: JSONObject {
        var json = JSONObject()
        json.put("title", "Aerugo management API")
        json.put("version", "1")
        json.put(
            "description",
            """
            Users, organizations, repositories and who may do what, of an Aerugo registry. Errors are problem details \
            (RFC 9457) with a stable code. Lists come in pages: `next` is what `after` has to be for the one behind. \
            Slashes in names of repositories are sent as %2F. Images are pushed and pulled below /v2/, by the OCI \
            distribution specification.
            """)
        return json
    }

    private var tags: [JSONObject] {
        var seen: Set<String> = []
        return operations.map(\.topic).filter { seen.insert($0).inserted }.map { JSONObject([("name", .text($0))]) }
    }

    private var paths: JSONObject {
        var json = JSONObject()
        var seen: Set<String> = []
        for operation in operations where seen.insert(operation.pattern.text).inserted {
            var path = JSONObject()
            for each in operations where each.pattern.text == operation.pattern.text {
                path.put(each.method.name.lowercased(), describe(each))
            }
            json.put(operation.pattern.text, path)
        }
        return json
    }

    private var components: JSONObject {
        var named: [String: Shape] = [:]
        for operation in operations {
            if case .json(let shape) = operation.body { shape.collectNames(into: &named) }
            for answer in operation.answers {
                answer.shape?.collectNames(into: &named)
                answer.lines?.collectNames(into: &named)
            }
        }
        Shape.refusal.collectNames(into: &named)
        Shape.problem.collectNames(into: &named)
        var schemas = JSONObject()
        for (name, shape) in named.sorted(by: { $0.key < $1.key }) { schemas.put(name, shape.definition) }
        var security = JSONObject()
        security.put(
            "basic",
            JSONObject([
                ("type", .text("http")), ("scheme", .text("basic")),
                ("description", .text("A user and its password, or any account and one of its API keys.")),
            ]))
        security.put(
            "apiKey",
            JSONObject([
                ("type", .text("apiKey")), ("in", .text("header")), ("name", .text("X-API-Key")),
            ]))
        security.put(
            "session",
            JSONObject([
                ("type", .text("http")), ("scheme", .text("bearer")),
                ("description", .text("The access token of a login, or an API key.")),
            ]))
        var json = JSONObject()
        json.put("schemas", schemas)
        json.put("securitySchemes", security)
        return json
    }
}

// MARK: an operation

extension OpenAPI {
    private func describe(_ operation: Operation) -> JSONObject {
        var json = JSONObject()
        json.put("operationId", operation.spec)
        json.put("summary", operation.summary)
        json.put("tags", [operation.topic])
        let parameters =
            operation.pattern.parameters.reversed().map(\.described) + operation.query.map { $0.described(in: "query") }
            + (operation.isRepeatable ? [Self.key.described(in: "header")] : [])
            + (operation.method == .patch ? [Self.condition.described(in: "header")] : [])
        if !parameters.isEmpty { json.put("parameters", parameters) }
        if case .json(let shape) = operation.body {
            var body = JSONObject()
            body.put("required", operation.needsBody)
            body.put("content", Self.content(shape, MediaType.json))
            json.put("requestBody", body)
        }
        switch operation.access {
        case .anybody: json.put("security", [JSONObject]())
        // Of a public repository nobody is asked who they are.
        case .repository(.pull): json.put("security", Self.ways + [JSONObject()])
        case .registry, .repository, .namespace: break
        }
        json.put("responses", responses(operation))
        return json
    }

    private static let key = Shape.Member.optional(
        "Idempotency-Key", Operation.keyShape,
        """
        Chosen at random by the client, such as a UUID: the same request with the same key gets its first answer again, secrets \
        and all, for a day. What is kept is sealed by it.
        """)

    private static let condition = Shape.Member.optional(
        "If-Match", .text(0...1024),
        "Change it only as it was read: the ETag of that answer (RFC 9110, section 13.1.1).")

    /// Whether its answer shows what a PATCH at the same place changes.
    private func isTagged(_ operation: Operation) -> Bool {
        [.get, .patch].contains(operation.method)
            && operations.contains { $0.method == .patch && $0.pattern.text == operation.pattern.text }
    }

    private func responses(_ operation: Operation) -> JSONObject {
        var json = JSONObject()
        for answer in operation.answers {
            var response = JSONObject()
            response.put("description", answer.shape == nil ? "Done." : "The answer.")
            response.put(
                "headers",
                Self.headers(
                    answer.status, isPage: operation.query.contains { $0.name == "after" },
                    isRepeatable: operation.isRepeatable, isTagged: isTagged(operation)))
            if let shape = answer.shape {
                var content = Self.content(shape, MediaType.json)
                if answer.lines != nil {
                    content.put("application/x-ndjson", JSONObject([("schema", .object(Self.lines))]))
                }
                response.put("content", content)
            }
            json.put("\(answer.status)", response)
        }
        var failures: [Int: Set<String>] = [:]
        for code in operation.errors {
            failures[ErrorResponse.table(code).status, default: []].insert(ErrorResponse.problemCode(code))
        }
        let beforeDispatch = Set(Operation.refusals.map { ErrorResponse.table($0).status })
        for (status, codes) in failures.sorted(by: { $0.key < $1.key }) {
            var response = JSONObject()
            response.put("description", "Code " + codes.sorted().joined(separator: ", ") + ".")
            response.put("headers", Self.headers(status, isPage: false))
            var content = Self.content(.problem, "application/problem+json")
            // What cannot be read as a request is refused before anybody knows that the API is meant.
            if beforeDispatch.contains(status) {
                content.put(MediaType.json, JSONObject([("schema", .object(Shape.refusal.schema))]))
            }
            response.put("content", content)
            json.put("\(status)", response)
        }
        return json
    }

    /// Lines of JSON, an item each: no schema says more of them than that they are text.
    private static var lines: JSONObject {
        JSONObject([("type", .text("string")), ("description", .text("A line of JSON for each item."))])
    }

    private static func content(_ shape: Shape, _ type: String) -> JSONObject {
        JSONObject([(type, .object(JSONObject([("schema", .object(shape.schema))])))])
    }

    private static func headers(
        _ status: Int, isPage: Bool, isRepeatable: Bool = false, isTagged: Bool = false
    ) -> JSONObject {
        var names = [("X-Request-Id", "Names the request, in the log and in the audit.", true)]
        switch status {
        case 401: names.append(("WWW-Authenticate", "How to say who one is.", true))
        case 405: names.append(("Allow", "What is possible.", true))
        case 429, 503: names.append(("Retry-After", "Seconds to wait.", true))
        case 201 where isRepeatable:
            names.append(("Idempotent-Replayed", "true: the answer was given before.", false))
        case 200 where isTagged: names.append(("ETag", "What If-Match takes.", true))
        case 200 where isPage: names.append(("Link", "The next page (RFC 8288); absent on the last one.", false))
        default: break
        }
        var json = JSONObject()
        for (name, about, isRequired) in names {
            json.put(
                name,
                JSONObject([
                    ("description", .text(about)), ("required", .flag(isRequired)),
                    ("schema", .object(Shape.text(0...4096).schema)),
                ]))
        }
        return json
    }
}

extension Operation {
    /// What it is about: `users` of `users.create`.
    var topic: String { String(spec.prefix { $0 != "." }) }

    /// Whether an empty body lacks something.
    fileprivate var needsBody: Bool {
        if case .json(let shape) = body { return shape.fault(of: .object([:])) != nil }
        return false
    }
}

extension Shape.Member {
    /// As a parameter: behind `?` (`query`), or a `header`.
    fileprivate func described(in place: String) -> JSONObject {
        JSONObject([
            ("name", .text(name)), ("in", .text(place)), ("description", .text(about)),
            ("required", .flag(isRequired)), ("schema", .object(shape.schema)),
        ])
    }
}

extension PathParameter {
    fileprivate var described: JSONObject {
        JSONObject([
            ("name", .text(rawValue)), ("in", .text("path")), ("required", .flag(true)),
            ("schema", .object(shape.schema)), ("example", .text(example)),
        ])
    }

    /// One of what it may be. `ci/schemathesis` makes what is named here, so that each operation finds something.
    private var example: String {
        switch self {
        case .organization: "acme"
        case .user: "ann"
        case .team: "ops"
        case .robot: "builder"
        case .repository, .name: "acme/app"
        case .key, .session, .invitation: "1"
        case .digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        case .grantee: "user:ann"
        case .reference, .tag: "latest"
        }
    }

    private var shape: Shape {
        switch self {
        case .organization, .user, .team, .robot: .accountName
        case .repository, .name: .repositoryName
        case .key, .invitation: .identifier
        case .digest: .digest
        case .tag: .text(.init(pattern: "^\(Shape.tagPattern)$", length: 1...128))
        case .reference: .text(.init(pattern: "^(\(Shape.tagPattern)|\(Shape.digestPattern))$", length: 1...135))
        case .grantee:
            .text(
                .init(
                    pattern: "^(user:\(Shape.namePart)|team:\(Shape.namePart)/\(Shape.namePart)"
                        + "|robot:\(Shape.namePart)\\+\(Shape.namePart))$", length: 6...135))
        case .session: .text(1...255)
        }
    }
}
