/// What a manifest tells of content that the repository has, and that is not so.
///
/// Registries take such a manifest (distribution and zot look whether the content is there, no more), and some clients pull
/// it (docker and skopeo compare digests alone). containerd and oras fail at the pull: they compare the size with the bytes
/// that come, and oras the media type with Content-Type. So it is refused at the push, where it can be mended.
package struct Disagreement: Sendable, Equatable {
    /// What a repository has under a digest.
    package struct Known: Sendable, Equatable {
        /// In bytes.
        package let size: Int64
        /// That a manifest was pushed as; nil for a blob, which is of any type.
        package let mediaType: String?

        /// Content of `size` bytes; `mediaType` for a manifest alone.
        package init(size: Int64, mediaType: String? = nil) {
            self.size = size
            self.mediaType = mediaType
        }
    }

    package let digest: Digest
    /// Safe to show: the place, what it says and what would be right.
    package let message: String
}

extension Manifest {
    /// Where what must be there is told with another size or type than it has, in the order of the bytes. What is not in
    /// `known` is passed over.
    package func disagreements(with known: [Digest: Disagreement.Known]) -> [Disagreement] {
        descriptors.compactMap { descriptor in
            guard descriptor.isRequired, let known = known[descriptor.digest] else { return nil }
            guard descriptor.size == known.size else {
                return Disagreement(
                    digest: descriptor.digest,
                    message: "\(descriptor.place).size: is \(descriptor.size), and \(descriptor.digest) has "
                        + "\(known.size) bytes: tell its true size")
            }
            guard let told = descriptor.mediaType, let type = known.mediaType, !told.utf8.elementsEqual(type.utf8)
            else {
                return nil
            }
            return Disagreement(
                digest: descriptor.digest,
                message: "\(descriptor.place).mediaType: is '\(told.excerpt)', and \(descriptor.digest) was pushed as "
                    + "'\(type)': tell its true type")
        }
    }
}
