import Crypto
import FoundationEssentials
import NIOCore
import Vocabulary

/// A blob as an image names it.
package struct Layer: Sendable {
    /// Its bytes, made when they are needed.
    package let content: BlobContent
    /// `sha256:…`
    package let digest: String

    /// Bytes.
    package var size: Int { content.size }
}

/// An image that can be pushed and pulled: everything about it follows from the seed.
package struct Image: Sendable {
    /// Name, without host.
    package let repository: String
    /// What arrivals ask for it by.
    package let tag: String
    /// In the manifest's order.
    package let layers: [Layer]
    /// The config's JSON.
    package let config: ByteBuffer
    /// `sha256:…`
    package let configDigest: String
    /// The manifest's JSON.
    package let manifest: ByteBuffer
    /// Of the manifest, `sha256:…`
    package let digest: String

    /// Makes config and manifest for the layers. `name` makes the config, and so the image, one of its own.
    package init(repository: String, tag: String, name: String, layers: [Layer]) {
        self.repository = repository
        self.tag = tag
        self.layers = layers
        let differences = layers.map { "\"\($0.digest)\"" }.joined(separator: ",")
        let config =
            "{\"architecture\":\"amd64\",\"os\":\"linux\",\"config\":{\"Labels\":{\"aerugo-load\":\"\(name)\"}},"
            + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\(differences)]}}"
        self.config = ByteBuffer(string: config)
        configDigest = Self.digest(of: config)
        let list = layers.map { Self.descriptor(MediaType.ociLayer, $0.digest, $0.size) }.joined(separator: ",")
        let manifest =
            "{\"schemaVersion\":2,\"mediaType\":\"\(MediaType.ociManifest)\",\"config\":"
            + Self.descriptor(MediaType.ociConfig, configDigest, config.utf8.count) + ",\"layers\":[\(list)]}"
        self.manifest = ByteBuffer(string: manifest)
        digest = Self.digest(of: manifest)
    }

    /// Bytes of all layers.
    package var layerBytes: Int { layers.reduce(0) { $0 + $1.size } }

    private static func descriptor(_ type: String, _ digest: String, _ size: Int) -> String {
        "{\"mediaType\":\"\(type)\",\"digest\":\"\(digest)\",\"size\":\(size)}"
    }

    private static func digest(of text: String) -> String {
        "sha256:" + Hex.text(SHA256.hash(data: Array(text.utf8)))
    }
}

/// What a pull needs to know of a manifest that this program did not make.
struct PulledManifest {
    struct Blob: Decodable {
        let digest: String
        let size: Int
        let mediaType: String?
    }

    private struct Fields: Decodable {
        struct Child: Decodable {
            struct Platform: Decodable {
                let architecture: String?
                let os: String?
            }
            let digest: String
            let platform: Platform?
        }
        let config: Blob?
        let layers: [Blob]?
        let manifests: [Child]?
    }

    /// Config and layers.
    var blobs: [Blob] = []
    /// The child to go on with, of an index: linux/amd64, or else the first.
    var child: String?
}

extension PulledManifest {
    /// `nil` when it is no manifest of the known kinds.
    init?(json: [UInt8]) {
        let fields: Fields
        do {
            fields = try JSONDecoder().decode(Fields.self, from: Data(json))
        } catch {
            return nil
        }
        if let children = fields.manifests {
            let wanted = children.first { $0.platform?.os == "linux" && $0.platform?.architecture == "amd64" }
            guard let child = wanted ?? children.first else { return nil }
            self.child = child.digest
            return
        }
        guard let layers = fields.layers else { return nil }
        blobs = (fields.config.map { [$0] } ?? []) + layers
    }
}
