import Model

/// What an API key reaches at most: actions in single repositories, or in all below a path.
package struct KeyScope: Hashable, Sendable {
    /// Actions in what a pattern names: `a/b`, `a/*`, or `*` for every repository.
    package struct Entry: Hashable, Sendable {
        package let pattern: String
        package let rights: Set<Right>
    }

    /// The most entries of one key.
    package static let most = 64
    fileprivate static let actions: [(name: String, right: Right)] = [
        ("pull", .pull), ("push", .push), ("delete", .delete),
    ]

    package let entries: [Entry]

    /// Reads patterns with their actions. Throws `ParseError(.keyScope)`.
    package static func parse(_ entries: [(pattern: String, actions: [String])]) throws(ParseError) -> KeyScope {
        guard (1...most).contains(entries.count) else {
            throw ParseError(.keyScope, "a key's scope has 1 to \(most) entries; leave it out for no bound")
        }
        var read: [Entry] = []
        for entry in entries {
            if entry.pattern != "*" {
                let name = entry.pattern.hasSuffix("/*") ? String(entry.pattern.dropLast(2)) : entry.pattern
                _ = try RepositoryName.parse(name)
            }
            var rights: Set<Right> = []
            for action in entry.actions {
                guard let known = actions.first(where: { $0.name == action }) else {
                    throw ParseError(
                        .keyScope, "'\(action.excerpt)' is no action of a key: there are pull, push and delete")
                }
                rights.insert(known.right)
            }
            guard !rights.isEmpty else { throw ParseError(.keyScope, "'\(entry.pattern)' has no actions") }
            // Who may push or delete looks first at what is there.
            read.append(Entry(pattern: entry.pattern, rights: rights.union([.pull])))
        }
        return KeyScope(entries: read)
    }

    /// For a column: `a/b:pull,push c/*:pull`. Patterns have neither colons nor blanks.
    package var text: String {
        entries.map { entry in entry.pattern + ":" + entry.actions.joined(separator: ",") }.joined(separator: " ")
    }

    /// Reads what `text` wrote. Throws `ParseError(.keyScope)`.
    package static func parse(text: String) throws(ParseError) -> KeyScope {
        try parse(
            text.split(separator: " ").map { entry in
                let halves = entry.split(separator: ":", maxSplits: 1)
                return (String(halves.first ?? ""), halves.dropFirst().joined().split(separator: ",").map(String.init))
            })
    }

    /// As the bound of an identity: it lets one say hello and see the catalog, and never reaches the account.
    package var bound: TokenScope {
        get throws(ParseError) {
            var repositories: [RepositoryName: Set<Right>] = [:]
            var prefixes: [String: Set<Right>] = [:]
            for entry in entries {
                if entry.pattern == "*" {
                    prefixes["", default: []].formUnion(entry.rights)
                } else if entry.pattern.hasSuffix("/*") {
                    prefixes[String(entry.pattern.dropLast(2)), default: []].formUnion(entry.rights)
                } else {
                    repositories[try RepositoryName.parse(entry.pattern), default: []].formUnion(entry.rights)
                }
            }
            return TokenScope(repositories: repositories, prefixes: prefixes, registry: [.base])
        }
    }
}

extension KeyScope.Entry {
    /// The actions' names, in the order of the API.
    package var actions: [String] { KeyScope.actions.filter { rights.contains($0.right) }.map(\.name) }
}
