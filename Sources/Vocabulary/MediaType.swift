/// Media types of manifests and what they describe (image-spec "media-types", Docker image manifest V2).
public enum MediaType {
    /// OCI image manifest.
    public static let ociManifest = "application/vnd.oci.image.manifest.v1+json"
    /// OCI image index; also the body of a referrers list.
    public static let ociIndex = "application/vnd.oci.image.index.v1+json"
    /// OCI artifact manifest, which image-spec 1.1 dropped and old clients still push.
    public static let ociArtifact = "application/vnd.oci.artifact.manifest.v1+json"
    /// OCI image configuration.
    public static let ociConfig = "application/vnd.oci.image.config.v1+json"
    /// OCI empty descriptor: the two bytes `{}`.
    public static let ociEmpty = "application/vnd.oci.empty.v1+json"
    /// OCI layer, plain tar.
    public static let ociLayer = "application/vnd.oci.image.layer.v1.tar"
    /// OCI layer, gzip.
    public static let ociLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip"
    /// Prefix of OCI layers that a registry need not hold.
    public static let ociNondistributablePrefix = "application/vnd.oci.image.layer.nondistributable."
    /// Docker image manifest, version 2 schema 2.
    public static let dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
    /// Docker manifest list.
    public static let dockerManifestList = "application/vnd.docker.distribution.manifest.list.v2+json"
    /// Docker image configuration.
    public static let dockerConfig = "application/vnd.docker.container.image.v1+json"
    /// Docker layer, gzip.
    public static let dockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip"
    /// Docker layer that a registry need not hold.
    public static let dockerForeignLayer = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"
    /// Docker image manifest, version 2 schema 1: refused.
    public static let dockerSchema1 = "application/vnd.docker.distribution.manifest.v1+json"
    /// Docker image manifest, version 2 schema 1, signed: refused.
    public static let dockerSchema1Signed = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    /// JSON answers.
    public static let json = "application/json"
    /// Blobs.
    public static let octetStream = "application/octet-stream"
}
