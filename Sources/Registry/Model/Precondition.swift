/// What content must be for a request to go through (RFC 9110 `If-Match`, `If-None-Match`). Empty: anything.
package struct Precondition: Sendable, Equatable {
    /// What a conditional header lists.
    package enum Condition: Sendable, Equatable {
        case any
        case digests([String])
    }

    package var match: Condition?
    package var noneMatch: Condition?

    /// Conditions of a request.
    package init(match: Condition? = nil, noneMatch: Condition? = nil) {
        self.match = match
        self.noneMatch = noneMatch
    }

    /// Whether there is any condition.
    package var isEmpty: Bool { match == nil && noneMatch == nil }

    /// Whether content of the digest `current` (nil: there is none) meets the conditions.
    package func holds(for current: Digest?) -> Bool {
        let current = current?.description
        switch match {
        case .any?: if current == nil { return false }
        case .digests(let wanted)?: if current.map(wanted.contains) != true { return false }
        case nil: break
        }
        switch noneMatch {
        case .any?: return current == nil
        case .digests(let unwanted)?: return current.map(unwanted.contains) != true
        case nil: return true
        }
    }
}
