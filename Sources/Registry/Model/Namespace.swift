/// What a repository's name begins with: a user's or an organization's, for as long as it is.
package struct Namespace: Sendable, Hashable {
    /// Whose it is.
    package enum Kind: Int64, Sendable, Hashable {
        /// Nobody's: what `--open` made.
        case open = 0
        case user = 1
        case organization = 2
    }

    package let id: NamespaceID
    package let name: String
    package let kind: Kind

    /// A namespace with this key.
    package init(id: NamespaceID, name: String, kind: Kind) {
        self.id = id
        self.name = name
        self.kind = kind
    }
}
