import Vocabulary

/// What a manifest says of content that it refers to (image-spec "descriptor.md").
package struct Descriptor: Sendable, Equatable {
    /// As what the manifest refers to it; the raw value is the key that it stands under.
    package enum Role: String, Sendable, CaseIterable {
        case config, subject
        case layer = "layers"
        case blob = "blobs"
        case child = "manifests"
    }

    package let role: Role
    /// Its place in the list of its role, from 0; 0 where there is no list.
    package let index: Int
    package let digest: Digest
    /// In bytes, zero or more, as told.
    package let size: Int64
    /// As told; nil when nothing is.
    package let mediaType: String?
    package let artifactType: String?
    /// Of an index's entry: where it runs.
    package let platform: Platform?

    /// Where it stands in the manifest, such as `manifests[3]`.
    package var place: String {
        switch role {
        case .config, .subject: role.rawValue
        case .layer, .blob, .child: "\(role.rawValue)[\(index)]"
        }
    }

    /// Whether the repository must have it before the manifest is taken: not a subject, nor layers that a registry need not
    /// hold (image-spec "layer.md", Non-Distributable Layers; Docker's foreign layers).
    package var isRequired: Bool {
        guard role == .layer, let mediaType else { return role != .subject }
        return
            !(mediaType == MediaType.dockerForeignLayer
            || mediaType.utf8.starts(with: MediaType.ociNondistributablePrefix.utf8))
    }
}

/// Where an entry of an index runs (image-spec "image-index.md", `platform`). What is not told is empty.
package struct Platform: Sendable, Equatable {
    package var os = ""
    package var architecture = ""
    package var variant = ""
    package var osVersion = ""
    package var osFeatures: [String] = []
    package var features: [String] = []
}
