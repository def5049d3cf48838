/// Which manifest a reference means, and how it is served.
package final class ManifestPointer: Sendable {
    package let digest: Digest
    package let mediaType: String
    /// The digest in quotes (RFC 9110 section 8.8.3).
    package let entityTag: String
    /// Of an index: its linux/amd64 image, for clients that take no index (content-negotiation.md).
    package let defaultImage: Digest?
    /// In bytes.
    package let size: Int64

    /// A pointer to this manifest.
    package init(digest: Digest, mediaType: String, size: Int64, defaultImage: Digest?) {
        self.digest = digest
        self.mediaType = mediaType
        self.size = size
        self.defaultImage = defaultImage
        entityTag = "\"\(digest)\""
    }
}

/// A manifest to serve.
package struct StoredManifest: Sendable {
    private let pointer: ManifestPointer
    /// Shared with the cache and every answer that is being sent: an array is copied only by who changes it.
    package let bytes: [UInt8]
    /// Whether it stands for an index that this client does not take, so that others get another one.
    package let isSubstitute: Bool

    /// The manifest that `pointer` means, of these exact bytes.
    package init(_ pointer: ManifestPointer, _ bytes: [UInt8], isSubstitute: Bool = false) {
        self.pointer = pointer
        self.bytes = bytes
        self.isSubstitute = isSubstitute
    }

    /// The same, in place of an index.
    package var substituted: StoredManifest { StoredManifest(pointer, bytes, isSubstitute: true) }

    package var digest: Digest { pointer.digest }
    package var mediaType: String { pointer.mediaType }
    /// The digest in quotes (RFC 9110 section 8.8.3).
    package var entityTag: String { pointer.entityTag }
    /// Of an index: its linux/amd64 image, for clients that take no index (content-negotiation.md).
    package var defaultImage: Digest? { pointer.defaultImage }
}

/// An entry of a referrers list.
package struct Referrer: Sendable {
    package let digest: Digest
    package let mediaType: String
    package let size: Int64
    package let artifactType: String?
    /// The annotations, a JSON object as it was pushed; `{}` when there are none.
    package let annotations: String

    /// An entry; `size` in bytes.
    package init(digest: Digest, mediaType: String, size: Int64, artifactType: String?, annotations: String) {
        self.digest = digest
        self.mediaType = mediaType
        self.size = size
        self.artifactType = artifactType
        self.annotations = annotations
    }
}
