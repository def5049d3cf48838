import Vocabulary

/// A descriptor as manifests write it (image-spec "Content Descriptors").
package struct Descriptor: Sendable {
    /// Media type of what it points at.
    package var type: String
    /// Digest of what it points at.
    package var digest: String
    /// Its size in bytes.
    package var size: Int
    /// More members, values in JSON.
    package var members: [(String, String)] = []

    /// Points at content.
    package init(_ type: String, _ content: Content, _ members: [(String, String)] = []) {
        self.init(type: type, digest: content.digest, size: content.count, members)
    }

    /// Points anywhere.
    package init(type: String, digest: String, size: Int, _ members: [(String, String)] = []) {
        (self.type, self.digest, self.size, self.members) = (type, digest, size, members)
    }

    /// The JSON object.
    package var json: String {
        JSONText.object(
            [("mediaType", JSONText.string(type)), ("digest", JSONText.string(digest)), ("size", String(size))]
                + members)
    }
}

/// A manifest's bytes with the type that it is pushed as.
package struct Manifest: Sendable {
    /// The bytes.
    package let content: Content
    /// The media type.
    package let type: String

    /// Any bytes as a manifest.
    package init(_ text: String, type: String) {
        content = Content(text)
        self.type = type
    }

    /// An image manifest, OCI or Docker by its type.
    package init(
        image config: Descriptor, layers: [Descriptor], type: String = MediaType.ociManifest,
        members: [(String, String)] = []
    ) {
        let text = JSONText.object(
            [
                ("schemaVersion", "2"), ("mediaType", JSONText.string(type)), ("config", config.json),
                ("layers", JSONText.array(layers.map(\.json))),
            ] + members)
        self.init(text, type: type)
    }

    /// An image index or manifest list by its type.
    package init(
        index children: [Descriptor], type: String = MediaType.ociIndex, members: [(String, String)] = []
    ) {
        let text = JSONText.object(
            [
                ("schemaVersion", "2"), ("mediaType", JSONText.string(type)),
                ("manifests", JSONText.array(children.map(\.json))),
            ] + members)
        self.init(text, type: type)
    }

    /// The sha256 digest.
    package var digest: String { content.digest }

    /// A descriptor that points at it.
    package func descriptor(_ members: [(String, String)] = []) -> Descriptor { Descriptor(type, content, members) }
}

/// Media types as clients send them.
package enum MediaTypes {
    /// An `Accept` value of every manifest type that clients know.
    package static let all = [
        MediaType.ociManifest, MediaType.ociIndex, MediaType.dockerManifest, MediaType.dockerManifestList,
        MediaType.ociArtifact,
    ].joined(separator: ", ")
}
