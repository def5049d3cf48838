import Model

/// Where a blob's bytes are, and what they were like when they were last known to be whole.
package struct BlobLocation: Sendable, Equatable {
    package let key: StorageKey
    package let size: Int64
    package let stamp: String
    /// The bytes were found to be lost or changed: not to be served until they are pushed again.
    package let isDamaged: Bool
    /// Nothing referred to the blob in its repository when that was looked at: it goes soon, unless it is renewed.
    package let isMarked: Bool

    /// A location; `size` in bytes.
    package init(key: StorageKey, size: Int64, stamp: String, isDamaged: Bool = false, isMarked: Bool = false) {
        self.key = key
        self.size = size
        self.stamp = stamp
        self.isDamaged = isDamaged
        self.isMarked = isMarked
    }
}

/// A blob as the store has it, whichever repositories do.
package struct StoredBlob: Sendable {
    package let id: BlobID
    package let digest: Digest
    package let location: BlobLocation
    package let createdAt: Timestamp
    /// When its bytes were last read through; nil when they never were since they came.
    package let checkedAt: Timestamp?
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
    /// What the driver of the blobs needs to go on.
    package var driver: [UInt8] = []
    /// Grows with everything that is saved: who has an older one can change nothing any more.
    package var fence: Int64 = 0

    /// How far the object is.
    package var state: UploadState {
        get { UploadState(offset: received, hash: hash, driver: driver) }
        set { (received, hash, driver) = (newValue.offset, newValue.hash, newValue.driver) }
    }

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

/// How many uploads may be in progress: of an address, of a principal that is somebody, and in all.
package struct UploadLimits: Sendable {
    /// Begun from one address.
    package var ofAddress = 1000
    /// Begun by one principal.
    package var ofPrincipal = 1000
    /// All together.
    package var inAll = 20_000

    /// The defaults.
    package init() {}
}

/// Where a list of sessions by age goes on.
package struct SessionCursor: Sendable {
    let updatedAt: Int64
    let id: String
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
