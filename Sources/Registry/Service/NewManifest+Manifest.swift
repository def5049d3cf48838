import FoundationEssentials
import Model
import Runtime
import Store

extension NewManifest {
    /// What is kept of a manifest that was read.
    init(_ manifest: Manifest, _ digest: Digest, _ bytes: [UInt8]) throws(ParseError) {
        let image = manifest.platforms.first { $0.os == "linux" && $0.architecture == "amd64" }
        let role: ManifestEdge.Role = manifest.kind == .index ? .child : .layer
        self.init(
            digest: digest, mediaType: manifest.mediaType, bytes: bytes, subject: manifest.subject,
            artifactType: manifest.artifactType, annotations: try Self.json(manifest.annotations),
            defaultImage: manifest.kind == .index ? image?.digest : nil,
            edges: manifest.required.map { ManifestEdge(role, $0, size: 0) })
    }

    private static func json(_ annotations: [String: String]) throws(ParseError) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(annotations), as: UTF8.self)
        } catch {
            throw ParseError(.manifest, "the annotations cannot be written as JSON")
        }
    }
}
