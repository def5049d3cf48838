import Model

/// One thing that a client asks a token for, in Docker's words: `repository:a/b:pull,push` (distribution, "Token Scope
/// Documentation").
package enum ScopeRequest: Hashable, Sendable {
    /// Rights on a repository, or on its being made. Actions that nobody knows are left out.
    case repository(RepositoryName, Set<Right>)
    /// To list repositories: `registry:catalog:*`.
    case catalog
    /// Anything else, as it was sent: grants nothing, and is no error.
    case other(String)

    /// Scopes that one request may name.
    package static let most = 64
    /// Bytes that one of them may have: a name, its type, and every action there is.
    package static let longest = 512

    /// Reads the values of all `scope` parameters of a request: each may hold several, separated by spaces. What is asked
    /// of one repository in several scopes comes together, where it was named first. Throws `ParseError(.scope)` for more
    /// or longer ones than a client has use for.
    package static func parse(_ parameters: [String]) throws(ParseError) -> [ScopeRequest] {
        var texts: [Substring] = []
        for parameter in parameters {
            // Split no further than one past what is taken: the count is the caller's.
            let found = parameter.split(separator: " ", maxSplits: most, omittingEmptySubsequences: true)
            guard texts.count + found.count <= most else {
                throw ParseError(.scope, "more than \(most) scopes are asked for: ask for fewer at a time")
            }
            texts += found
        }
        var requests: [ScopeRequest] = []
        var places: [RepositoryName: Int] = [:]
        for text in texts {
            guard text.utf8.count <= longest else {
                throw ParseError(.scope, "the scope '\(text.excerpt)' is longer than \(longest) bytes")
            }
            let request = one(text)
            if case .repository(let name, let rights) = request {
                guard let place = places[name] else {
                    places[name] = requests.count
                    requests.append(request)
                    continue
                }
                if case .repository(_, let others) = requests[place] {
                    requests[place] = .repository(name, rights.union(others))
                }
            } else if !requests.contains(request) {
                requests.append(request)
            }
        }
        return requests
    }

    /// `type[(class)]:name:actions`, cut at the first and the last colon, as the name may have a port in it.
    private static func one(_ text: Substring) -> ScopeRequest {
        guard let first = text.utf8.firstIndex(of: UInt8(ascii: ":")),
            let last = text.utf8.lastIndex(of: UInt8(ascii: ":")), first < last
        else { return .other(String(text)) }
        let name = text[text.utf8.index(after: first)..<last]
        let actions = text[text.utf8.index(after: last)...].split(separator: ",")
        switch Resource(text[..<first]) {
        case .repository:
            do throws(ParseError) {
                return .repository(try RepositoryName.parse(String(name)), Set(actions.flatMap(Right.named)))
            } catch {
                // There is no repository of such a name: nothing to grant.
                return .other(String(text))
            }
        case .registry:
            return name == "catalog" && actions.contains("*") ? .catalog : .other(String(text))
        case nil:
            return .other(String(text))
        }
    }
}

/// What a scope and an entry of `access` can be about.
enum Resource: String {
    case repository, registry

    /// By the type in a scope; the class behind it, as in Docker's `repository(plugin)`, makes no difference here.
    init?(_ text: some StringProtocol) {
        let type = text.hasSuffix(")") ? text.prefix { $0 != "(" } : text[...]
        self.init(rawValue: String(type))
    }
}

extension Right {
    /// What can be done to a repository by Docker's tokens, in the order that we write it.
    static let actions: [(name: String, right: Right)] = [("pull", .pull), ("push", .push), ("delete", .delete)]

    /// The rights that an action stands for: `*` for all, an unknown one for none.
    static func named(_ action: some StringProtocol) -> [Right] {
        action == "*" ? actions.map(\.right) : actions.filter { $0.name == action }.map(\.right)
    }
}

extension ScopeRequest: CustomStringConvertible {
    /// The scope as a challenge has it: always of three parts, as podman's reader wants.
    package var description: String {
        switch self {
        case .repository(let name, let rights):
            let actions = Right.actions.filter { rights.contains($0.right) }.map(\.name)
            return "repository:\(name):\(actions.joined(separator: ","))"
        case .catalog: return "registry:catalog:*"
        case .other(let text): return text
        }
    }

    /// What a challenge asks for where this right was missing; nil where credentials alone are. Pushing takes pulling along:
    /// a client that pushes looks first at what is there.
    package static func wanted(_ right: Right, on name: RepositoryName?) -> ScopeRequest? {
        guard let name else { return right == .catalog ? .catalog : nil }
        return switch right {
        case .pull, .catalog, .base: .repository(name, [.pull])
        case .push: .repository(name, [.pull, .push])
        case .delete: .repository(name, [.delete])
        case .administer, .account, .create, .view, .manage, .own: nil
        }
    }
}
