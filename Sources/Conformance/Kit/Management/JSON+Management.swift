import Foundation

extension JSON {
    /// A truth value; nil when this is none.
    package var boolean: Bool? {
        for (text, value) in [("true", true), ("false", false)] where self.text == text && string == nil {
            return value
        }
        return nil
    }

    /// The value as JSON text, members in the order of their names.
    package var text: String {
        if let string { return JSONText.string(string) }
        if isNull { return "null" }
        if let keys { return JSONText.object(keys.compactMap { key in self[key].map { (key, $0.text) } }) }
        if let array { return JSONText.array(array.map(\.text)) }
        return scalar
    }

    /// The types of JSON Schema that it has: a whole number is a number too.
    var types: Set<String> {
        if string != nil { return ["string"] }
        if isNull { return ["null"] }
        if keys != nil { return ["object"] }
        if array != nil { return ["array"] }
        if boolean != nil { return ["boolean"] }
        return integer != nil || !scalar.contains(where: { ".eE".contains($0) }) ? ["integer", "number"] : ["number"]
    }

    /// The member at a path of names.
    package subscript(path names: String...) -> JSON? {
        names.reduce(Optional(self)) { $0?[$1] }
    }
}
