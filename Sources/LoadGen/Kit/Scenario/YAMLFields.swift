import Yams

/// The keys of one YAML mapping, each to be asked for by name: what is left over is an error, not a silence.
struct YAMLFields {
    let file: String
    let path: String
    private let nodes: [(key: String, line: Int, value: Node)]
    private var known: [String] = []

    init(_ node: Node, file: String, path: String) throws(ScenarioError) {
        guard let mapping = node.mapping else {
            throw ScenarioError("\(file):\(node.mark?.line ?? 1): \(path) must be a mapping of keys to values")
        }
        self.file = file
        self.path = path
        var nodes: [(key: String, line: Int, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.string else {
                throw ScenarioError("\(file):\(key.mark?.line ?? 1): a key of \(path) is no text")
            }
            nodes.append((name, key.mark?.line ?? 1, value))
        }
        self.nodes = nodes
    }

    mutating func node(_ key: String) -> (line: Int, value: Node)? {
        known.append(key)
        return nodes.first { $0.key == key }.map { ($0.line, $0.value) }
    }

    /// Reads a scalar with `parse`, whose complaint gets its place put before it.
    mutating func read<Value>(
        _ key: String, _ parse: (String) throws -> Value
    ) throws(ScenarioError) -> Value? {
        guard let (line, value) = node(key) else { return nil }
        guard let text = value.scalar?.string else { throw error(line, key, "must be a single value") }
        do {
            return try parse(text)
        } catch {
            throw self.error(line, key, "\(error)")
        }
    }

    mutating func number(_ key: String, _ range: ClosedRange<Double>) throws(ScenarioError) -> Double? {
        try read(key) { try Quantity.number($0, in: range) }
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(ScenarioError) -> Int? {
        try read(key) { text in
            guard let number = Int(text), range.contains(number) else {
                throw QuantityError(text, wanted: "a whole number from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
    }

    mutating func duration(_ key: String) throws(ScenarioError) -> Duration? {
        try read(key, Quantity.duration)
    }

    mutating func flag(_ key: String) throws(ScenarioError) -> Bool? {
        try read(key) { text in
            switch text {
            case "true", "yes", "on": return true
            case "false", "no", "off": return false
            default: throw QuantityError(text, wanted: "true or false")
            }
        }
    }

    /// Which of two words stands there: `true` is the second.
    mutating func either(_ key: String, _ first: String, _ second: String) throws(ScenarioError) -> Bool? {
        try read(key) { text in
            guard text == first || text == second else { throw QuantityError(text, wanted: "\(first) or \(second)") }
            return text == second
        }
    }

    mutating func choice<Value: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Value.Type
    ) throws(ScenarioError) -> Value? where Value.RawValue == String {
        try read(key) { text in
            guard let value = Value(rawValue: text) else {
                throw QuantityError(text, wanted: "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "))
            }
            return value
        }
    }

    /// Call last: throws for the first key that nobody has asked for.
    func refuseOthers() throws(ScenarioError) {
        guard let stranger = nodes.first(where: { !known.contains($0.key) }) else { return }
        throw ScenarioError(
            "\(file):\(stranger.line): unknown key '\(stranger.key)' in \(path); known: "
                + Array(Set(known)).sorted().joined(separator: ", "))
    }

    func error(_ line: Int, _ key: String, _ reason: String) -> ScenarioError {
        ScenarioError("\(file):\(line): \(key): \(reason)")
    }
}
