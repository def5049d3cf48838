/// What rows are about; the subject of an `Identifier`.
package enum Row {
    package enum Namespace {}
    package enum Repository {}
    package enum Principal {}
    package enum Blob {}
    package enum Manifest {}
    package enum Event {}
    package enum Team {}
    package enum Key {}
    package enum Login {}
    package enum Invitation {}
    package enum Letter {}
    package enum Registration {}
    package enum AddressChange {}
    package enum Total {}
}

/// The key of a row: rows refer to each other by it and never by a name, so that what is made again under an old name
/// inherits nothing. 63 bits, later ones being larger; no secret, and never shown to clients.
package struct Identifier<Subject>: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let value: Int64

    /// The identifier of this value.
    package init(_ value: Int64) { self.value = value }

    package static func < (a: Self, b: Self) -> Bool { a.value < b.value }

    package var description: String { "\(value)" }
}

package typealias NamespaceID = Identifier<Row.Namespace>
package typealias RepositoryID = Identifier<Row.Repository>
package typealias PrincipalID = Identifier<Row.Principal>
package typealias BlobID = Identifier<Row.Blob>
package typealias ManifestID = Identifier<Row.Manifest>
package typealias EventID = Identifier<Row.Event>
package typealias TeamID = Identifier<Row.Team>
package typealias KeyID = Identifier<Row.Key>
package typealias LoginID = Identifier<Row.Login>
package typealias InvitationID = Identifier<Row.Invitation>
package typealias LetterID = Identifier<Row.Letter>
package typealias RegistrationID = Identifier<Row.Registration>
package typealias AddressChangeID = Identifier<Row.AddressChange>
package typealias TotalID = Identifier<Row.Total>
