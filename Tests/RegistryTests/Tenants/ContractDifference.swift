import Model

/// What of a contract (OpenAPI 3.1, as the registry writes it) a client that was made for an older one would trip over. Additions
/// are none: a client has to pass over members, statuses of errors and values that it does not know.
///
/// | of | breaking |
/// |---|---|
/// | operations | one that is gone; a way to log in that is gone |
/// | what is taken | a parameter or member that is gone, or newly has to be there; a value that is not taken any more |
/// | what is given | a status or media type that is gone; a member that is gone or may be left out; a type that it had not |
struct ContractDifference {
    /// Each as `users.list: …`, in the order of the older contract.
    private(set) var breaking: [String] = []
    private let old: JSONValue
    private let new: JSONValue
    private var place = ""
    /// Named shapes that are being looked at, or were: shapes may refer to themselves.
    private var seen: Set<String> = []

    /// Compares two documents.
    init(from old: JSONValue, to new: JSONValue) {
        self.old = old
        self.new = new
        for (path, item) in old["paths"].members {
            for (method, operation) in item.members { compare(operation, new["paths"][path][method]) }
        }
    }

    /// Whether a client of the older contract may go on: nothing breaks, or the version says that something does.
    var isTold: Bool { breaking.isEmpty || Self.major(old) != Self.major(new) }

    private static func major(_ document: JSONValue) -> Substring? {
        document["info"]["version"].text?.prefix { $0 != "." }
    }

    private mutating func note(_ what: String) {
        let line = "\(place): \(what)"
        if breaking.last != line { breaking.append(line) }
    }

    // MARK: operations

    private mutating func compare(_ old: JSONValue, _ new: JSONValue) {
        place = old["operationId"].text ?? "?"
        guard !new.members.isEmpty else { return note("is gone") }
        let ways = Self.ways(new, in: self.new)
        for way in Self.ways(old, in: self.old) where !ways.contains(way) && !ways.contains([]) {
            note("cannot be used by \(way.isEmpty ? "nobody" : way.joined(separator: " and ")) any more")
        }
        compareParameters(old, new)
        let (body, newBody) = (old["requestBody"], new["requestBody"])
        if body["required"] != .bool(true), newBody["required"] == .bool(true) { note("newly needs a body") }
        for (type, content) in body["content"].members {
            guard let taken = newBody["content"].member(type) else { note("takes no \(type) any more"); continue }
            compare(content["schema"], taken["schema"], at: "body", isGiven: false)
        }
        for (status, response) in old["responses"].members {
            guard let given = new["responses"].member(status) else { note("status \(status) is gone"); continue }
            for (type, content) in response["content"].members {
                guard let answer = given["content"].member(type) else { note("\(status) as \(type) is gone"); continue }
                compare(content["schema"], answer["schema"], at: status, isGiven: true)
            }
        }
    }

    /// The sets of ways to log in, one of which is enough.
    private static func ways(_ operation: JSONValue, in document: JSONValue) -> [[String]] {
        let security = operation.member("security") ?? document["security"]
        let ways = security.items.map { $0.members.map(\.key) }
        return ways.isEmpty ? [[]] : ways
    }

    private mutating func compareParameters(_ old: JSONValue, _ new: JSONValue) {
        let name = { (parameter: JSONValue) in "\(parameter["in"].text ?? "") \(parameter["name"].text ?? "")" }
        let (known, current) = (old["parameters"].items, new["parameters"].items)
        for parameter in known {
            guard let same = current.first(where: { name($0) == name(parameter) }) else {
                note("parameter \(name(parameter)) is gone")
                continue
            }
            if parameter["required"] != .bool(true), same["required"] == .bool(true) {
                note("parameter \(name(parameter)) newly has to be there")
            }
            compare(parameter["schema"], same["schema"], at: name(parameter), isGiven: false)
        }
        for parameter in current where parameter["required"] == .bool(true) {
            if !known.contains(where: { name($0) == name(parameter) }) {
                note("parameter \(name(parameter)) is new and has to be there")
            }
        }
    }

    // MARK: shapes

