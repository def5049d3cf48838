import Model
import Service

/// The members of a request's JSON object. Each is asked for by its name; one that nobody asks for is an error.
struct Fields {
    private let members: [String: JSONValue]

    /// Reads a body: an object of these members, none of which has to be there; nothing at all is an empty one.
    /// Throws `.fieldInvalid`.
    init(_ body: [UInt8], _ known: Set<String>) throws(RegistryError) {
        guard !body.isEmpty else {
            self.init()
            return
        }
        let value = try parsing { () throws(ParseError) in
            try JSONValue.parse(body, .body, noun: "the body")
        }
        guard case .object(let members) = value else {
            throw RegistryError(.fieldInvalid, "the body must be a JSON object")
        }
        try self.init(members, known)
    }

    private init() { members = [:] }

    private init(_ members: [String: JSONValue], _ known: Set<String>) throws(RegistryError) {
        for name in members.keys.sorted() where !known.contains(name) {
            throw Self.wrong(name, "is not known here: there are \(known.sorted().joined(separator: ", "))")
        }
        self.members = members
    }

    /// The text of a member; nil where it is not there or null.
    func text(_ name: String) throws(RegistryError) -> String? {
        switch members[name] {
        case nil, .null: return nil
        case .text(let text): return text
        default: throw Self.wrong(name, "must be a text")
        }
    }

    /// The text of a member that has to be there.
    func required(_ name: String) throws(RegistryError) -> String {
        guard let text = try text(name) else { throw Self.wrong(name, "has to be there") }
        return text
    }

    /// A member that is true or false; nil where it is not there.
    func flag(_ name: String) throws(RegistryError) -> Bool? {
        switch members[name] {
        case nil, .null: return nil
        case .bool(let flag): return flag
        default: throw Self.wrong(name, "must be true or false")
        }
    }

    /// A whole number; nil where it is not there.
    func number(_ name: String, in range: ClosedRange<Int64>) throws(RegistryError) -> Int64? {
        switch members[name] {
        case nil, .null: return nil
        case .integer(let number) where range.contains(number): return number
        default: throw Self.wrong(name, "must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
    }

    /// A time; nil where it is not there.
    func time(_ name: String) throws(RegistryError) -> Timestamp? {
        guard let text = try text(name) else { return nil }
        guard let time = Timestamp(rfc3339: text) else {
            throw Self.wrong(name, "must be a time such as 2027-01-31T00:00:00Z")
        }
        return time
    }

    /// A list of texts; nil where it is not there.
    func texts(_ name: String) throws(RegistryError) -> [String]? {
        guard let items = try list(name) else { return nil }
        var texts: [String] = []
        for item in items {
            guard case .text(let text) = item else { throw Self.wrong(name, "must be a list of texts") }
            texts.append(text)
        }
        return texts
    }

    /// A list of objects with these members; nil where it is not there.
    func objects(_ name: String, _ known: Set<String>) throws(RegistryError) -> [Fields]? {
        guard let items = try list(name) else { return nil }
        var objects: [Fields] = []
        for item in items {
            guard case .object(let members) = item else { throw Self.wrong(name, "must be a list of objects") }
            objects.append(try Fields(members, known))
        }
        return objects
    }

    private func list(_ name: String) throws(RegistryError) -> [JSONValue]? {
        switch members[name] {
        case nil, .null: return nil
        case .array(let items): return items
        default: throw Self.wrong(name, "must be a list")
        }
    }

    /// Whether a member is there, be it null.
    func has(_ name: String) -> Bool { members[name] != nil }

    static func wrong(_ name: String, _ what: String) -> RegistryError {
        RegistryError(.fieldInvalid, "'\(name.excerpt)' \(what)", detail: ["field": name.excerpt])
    }
}

/// A JSON object that is being answered with, in the order of its members.
struct JSONObject {
    private(set) var json = JSONText()
    private var isFirst = true

    init() { json.raw("{") }

    mutating func put(_ name: String, _ text: String?) {
        key(name)
        if let text { json.string(text) } else { json.raw("null") }
    }

    mutating func put(_ name: String, _ flag: Bool) {
        key(name)
        json.raw(flag ? "true" : "false")
    }

    mutating func put(_ name: String, _ number: Int64) {
        key(name)
        json.raw("\(number)")
    }

    mutating func put(_ name: String, _ time: Timestamp?) { put(name, time?.rfc3339) }

    mutating func put(_ name: String, _ texts: [String]) {
        key(name)
        json.array(texts) { $0.string($1) }
    }

    mutating func put(_ name: String, _ objects: [JSONObject]) {
        key(name)
        json.array(objects) { $0.append($1.text) }
    }

    private mutating func key(_ name: String) {
        if !isFirst { json.raw(",") }
        isFirst = false
        json.string(name)
        json.raw(":")
    }

    /// The whole object.
    var text: [UInt8] { json.bytes + [UInt8(ascii: "}")] }
}

extension Response {
    /// An answer of one object.
    static func json(_ status: Int, _ object: JSONObject) -> Response { .json(status, object.text) }

    /// A page of a list: `items`, and `next`, which is what `after` has to be for the next one.
    static func page(_ items: [JSONObject], next: String?) -> Response {
        var page = JSONObject()
        page.put("items", items)
        page.put("next", next)
        return .json(200, page)
    }
}
