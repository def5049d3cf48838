import Vocabulary

/// What the registry reads from a manifest's bytes; the bytes themselves are kept and served as they came.
package struct Manifest: Sendable {
    /// The two shapes: content with its blobs, or a list of manifests.
    package enum Kind: Sendable { case image, index }

    /// The media type that it was pushed as, without parameters.
    package let mediaType: String
    package let kind: Kind
    /// All that it refers to, in the order of its bytes; one digest can be there several times.
    package let descriptors: [Descriptor]
    /// What must be in the repository before the manifest is taken, each once: blobs of an image, children of an index.
    package let required: [Digest]
    /// The manifest that this one refers to, which need not exist (image-spec "subject").
    package let subject: Digest?
    /// For a referrers list: `artifactType`, or of an image without one the configuration's media type.
    package let artifactType: String?
    /// For a referrers list: the annotations, a JSON object exactly as it stands in the bytes; `{}` when there are none.
    package let annotations: String

    /// Media types taken, each with its shape.
    package static let taken: [String: Kind] = [
        MediaType.ociManifest: .image, MediaType.dockerManifest: .image, MediaType.ociArtifact: .image,
        MediaType.ociIndex: .index, MediaType.dockerManifestList: .index,
    ]

    /// Reads a manifest pushed with this `Content-Type` (nil: none was sent; the body's `mediaType` decides then).
    /// Throws `ParseError(.manifest)` with what is wrong and where, or `(.mediaType)`.
    package static func parse(_ bytes: [UInt8], contentType: String?) throws(ParseError) -> Manifest {
        let document = try Document.read(bytes)
        let mediaType = try agreed(contentType, document)
        // No type that is taken is longer; comparing text of megabytes costs much more than reading it.
        let known = mediaType.utf8.count <= 255 ? taken[mediaType] : nil
        guard !document.keys.contains(.fsLayers), document.schemaVersion != 1, let kind = known else {
            throw ParseError(.mediaType, refusal(of: mediaType))
        }
        let isArtifact = mediaType == MediaType.ociArtifact
        guard document.schemaVersion == 2 || (document.schemaVersion == nil && isArtifact) else {
            throw ParseError(.manifest, "schemaVersion: must be 2")
        }
        switch kind {
        case .image: try checkImage(document, isArtifact: isArtifact)
        case .index: try checkIndex(document)
        }
        return Manifest(mediaType, kind, document, blobs: isArtifact ? [.config, .layer, .blob] : [.config, .layer])
    }

    private static func checkImage(_ document: Document, isArtifact: Bool) throws(ParseError) {
        guard !document.keys.contains(.manifests) else {
            throw ParseError(.manifest, "an image manifest must not have 'manifests': push an index as an index")
        }
        guard isArtifact || document.filled.isSuperset(of: [.config, .layers]) else {
            throw ParseError(.manifest, "an image manifest needs 'config' and 'layers'")
        }
    }

    private static func checkIndex(_ document: Document) throws(ParseError) {
        guard document.keys.isDisjoint(with: [.layers, .config]) else {
            throw ParseError(.manifest, "an index must not have 'config' or 'layers': push an image as an image")
        }
        guard document.filled.contains(.manifests) else { throw ParseError(.manifest, "an index needs 'manifests'") }
    }

    private init(_ mediaType: String, _ kind: Kind, _ document: Document, blobs: [Descriptor.Role]) {
        self.mediaType = mediaType
        self.kind = kind
        let roles = (kind == .image ? blobs : [.child]) + [.subject]
        descriptors = document.descriptors.filter { roles.contains($0.role) }
        var seen: Set<Digest> = []
        required = descriptors.filter { $0.isRequired && seen.insert($0.digest).inserted }.map(\.digest)
        subject = descriptors.first { $0.role == .subject }?.digest
        let config = kind == .image ? descriptors.first { $0.role == .config } : nil
        artifactType = document.artifactType.nonEmpty ?? config?.mediaType.nonEmpty
        annotations = document.annotations
    }

    /// The one type that `Content-Type` and `mediaType` both say: where they differ, a client could be made to read the
    /// bytes as something else (CVE-2021-41190).
    private static func agreed(_ contentType: String?, _ document: Document) throws(ParseError) -> String {
        let sent = contentType.map { $0.prefix { $0 != ";" }.trimmed.lowercased() } ?? ""
        guard let inside = document.mediaType.nonEmpty else {
            guard !sent.isEmpty else {
                throw ParseError(.mediaType, "send the manifest's media type as Content-Type")
            }
            return sent
        }
        guard sent.isEmpty || sent.utf8.elementsEqual(inside.utf8) else {
            throw ParseError(
                .manifest, "mediaType: is '\(inside.excerpt)', and Content-Type says '\(sent.excerpt)': send one type")
        }
        return inside
    }

    private static func refusal(of mediaType: String) -> String {
        "manifests of type '\(mediaType.excerpt)' are not taken: push an OCI image or index (image-spec 1), "
            + "or a Docker manifest of version 2, schema 2"
    }
}

extension String? {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}
