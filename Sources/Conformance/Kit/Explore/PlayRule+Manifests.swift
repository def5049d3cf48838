// A data table: manifests, lists, deletions, and what is not as it should be.
extension PlayRule {
    static let manifestPush = PlayRule(
        "manifest-push", .must, "distribution-spec: Pushing Manifests",
        "a manifest whose content is there is taken, and is at its Location", ["manifest-put-201"],
        same: ["push.*", "names.*", "referrers.*", "delete.manifest.again", "mount.usable"])
    static let manifestThere = PlayRule(
        "manifest", .must, "distribution-spec: Pulling manifests",
        "a manifest is there by its digest and its tags until it is deleted", ["manifest-get-200", "head-200"],
        same: ["pull.manifest.*", "exists.manifest*", "push.*", "delete.*", "cache.*", "concurrent.*", "isolation.*"])
    static let manifestBytes = PlayRule(
        "manifest-bytes", .must, "distribution-spec: Pushing Manifests",
        "a manifest is the bytes that were pushed, and a tag names what it was pushed with last",
        ["manifest-exact-bytes"], same: ["pull.manifest.*", "push.*", "referrers.bytes", "concurrent.*", "names.*"])
    static let manifestMissing = PlayRule(
        "no-manifest", .must, "distribution-spec: Pulling manifests", "a manifest that is not there is 404",
        ["manifest-404", "head-404"],
        same: ["pull.manifest.*", "exists.manifest*", "delete.*", "isolation.*", "advisory.*", "push.*", "resume.*"])
    static let manifestHeaders = PlayRule(
        "manifest-headers", .must, "distribution-spec: Checking if content exists in the registry",
        "a manifest's digest and size are told", ["manifest-get-digest", "head-digest", "head-length"],
        same: ["pull.manifest.*", "exists.manifest*"])
    static let manifestType = PlayRule(
        "manifest-type", .should, "distribution-spec: Pulling manifests",
        "a manifest's type is the one that it was pushed with", ["content-type-as-pushed"],
        same: ["pull.manifest.*", "exists.manifest*"])
    static let accept = PlayRule(
        "accept", .should, http, "a manifest is given to whoever accepts anything", ["http-semantics"],
        same: ["pull.manifest.accept.*"])
    static let condition = PlayRule(
        "condition", .should, http, "a conditional push does what its condition says, or does not look at it",
        ["http-semantics"], same: ["push.conditional.*", "concurrent.first-writer"])
    static let manifestRefused = PlayRule(
        "manifest-refused", .should, http, "a body that is no manifest is a client error", ["http-semantics"],
        same: ["push.refused.*", "push.size.*", "push.kind.*"])
    static let manifestSize = PlayRule(
        "manifest-size", .should, "distribution-spec: Pushing Manifests", "a manifest of nearly 4 MB is taken",
        ["manifest-4mb"], same: ["push.size.*"])
    static let blobUnknown = PlayRule(
        "missing-content", .must, "distribution-spec: Push", "a refusal for missing content says so",
        ["manifest-blob-unknown"], same: ["push.missing.*", "isolation.manifest.*"])
    static let tagRefused = PlayRule(
        "tag-grammar", .must, "distribution-spec: Pulling manifests", "a tag outside the grammar is a client error",
        ["reference-no-other"], same: ["push.tag.refused.*", "pull.manifest.malformed-digest"])
    static let tagQuery = PlayRule(
        "tag-query", .must, "distribution-spec: Pushing Manifests", "tags of the query that were made are told",
        ["tag-query-header"], same: ["push.tag-query.*"])

    static let tagList = PlayRule(
        "tags", .must, "distribution-spec: Listing Tags", "a list holds every tag once, and no other",
        ["tags-200", "tags-json"],
        same: ["tags.*", "delete.*", "cache.tags", "isolation.tags.*", "push.tag.*", "concurrent.tags*", "names.*"])
    static let tagOrder = PlayRule(
        "tags-order", .must, "distribution-spec: Listing Tags", "tags come in order", ["tags-sorted"],
        same: ["tags.*"])
    static let tagPages = PlayRule(
        "tags-pages", .must, "distribution-spec: Listing Tags", "the pages of a list make up the list",
        ["tags-n", "tags-link", "tags-n-zero", "tags-last-sorted"], same: ["tags.*"])
    static let oddNumber = PlayRule(
        "odd-number", .should, http, "n of every shape is a client error or a list", ["http-semantics"],
        same: ["tags.n.odd.*", "catalog.n.*"])
    static let catalog = PlayRule(
        "catalog", .may, "Docker V2: Listing Repositories",
        "the catalog, where there is one, holds the repositories that have tags, in order and once each", [],
        same: ["catalog.*"])

