import Model
import Service

/// The members of a request's JSON object, which has the shape that its operation takes.
struct Fields {
    private let members: [String: JSONValue]

    /// Reads a body; nothing at all is an object without members. Throws `.fieldInvalid`.
    init(_ body: [UInt8], _ shape: Shape) throws(RegistryError) {
        let value =
            body.isEmpty
            ? .object([:])
            : try parsing { () throws(ParseError) in try JSONValue.parse(body, .body, noun: "the body") }
        if let fault = shape.fault(of: value) {
            guard !fault.place.isEmpty else { throw RegistryError(.fieldInvalid, "the body \(fault.what)") }
            throw Self.wrong(fault.place, fault.what)
        }
        guard case .object(let members) = value else {
            throw RegistryError(.internalError, "the operation takes no object")
        }
        self.members = members
    }

    private init(_ members: [String: JSONValue]) { self.members = members }

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
    func number(_ name: String) throws(RegistryError) -> Int64? {
        switch members[name] {
        case nil, .null: return nil
        case .integer(let number): return number
        default: throw Self.wrong(name, "must be a whole number")
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

    /// A list of objects; nil where it is not there.
    func objects(_ name: String) throws(RegistryError) -> [Fields]? {
        guard let items = try list(name) else { return nil }
        var objects: [Fields] = []
        for item in items {
            guard case .object(let members) = item else { throw Self.wrong(name, "must be a list of objects") }
            objects.append(Fields(members))
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
