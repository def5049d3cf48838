import FoundationEssentials
import Vocabulary

/// What the registry reads from a manifest's bytes; the bytes themselves are kept and served as they came.
package struct Manifest: Sendable {
    /// The two shapes: content with its blobs, or a list of manifests.
    package enum Kind: Sendable { case image, index }

    /// The media type that it was pushed as, without parameters.
    package let mediaType: String
    package let kind: Kind
    /// What must be in the repository before the manifest is taken: blobs of an image, children of an index.
    package let required: [Digest]
    /// The manifest that this one refers to, which need not exist (image-spec "subject").
    package let subject: Digest?
    /// For a referrers list: `artifactType`, or of an image without one the configuration's media type.
    package let artifactType: String?
    /// For a referrers list: the annotations.
    package let annotations: [String: String]
    /// Of an index: where its children run, to serve clients that do not take an index.
    package let platforms: [(digest: Digest, os: String, architecture: String)]

    /// Media types taken, each with its shape.
    package static let taken: [String: Kind] = [
        MediaType.ociManifest: .image, MediaType.dockerManifest: .image, MediaType.ociArtifact: .image,
        MediaType.ociIndex: .index, MediaType.dockerManifestList: .index,
    ]

    /// Reads a manifest pushed with this `Content-Type` (nil: none was sent; the body's `mediaType` decides then).
    /// Throws `ParseError(.manifest)` with what is wrong, or `(.mediaType)`.
    package static func parse(_ bytes: [UInt8], contentType: String?) throws(ParseError) -> Manifest {
        let document = try read(bytes)
        let mediaType = try agreed(contentType, document)
        guard document.fsLayers == nil, document.schemaVersion != 1, let kind = taken[mediaType] else {
            throw ParseError(.mediaType, refusal(of: mediaType))
        }
        guard document.schemaVersion == 2 || (document.schemaVersion == nil && mediaType == MediaType.ociArtifact)
        else {
            throw ParseError(.manifest, "schemaVersion must be 2")
        }
        switch kind {
        case .image: return try image(mediaType, document)
        case .index: return try index(mediaType, document)
        }
    }

    private static func image(_ mediaType: String, _ document: Document) throws(ParseError) -> Manifest {
        guard document.manifests == nil else {
            throw ParseError(.manifest, "an image manifest must not have 'manifests': push an index as an index")
        }
        let isArtifact = mediaType == MediaType.ociArtifact
        guard isArtifact || (document.config != nil && document.layers != nil) else {
            throw ParseError(.manifest, "an image manifest needs 'config' and 'layers'")
        }
        var required: [Digest] = []
        if let config = document.config { required.append(try config.checked("config")) }
        for layer in (document.layers ?? []) + (isArtifact ? document.blobs ?? [] : []) {
            let digest = try layer.checked("a layer")
            if !layer.isNondistributable { required.append(digest) }
        }
        return try Manifest(
            mediaType, .image, document, required: required,
            artifactType: document.artifactType.nonEmpty ?? document.config?.mediaType.nonEmpty)
    }

    private static func index(_ mediaType: String, _ document: Document) throws(ParseError) -> Manifest {
        guard document.layers == nil, document.config == nil else {
            throw ParseError(.manifest, "an index must not have 'config' or 'layers': push an image as an image")
        }
        guard let children = document.manifests else { throw ParseError(.manifest, "an index needs 'manifests'") }
        var required: [Digest] = []
        var platforms: [(Digest, String, String)] = []
        for child in children {
            let digest = try child.checked("an entry of 'manifests'")
            required.append(digest)
            if let platform = child.platform {
                platforms.append((digest, platform.os ?? "", platform.architecture ?? ""))
            }
        }
        return try Manifest(
            mediaType, .index, document, required: required, artifactType: document.artifactType.nonEmpty,
            platforms: platforms)
    }

    private init(
        _ mediaType: String, _ kind: Kind, _ document: Document, required: [Digest], artifactType: String?,
        platforms: [(Digest, String, String)] = []
    ) throws(ParseError) {
        self.mediaType = mediaType
        self.kind = kind
        var seen: Set<Digest> = []
        self.required = required.filter { seen.insert($0).inserted }
        subject = try document.subject?.checked("subject")
        guard artifactType?.utf8.contains(0) != true else {
            throw ParseError(.manifest, "the artifact type has a NUL character in it")
        }
        self.artifactType = artifactType
        annotations = document.annotations ?? [:]
        self.platforms = platforms
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
        guard sent.isEmpty || sent == inside else {
            throw ParseError(.manifest, "Content-Type is '\(sent.excerpt)', the manifest says '\(inside.excerpt)'")
        }
        return inside
    }

    private static func refusal(of mediaType: String) -> String {
        "manifests of type '\(mediaType.excerpt)' are not taken: push an OCI image or index (image-spec 1), "
            + "or a Docker manifest of version 2, schema 2"
    }

    private static func read(_ bytes: [UInt8]) throws(ParseError) -> Document {
        // A decoder would also take UTF-16 and UTF-32, which other readers of the same bytes would not.
        guard !bytes.contains(0), String(validating: bytes, as: UTF8.self) != nil else {
            throw ParseError(.manifest, "the manifest is not UTF-8 text")
        }
        try JSONGrammar.check(bytes)
        do {
            return try JSONDecoder().decode(Document.self, from: Data(bytes))
        } catch DecodingError.dataCorrupted(let context) {
            throw ParseError(.manifest, "the manifest's '\(context.path)' is no value that can be used, or too large")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw ParseError(.manifest, "the manifest's '\(context.path)' is not of the type it must be")
        } catch DecodingError.keyNotFound(let key, let context) {
            let path = (context.codingPath + [key]).map(\.stringValue).joined(separator: ".")
            throw ParseError(.manifest, "the manifest lacks '\(path.excerpt)'")
        } catch {
            throw ParseError(.manifest, "the manifest cannot be read")
        }
    }
}

extension DecodingError.Context {
    fileprivate var path: String {
        codingPath.isEmpty ? "top level" : codingPath.map(\.stringValue).joined(separator: ".").excerpt
    }
}

extension String? {
    fileprivate var nonEmpty: String? { self?.isEmpty == false ? self : nil }
}

/// The fields of every kind of manifest; which must be there is decided by the kind.
private struct Document: Decodable {
    var schemaVersion: Int?
    var mediaType: String?
    var artifactType: String?
    var config: Descriptor?
    var layers: [Descriptor]?
    var blobs: [Descriptor]?
    var manifests: [Descriptor]?
    var subject: Descriptor?
    var annotations: [String: String]?
    var fsLayers: [Ignored]?
}

private struct Ignored: Decodable {}

private struct Descriptor: Decodable {
    struct Platform: Decodable {
        var os: String?
        var architecture: String?
    }
    var mediaType: String?
    var digest: String
    var size: Int64
    var platform: Platform?

    /// The digest, once the descriptor's digest and size are sound; `place` is where it stands.
    func checked(_ place: String) throws(ParseError) -> Digest {
        guard size >= 0 else { throw ParseError(.manifest, "the size of \(place) is negative") }
        do {
            return try Digest.parse(digest)
        } catch {
            throw ParseError(.manifest, "the digest of \(place): \(error.message)")
        }
    }

    /// Layers that a registry need not hold (image-spec "layer.md", Non-Distributable Layers; Docker's foreign layers).
    var isNondistributable: Bool {
        guard let mediaType else { return false }
        return mediaType == MediaType.dockerForeignLayer || mediaType.hasPrefix(MediaType.ociNondistributablePrefix)
    }
}