    private mutating func compare(_ old: JSONValue, _ new: JSONValue, at spot: String, isGiven: Bool) {
        if let name = old["$ref"].text {
            // Shapes of one name need one look a direction.
            guard seen.insert("\(name) \(new["$ref"].text ?? "") \(isGiven)").inserted else { return }
        }
        let (old, new) = (Self.resolved(old, in: self.old), Self.resolved(new, in: self.new))
        guard !new.members.isEmpty else {
            // Whatever there is: taken it is more, given it may be something else.
            if isGiven, !old.members.isEmpty { note("\(spot) may be anything") }
            return
        }
        let (types, newTypes) = (Self.types(old), Self.types(new))
        let lost = types.isEmpty ? [] : types.subtracting(newTypes)
        let added = newTypes.subtracting(types)
        if !isGiven, !newTypes.isEmpty, types.isEmpty || !lost.isEmpty {
            note("\(spot) is not taken as \(Self.list(lost)) any more")
        }
        if isGiven, !types.isEmpty, newTypes.isEmpty || !added.isEmpty { note("\(spot) may be \(Self.list(added))") }
        if !isGiven { compareBounds(old, new, at: spot) }
        compareMembers(old, new, at: spot, isGiven: isGiven)
        if let items = old.member("items") { compare(items, new["items"], at: "\(spot)[]", isGiven: isGiven) }
        for (index, choice) in old["anyOf"].items.enumerated() where choice["type"].text != "null" {
            let others = new["anyOf"].items
            compare(choice, others.indices.contains(index) ? others[index] : new, at: spot, isGiven: isGiven)
        }
    }

    private mutating func compareMembers(_ old: JSONValue, _ new: JSONValue, at spot: String, isGiven: Bool) {
        let required = { (shape: JSONValue) in Set(shape["required"].items.compactMap(\.text)) }
        let (needed, newlyNeeded) = (required(old), required(new))
        for (name, shape) in old["properties"].members {
            let place = "\(spot).\(name)"
            guard let same = new["properties"].member(name) else { note("\(place) is gone"); continue }
            if isGiven, needed.contains(name), !newlyNeeded.contains(name) { note("\(place) may be left out") }
            if !isGiven, !needed.contains(name), newlyNeeded.contains(name) { note("\(place) newly has to be there") }
            compare(shape, same, at: place, isGiven: isGiven)
        }
        guard !isGiven, old.member("properties") != nil else { return }
        for name in newlyNeeded.sorted() where old["properties"].member(name) == nil {
            note("\(spot).\(name) is new and has to be there")
        }
    }

    /// What a value that is taken may be.
    private mutating func compareBounds(_ old: JSONValue, _ new: JSONValue, at spot: String) {
        let values = Set(new["enum"].items.compactMap(\.text))
        if new.member("enum") != nil {
            if old.member("enum") == nil { note("\(spot) takes certain values alone") }
            for value in old["enum"].items.compactMap(\.text) where !values.contains(value) {
                note("\(spot) takes '\(value)' no more")
            }
        }
        for (bound, isUpper) in [("maxLength", true), ("maximum", true), ("minLength", false), ("minimum", false)] {
            guard case .integer(let limit) = new[bound] else { continue }
            guard case .integer(let before) = old[bound] else {
                if isUpper || limit > 0 { note("\(spot) has a \(bound) of \(limit)") }
                continue
            }
            if isUpper ? limit < before : limit > before { note("\(spot) has a \(bound) of \(limit), not \(before)") }
        }
        for rule in ["pattern", "format"] where new.member(rule) != nil && new[rule] != old[rule] {
            note("\(spot) has the \(rule) \(new[rule].text ?? "")")
        }
    }

    private static func resolved(_ shape: JSONValue, in document: JSONValue) -> JSONValue {
        guard let name = shape["$ref"].text?.split(separator: "/").last else { return shape }
        return document["components"]["schemas"][String(name)]
    }

    /// The types that a shape may have; none where it says nothing of them.
    private static func types(_ shape: JSONValue) -> Set<String> {
        let choices = shape["anyOf"].items.map { choice in choice.member("$ref") == nil ? choice["type"].text : "object"
        }
        return Set(
            (shape["type"].text.map { [$0] } ?? shape["type"].items.compactMap(\.text)) + choices.compactMap(\.self))
    }

    private static func list(_ types: Set<String>) -> String {
        types.isEmpty ? "anything" : types.sorted().joined(separator: " or ")
    }
}

extension JSONValue {
    /// A member; null where there is none.
    subscript(name: String) -> JSONValue { member(name) ?? .null }

    func member(_ name: String) -> JSONValue? {
        if case .object(let members) = self { members[name] } else { nil }
    }

    /// In the order of their names.
    var members: [(key: String, value: JSONValue)] {
        if case .object(let members) = self { members.sorted { $0.key < $1.key } } else { [] }
    }

    var items: [JSONValue] { if case .array(let items) = self { items } else { [] } }

    var text: String? { if case .text(let text) = self { text } else { nil } }
}