    static let referrers = PlayRule(
        "referrers", .must, "distribution-spec: Listing Referrers", "all that points at a manifest is listed, once",
        ["referrers-200", "referrers-new", "referrers-empty", "referrers-type"],
        same: ["referrers.*", "cache.referrers", "concurrent.referrers", "delete.*"])
    static let referrerEntry = PlayRule(
        "referrer-entry", .must, "distribution-spec: Listing Referrers",
        "an entry tells type, size, artifact type and annotations of its manifest",
        ["referrers-artifact-type", "referrers-config-type", "referrers-index-no-type", "referrers-annotations"],
        same: ["referrers.*"])
    static let filter = PlayRule(
        "filter", .must, "distribution-spec: Listing Referrers", "a filter is told exactly where it was applied",
        ["referrers-filter-header"], same: ["referrers.filter*"])
    static let referrersMalformed = PlayRule(
        "referrers-digest", .must, "distribution-spec: Listing Referrers", "a malformed digest is 400",
        ["referrers-400"], same: ["referrers.malformed"])
    static let subject = PlayRule(
        "subject", .must, "distribution-spec: Pushing Manifests with Subject",
        "OCI-Subject is told for a push with a subject, and for no other", ["subject-header"],
        same: ["referrers.subject-header*"])

    static let deleted = PlayRule(
        "delete", .must, "distribution-spec: Deleting Manifests", "a deletion is 202, or 400 or 405 where it is off",
        ["manifest-delete-202", "tag-delete-202", "blob-delete-202"], same: ["delete.*"])
    static let deleteMissingBlob = PlayRule(
        "delete-no-blob", .must, "distribution-spec: Deleting Blobs", "the deletion of a blob that is not there is 404",
        ["blob-delete-404"], same: ["delete.blob.*"])
    static let deleteMissing = PlayRule(
        "delete-nothing", .should, http, "the deletion of a manifest or tag that is not there is 404",
        ["http-semantics"], same: ["delete.*"])

    static let errorCode = PlayRule(
        "error-code", .should, http, "the error code says what happened", ["http-semantics"], same: ["errors.code.*"])
    static let oddRequest = PlayRule(
        "odd-request", .should, http, "what makes no sense is a client error", ["http-semantics"],
        same: ["pull.*", "delete.*", "support.*", "mount.*", "push.*", "names.*"])
    static let method = PlayRule(
        "method", .should, http, "a method that an endpoint has not is refused", ["http-semantics"],
        same: ["methods.*"])
    static let name = PlayRule(
        "name-grammar", .must, "distribution-spec: Pulling manifests", "a name outside the grammar is never made",
        ["name-grammar"], same: ["names.refused.*"])
    static let strangers = PlayRule(
        "strangers", .must, "RFC 6749 §7: Accessing Protected Resources",
        "who may nothing in a repository neither reads nor changes anything there", ["oauth-covers"],
        same: ["tenants.*", "auth.*"])
    static let tokens = PlayRule(
        "tokens", .must, "RFC 6749 §7: Accessing Protected Resources",
        "a token allows what it was asked for, and no more, and nobody makes one but the service", ["oauth-covers"],
        same: ["auth.*", "tenants.*"])
    static let rawRequest = PlayRule(
        "raw", .should, http, "bytes that are no request are refused, and those of one are answered",
        ["http-semantics"], same: ["robust.*"])

    /// All of them.
    static let all: [PlayRule] = [
        version, answers, habit, stable, push, begin, chunk, order, oddUpload, status, cancel, ended, foreign, refused,
        cutPush, mount, mountFallback, blobThere, blobBytes, blobMissing, blobHeaders, range, conditional, validator,
        headAlike, manifestPush, manifestThere, manifestBytes, manifestMissing, manifestHeaders, manifestType, accept,
        condition, manifestRefused, manifestSize, blobUnknown, tagRefused, tagQuery, tagList, tagOrder, tagPages,
        oddNumber, catalog, referrers, referrerEntry, filter, referrersMalformed, subject, deleted, deleteMissingBlob,
        deleteMissing, errorCode, oddRequest, method, name, strangers, tokens, rawRequest,
    ]

    /// The checks of the catalog.
    static let checks: [Check] = all.map { Check(played: $0) }
}
