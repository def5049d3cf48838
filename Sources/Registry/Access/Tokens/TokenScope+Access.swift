import Model

/// The bound of a token as its `access` claim says it (distribution, "Token Authentication Implementation"):
/// `[{"type":"repository","name":"a/b","actions":["pull"]}]`.
extension TokenScope {
    /// Members of an entry.
    private enum Key: String, DefinedKey {
        case type, name, actions
        static let spelled = SpelledKey<Key>.all
    }

    /// What was granted of what was asked for. To use the API at all is in every token: a client tries a new one on `/v2/`.
    package init(granted: [ScopeRequest]) {
        var repositories: [RepositoryName: Set<Right>] = [:]
        var registry: Set<Right> = [.base]
        for request in granted {
            switch request {
            case .repository(let name, let rights): repositories[name, default: []].formUnion(rights)
            case .catalog: registry.insert(.catalog)
            case .other: break
            }
        }
        self.init(repositories: repositories.filter { !$0.value.isEmpty }, registry: registry)
    }

    /// The claim as JSON, the same for equal scopes. Rights that no token can carry are left out.
    package var access: String {
        var entries: [String] = []
        // Names have no character that JSON escapes.
        for (name, rights) in repositories.sorted(by: { $0.key < $1.key }) {
            let actions = Right.actions.filter { rights.contains($0.right) }.map { "\"\($0.name)\"" }
            guard !actions.isEmpty else { continue }
            entries.append(
                #"{"type":"repository","name":"\#(name)","actions":[\#(actions.joined(separator: ","))]}"#)
        }
        if registry.contains(.catalog) { entries.append(#"{"type":"registry","name":"catalog","actions":["*"]}"#) }
        return "[\(entries.joined(separator: ","))]"
    }

    /// The scope in Docker's words, as an answer tells it.
    package var text: String {
        var requests: [ScopeRequest] = repositories.sorted { $0.key < $1.key }.map { .repository($0.key, $0.value) }
        if registry.contains(.catalog) { requests.append(.catalog) }
        return requests.map(\.description).joined(separator: " ")
    }

    /// Reads the claim. What it does not know grants nothing. Throws `ParseError(.token)`.
    static func read(_ json: inout JSONReader) throws(ParseError) -> TokenScope {
        var granted: [ScopeRequest] = []
        try json.beginArray()
        while try json.advance() {
            var type = ""
            var name = ""
            var rights: Set<Right> = []
            var isAll = false
            try json.beginObject()
            while let key = try json.next(Key.self) {
                switch key {
                case .type: type = try json.text()
                case .name: name = try json.text()
                case .actions:
                    try json.beginArray()
                    while try json.advance() {
                        let action = try json.text()
                        isAll = isAll || action == "*"
                        rights.formUnion(Right.named(action))
                    }
                }
            }
            switch Resource(rawValue: type) {
            case .repository: granted.append(.repository(try RepositoryName.parse(name), rights))
            case .registry: if name == "catalog", isAll { granted.append(.catalog) }
            case nil: break
            }
        }
        return TokenScope(granted: granted)
    }
}
