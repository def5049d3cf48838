import Crypto
import Model

/// What can be changed of something, in a few letters (RFC 9110, section 8.8.3): equal tags, equal values. What is counted, such
/// as pulls, is not in it.
package struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// The tag of these values, in this order.
    init(_ values: [String?]) {
        var hash = SHA256()
        for value in values {
            hash.update(data: Array((value.map { "+\($0.utf8.count):\($0)" } ?? "-").utf8))
        }
        description = hash.finalize().prefix(12).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
            .joined()
    }
}

/// The tags, one of which has to be that of what is changed (RFC 9110, section 13.1.1): looked at in the change's own transaction.
package struct Expectation: Sendable {
    /// Nil for any.
    private let tags: [String]?

    /// Whatever is there may be changed.
    package static let anything = Expectation(tags: nil)

    /// One of these, without their quotes; nil for any.
    package init(tags: [String]?) { self.tags = tags }

    /// Why something of this tag may not be changed; nil when it may.
    func refusal(_ tag: EntityTag) -> Refusal? {
        guard let tags, !tags.contains(tag.description) else { return nil }
        return RegistryError(
            .preconditionFailed, "it was changed meanwhile: get it again, and look whether your change still fits",
            detail: ["field": "If-Match"])
    }
}

extension User {
    /// Of what can be changed.
    package var tag: EntityTag { EntityTag([id.description, email, "\(isAdministrator)", "\(isDisabled)"]) }
}

extension Organization {
    /// Of what can be changed.
    package var tag: EntityTag { EntityTag([name, description, displayName, website, avatar]) }
}

extension RepositoryInfo {
    /// Of what can be changed.
    package var tag: EntityTag { EntityTag([name.description, visibility.text, description]) }
}

extension Robot {
    /// Of what can be changed.
    package var tag: EntityTag { EntityTag([id.description, "\(isDisabled)"]) }
}
