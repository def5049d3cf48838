import Model

/// Where a blob's bytes are, and what they were like when they were last known to be whole.
package struct BlobLocation: Sendable, Equatable {
    package let key: StorageKey
    package let size: Int64
    package let stamp: String
    /// The bytes were found to be lost or changed: not to be served until they are pushed again.
    package let isDamaged: Bool

    /// A location; `size` in bytes.
    package init(key: StorageKey, size: Int64, stamp: String, isDamaged: Bool = false) {
        self.key = key
        self.size = size
        self.stamp = stamp
        self.isDamaged = isDamaged
    }
}

/// An upload in progress; bound to one repository and one principal (CVE-2026-32589).
package struct UploadSession: Sendable {
    package let id: String
    package let repository: Repository
    package let principal: PrincipalID
    /// Of the client that began it.
    package let address: String
    package let key: StorageKey
    /// Bytes that are durable.
    package var received: Int64
    /// The hash over them.
    package var hash: ContentHash

    /// A session that has `received` bytes.
    package init(
        id: String, repository: Repository, principal: PrincipalID, address: String, key: StorageKey, received: Int64,
        hash: ContentHash
    ) {
        self.id = id
        self.repository = repository
        self.principal = principal
        self.address = address
        self.key = key
        self.received = received
        self.hash = hash
    }
}

/// How an upload became a blob.
package enum UploadEnd: Sendable {
    /// Its object is the blob's.
    case stored
    /// The blob has an object already: this one's bytes go.
    case known
    /// Its object takes the place of another one, whose bytes go.
    case replaced
    /// There was no such session any more.
    case gone
}
