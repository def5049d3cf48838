import Model
import Store

extension NewManifest {
    /// What is kept of a manifest that was read.
    init(_ manifest: Manifest, _ digest: Digest, _ bytes: [UInt8]) {
        let image = manifest.descriptors.first {
            $0.role == .child && $0.platform?.os == "linux" && $0.platform?.architecture == "amd64"
        }
        var seen: Set<Reference> = []
        self.init(
            digest: digest, mediaType: manifest.mediaType, bytes: bytes, subject: manifest.subject,
            artifactType: manifest.artifactType, annotations: manifest.annotations, defaultImage: image?.digest,
            edges: manifest.descriptors.compactMap { descriptor in
                let role = ManifestEdge.Role(descriptor.role)
                guard seen.insert(Reference(role: role, digest: descriptor.digest)).inserted else { return nil }
                let platform = descriptor.platform
                return ManifestEdge(
                    role, descriptor.digest, size: descriptor.size, os: platform?.os,
                    architecture: platform?.architecture, variant: platform?.variant)
            })
    }

    /// What an edge is kept once for.
    private struct Reference: Hashable {
        let role: ManifestEdge.Role
        let digest: Digest
    }
}

extension ManifestEdge.Role {
    fileprivate init(_ role: Descriptor.Role) {
        switch role {
        case .config: self = .config
        case .layer, .blob: self = .layer
        case .child: self = .child
        case .subject: self = .subject
        }
    }
}
