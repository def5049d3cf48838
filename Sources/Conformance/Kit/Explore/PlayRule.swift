/// A sentence that the model holds a registry to while it plays: each is a check of the catalog.
package struct PlayRule: Sendable {
    /// The check's id.
    package let id: String
    /// The level of the sentence.
    package let level: Level
    /// Document and section.
    package let section: String
    /// What is asked, in a sentence of ours.
    package let gist: String
    /// Ids of the statements that it holds the registry to.
    package let statements: [String]
    /// Patterns of the listed checks that ask the same: where one of these fails, the failure is theirs.
    package let same: [String]

    init(
        _ name: String, _ level: Level, _ section: String, _ gist: String, _ statements: [String], same: [String]
    ) {
        (id, self.level, self.section) = ("explore." + name, level, section)
        (self.gist, self.statements, self.same) = (gist, statements, same)
    }
}

// A data table: what is held, by which sentence, and which listed checks ask the same.
extension PlayRule {
    static let http = "RFC 9110 by distribution-spec: API"

    static let answers = PlayRule(
        "answers", .should, http, "every request gets a whole answer", ["http-semantics"], same: [])
    static let habit = PlayRule(
        "habit", .should, http, "what the specification leaves open is done alike each time", ["http-semantics"],
        same: [])
    static let stable = PlayRule(
        "stable", .should, http, "what nobody touched is told of as before", ["http-semantics"], same: [])
    static let version = PlayRule(
        "version", .must, "distribution-spec: Determining Support", "/v2/ answers 200 at any time", ["pull-category"],
        same: ["support.*", "robust.*"])

    static let push = PlayRule(
        "push", .must, "distribution-spec: Pushing blobs",
        "a blob is taken in every form and at any time, and is at its Location",
        ["upload-put-201", "put-201", "single-201"], same: ["push.*", "resume.*", "names.*", "delete.blob.again"])
    static let begin = PlayRule(
        "begin", .must, "distribution-spec: POST then PUT", "POST begins an upload of its own: 202 and a Location",
        ["upload-post-202", "upload-uuid"], same: ["push.upload.*", "push.algorithm.*"])
    static let chunk = PlayRule(
        "chunk", .must, "distribution-spec: Pushing a blob in chunks",
        "a chunk is 202, with how far the upload is and where it goes on", ["chunk-202"],
        same: ["push.chunked.*", "push.streamed.*"])
    static let order = PlayRule(
        "order", .must, "distribution-spec: Pushing a blob in chunks", "a chunk out of order is 416",
        ["chunk-416", "put-416"], same: ["push.chunked.*", "concurrent.one-session"])
    static let oddUpload = PlayRule(
        "odd-chunk", .should, http, "a chunk that makes no sense is a client error", ["http-semantics"],
        same: ["push.chunked.*"])
    static let status = PlayRule(
        "status", .must, "distribution-spec: Pushing a blob in chunks",
        "GET of an upload tells what arrived, and where it goes on", ["status-204"],
        same: ["push.status.*", "push.chunked.after-416", "push.cancel.*", "resume.*"])
    static let cancel = PlayRule(
        "cancel", .should, "distribution-spec: Cancel a blob upload", "an upload is cancelled by DELETE",
        ["cancel-204"], same: ["push.cancel.*"])
    static let ended = PlayRule(
        "ended", .should, http, "nobody goes on with an upload that ended or never was", ["http-semantics"],
        same: ["push.cancel.*", "push.upload.*", "robust.drained", "errors.*"])
    static let foreign = PlayRule(
        "foreign", .should, http, "an upload of one repository is not there under another's name",
        ["http-semantics"], same: ["isolation.session.*"])
    static let refused = PlayRule(
        "refused", .should, "distribution-spec: Pushing blobs", "content of another digest is refused",
        ["digest-bad-400"], same: ["push.upload.*", "push.single.*", "push.chunked.*", "push.algorithm.*"])
    static let cutPush = PlayRule(
        "cut", .must, "distribution-spec: Pulling blobs", "a push that was cut makes no blob", ["blob-404"],
        same: ["resume.*", "push.single.length"])
    static let mount = PlayRule(
        "mount", .must, "distribution-spec: Mounting a blob from another repository",
        "a mount is 201 and the blob is there, or 202", ["mount-201"], same: ["mount.*"])
    static let mountFallback = PlayRule(
        "mount-fallback", .should, "distribution-spec: Mounting a blob from another repository",
        "a mount of what is not there begins an upload", ["mount-202"], same: ["mount.*", "isolation.*"])

    static let blobThere = PlayRule(
        "blob", .must, "distribution-spec: Pulling blobs", "a blob that was pushed is there until it is deleted",
        ["blob-get-200", "head-200"],
        same: [
            "pull.blob.*", "exists.blob*", "push.*", "delete.*", "cache.*", "mount.*", "concurrent.*", "isolation.*",
        ])
    static let blobBytes = PlayRule(
        "blob-bytes", .must, "distribution-spec: Pulling blobs", "a blob is the bytes that were pushed",
        ["blob-get-200", "blob-digest-matches"], same: ["pull.*", "push.*", "concurrent.*", "resume.*"])
    static let blobMissing = PlayRule(
        "no-blob", .must, "distribution-spec: Pulling blobs", "a blob that is not there is 404",
        ["blob-404", "head-404"],
        same: ["pull.blob.*", "exists.blob*", "delete.*", "isolation.*", "advisory.*", "push.*", "mount.*"])
    static let blobHeaders = PlayRule(
        "blob-headers", .must, "distribution-spec: Checking if content exists in the registry",
        "a blob's digest and size are told", ["blob-get-digest", "head-digest", "head-length"],
        same: ["pull.blob.*", "exists.blob*"])
    static let range = PlayRule(
        "range", .should, "distribution-spec: Pulling blobs", "a range is the part that was asked for, or the whole",
        ["blob-range"], same: ["pull.range.*", "pull.manifest.range", "resume.get.*"])
    static let conditional = PlayRule(
        "conditional", .should, http, "conditional requests do what their conditions say", ["http-semantics"],
        same: ["conditional.*"])
    static let validator = PlayRule(
        "etag", .should, http, "an ETag is a quoted string", ["http-semantics"], same: ["conditional.*"])
    static let headAlike = PlayRule(
        "head", .should, http, "HEAD tells what GET tells", ["http-semantics"], same: ["conditional.*", "exists.*"])
}
