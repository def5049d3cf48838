import Model
import Store

/// What simulated clients push: few things, so that they are in each other's way.
struct Goods: Sendable {
    struct Blob: Sendable {
        let bytes: [UInt8]
        let digest: Digest
    }

    struct Manifest: Sendable {
        let bytes: [UInt8]
        let digest: Digest
        let blobs: [Blob]
        /// Of an index.
        let children: [Manifest]
        let subject: Digest?
    }

    let blobs: [Blob]
    let images: [Manifest]
    let indexes: [Manifest]
    let referrers: [Manifest]

    var manifests: [Manifest] { images + indexes + referrers }

    static let all = Goods()

    private init() {
        let blobs = (0..<6).map { Self.blob("blob \($0)") }
        let images = [[0, 1], [0, 1, 2], [2, 3], [3, 1, 4]].map { Self.image($0.map { blobs[$0] }, subject: nil) }
        indexes = [[0, 1], [2, 3]].map { Self.index($0.map { images[$0] }) }
        let subjects = [images[0].digest, indexes[0].digest, Self.blob("never pushed").digest]
        referrers = subjects.enumerated().map { Self.image([blobs[5], blobs[$0.offset]], subject: $0.element) }
        self.blobs = blobs
        self.images = images
    }

    private static func blob(_ text: String) -> Blob {
        let bytes = Array(text.utf8)
        return Blob(bytes: bytes, digest: ContentHash.digest(.sha256, of: bytes))
    }

    private static func image(_ blobs: [Blob], subject: Digest?) -> Manifest {
        let parts = blobs.map { blob in
            #"{"mediaType":"application/octet-stream","digest":"\#(blob.digest)","size":\#(blob.bytes.count)}"#
        }
        let about = subject.map {
            #","subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\#($0)","size":7}"#
        }
        let bytes = Array(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":\(parts[0]),\
            "layers":[\(parts.dropFirst().joined(separator: ","))]\(about ?? "")}
            """.utf8)
        return Manifest(
            bytes: bytes, digest: ContentHash.digest(.sha256, of: bytes), blobs: blobs, children: [], subject: subject)
    }

    private static func index(_ images: [Manifest]) -> Manifest {
        let parts = images.map { image in
            """
            {"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"\(image.digest)",\
            "size":\(image.bytes.count)}
            """
        }
        let bytes = Array(
            """
            {"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",\
            "manifests":[\(parts.joined(separator: ","))]}
            """.utf8)
        return Manifest(
            bytes: bytes, digest: ContentHash.digest(.sha256, of: bytes), blobs: [], children: images, subject: nil)
    }
}
