import Model

/// A JSON object that is being answered with, in the order of its members.
struct JSONObject {
    private(set) var json = JSONText()
    private var isFirst = true

    /// What a member can be, where an object is written in one go.
    enum Value {
        case text(String)
        case flag(Bool)
        case texts([String])
        case object(JSONObject)
    }

    init() { json.raw("{") }

    /// An object of these members.
    init(_ members: [(name: String, value: Value)]) {
        self.init()
        for (name, value) in members {
            switch value {
            case .text(let text): put(name, text)
            case .flag(let flag): put(name, flag)
            case .texts(let texts): put(name, texts)
            case .object(let object): put(name, object)
            }
        }
    }

    mutating func put(_ name: String, _ text: String?) {
        key(name)
        if let text { json.string(text) } else { json.raw("null") }
    }

    mutating func put(_ name: String, _ flag: Bool) {
        key(name)
        json.raw(flag ? "true" : "false")
    }

    mutating func put(_ name: String, _ number: Int64?) {
        key(name)
        json.raw(number.map { "\($0)" } ?? "null")
    }

    /// A member that is JSON text already.
    mutating func put(_ name: String, json text: String) {
        key(name)
        json.raw(text)
    }

    mutating func put(_ name: String, _ time: Timestamp?) { put(name, time?.rfc3339) }

    mutating func put(_ name: String, _ texts: [String]) {
        key(name)
        json.array(texts) { $0.string($1) }
    }

    /// Texts, and null where it is wanted.
    mutating func putTexts(_ name: String, _ texts: [String], orNull: Bool) {
        key(name)
        json.array(texts.map { Optional($0) } + (orNull ? [nil] : [])) { json, text in
            if let text { json.string(text) } else { json.raw("null") }
        }
    }

    mutating func put(_ name: String, _ object: JSONObject?) {
        key(name)
        if let object { json.append(object.text) } else { json.raw("null") }
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
