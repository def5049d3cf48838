/// Header names that the distribution API defines beyond those of HTTP itself.
public enum HeaderName {
    /// Digest of the manifest or blob that an answer is about.
    public static let dockerContentDigest = "Docker-Content-Digest"
    /// `registry/2.0` on every answer of `/v2/`.
    public static let dockerAPIVersion = "Docker-Distribution-API-Version"
    /// Id of an upload session.
    public static let dockerUploadUUID = "Docker-Upload-UUID"
    /// Digest of the `subject` that a manifest push recorded.
    public static let ociSubject = "OCI-Subject"
    /// Tags that a manifest push by digest made.
    public static let ociTag = "OCI-Tag"
    /// Filters that a referrers list applied.
    public static let ociFiltersApplied = "OCI-Filters-Applied"
    /// Least size of a chunk but the last, in bytes.
    public static let ociChunkMinLength = "OCI-Chunk-Min-Length"
    /// Source host of a proxied pull.
    public static let ociNamespace = "OCI-Namespace"
    /// Id of a request, in the answer and in the logs.
    public static let requestID = "X-Request-Id"
}
