import Model

/// A manifest as it is kept.
package struct StoredManifest: Sendable {
    package let digest: Digest
    package let mediaType: String
    package let bytes: [UInt8]
    /// The digest in quotes (RFC 9110 section 8.8.3).
    package let entityTag: String

    /// A manifest of these exact bytes.
    package init(digest: Digest, mediaType: String, bytes: [UInt8]) {
        self.digest = digest
        self.mediaType = mediaType
        self.bytes = bytes
        entityTag = "\"\(digest)\""
    }
}

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
    package let repository: RepositoryName
    package let principal: String
    package let key: StorageKey
    /// Bytes that are durable.
    package var received: Int64
    /// The hash over them.
    package var hash: ContentHash

    /// A session that has `received` bytes.
    package init(
        id: String, repository: RepositoryName, principal: String, key: StorageKey, received: Int64, hash: ContentHash
    ) {
        self.id = id
        self.repository = repository
        self.principal = principal
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

/// An entry of a referrers list.
package struct Referrer: Sendable {
    package let digest: Digest
    package let mediaType: String
    package let size: Int64
    package let artifactType: String?
    /// The annotations as a JSON object.
    package let annotations: String
}

/// What a tag must be for a push to go through (RFC 9110 `If-Match`, `If-None-Match`). Empty: anything.
package struct TagPrecondition: Sendable, Equatable {
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

    /// Whether a tag that points to `current` (nil: there is none) meets the conditions.
    package func holds(for current: String?) -> Bool {
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

/// How a manifest push ended.
package enum ManifestPush: Sendable {
    case stored
    /// The repository lacks these.
    case missing([Digest])
    /// The tag is not what the precondition asks for.
    case preconditionFailed
}

/// What a removal of a tag or manifest did.
package enum ManifestRemoval: Sendable {
    case removed
    /// There is none.
    case missing
    case preconditionFailed
}
