/// The `code` values of an error body (distribution-spec "Error Codes", and Docker's V2 API for the last two).
public enum ErrorCode {
    /// code-1: the blob is not in this repository.
    public static let blobUnknown = "BLOB_UNKNOWN"
    /// code-2: the upload request is malformed.
    public static let blobUploadInvalid = "BLOB_UPLOAD_INVALID"
    /// code-3: no such upload session.
    public static let blobUploadUnknown = "BLOB_UPLOAD_UNKNOWN"
    /// code-4: the digest is malformed, or differs from the content's.
    public static let digestInvalid = "DIGEST_INVALID"
    /// code-5: a manifest names a blob or manifest that the repository lacks.
    public static let manifestBlobUnknown = "MANIFEST_BLOB_UNKNOWN"
    /// code-6: the manifest is malformed or of a kind that is not taken.
    public static let manifestInvalid = "MANIFEST_INVALID"
    /// code-7: no such manifest in this repository.
    public static let manifestUnknown = "MANIFEST_UNKNOWN"
    /// code-8: the repository name breaks the grammar.
    public static let nameInvalid = "NAME_INVALID"
    /// code-9: no such repository.
    public static let nameUnknown = "NAME_UNKNOWN"
    /// code-10: the length told differs from the length sent, or passes a limit.
    public static let sizeInvalid = "SIZE_INVALID"
    /// code-11: credentials are needed.
    public static let unauthorized = "UNAUTHORIZED"
    /// code-12: the credentials do not allow it.
    public static let denied = "DENIED"
    /// code-13: the operation is not supported.
    public static let unsupported = "UNSUPPORTED"
    /// code-14: too many requests.
    public static let tooManyRequests = "TOOMANYREQUESTS"
    /// Docker V2: a list's `n` is not a number in range.
    public static let paginationNumberInvalid = "PAGINATION_NUMBER_INVALID"
    /// Docker V2: the service cannot answer now (5xx only).
    public static let unavailable = "UNAVAILABLE"
    /// Docker V2: an error that has no other code (5xx only).
    public static let unknown = "UNKNOWN"
}
