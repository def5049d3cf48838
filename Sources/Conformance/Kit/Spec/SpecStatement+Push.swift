// A data table: one line a sentence of the specification.

extension SpecStatement {
    /// From the beginning to the end of "Pushing Manifests with Subject".
    static let pullAndPush: [SpecStatement] = [
        SpecStatement(
            "legacy-headers", "Legacy Docker support HTTP headers", "SHOULD NOT", "9b4a2bae19",
            "clients do not lean on Docker headers", exemption: "binds the client"),
        SpecStatement(
            "legacy-codes", "Legacy Docker support error codes", "SHOULD NOT", "45204d138c",
            "clients do not lean on schema 1 error codes", exemption: "binds the client"),
        SpecStatement(
            "key-words", "Notational Conventions", "MUST", "998a385a5a",
            "how the key words are to be read", exemption: "defines the words of the document, asks for nothing"),
        SpecStatement(
            "pull-category", "Requirements", "MUST", "b825fc9c25",
            "everything of the Pull category is there"),
        SpecStatement(
            "other-categories", "Requirements", "SHOULD", "03fce34426",
            "Push, Content Discovery and Content Management are there too"),
        SpecStatement(
            "category-whole", "Requirements", "MUST", "9013a5f878",
            "a category that is claimed is there whole"),
        SpecStatement(
            "reference-form", "Pulling manifests", "MUST", "c7701ada2b",
            "a reference is a digest or a tag"),
        SpecStatement(
            "reference-no-other", "Pulling manifests", "MUST NOT", "a7c88338c4",
            "a reference has no other form"),
        SpecStatement(
            "name-grammar", "Pulling manifests", "MUST", "9e79abb51b",
            "repository names fit the grammar"),
        SpecStatement(
            "tag-grammar", "Pulling manifests", "MUST", "2b31006b9a",
            "tags are of 128 characters at most and fit the grammar"),
        SpecStatement(
            "accept-sent", "Pulling manifests", "SHOULD", "55b53329e1",
            "clients send Accept", exemption: "binds the client"),
        SpecStatement(
            "content-type-no-parameters", "Pulling manifests", "SHOULD NOT", "5567ea7963",
            "Content-Type of a manifest has no parameters"),
        SpecStatement(
            "content-type-parameters-ignored", "Pulling manifests", "SHOULD", "c2003c1059",
            "clients ignore parameters", exemption: "binds the client"),
        SpecStatement(
            "content-type-as-pushed", "Pulling manifests", "SHOULD", "e1ce62f4c3",
            "Content-Type of a manifest is the one it was pushed with"),
        SpecStatement(
            "media-type-compared", "Pulling manifests", "SHOULD", "66c2104a7c",
            "clients compare mediaType with Content-Type", exemption: "binds the client"),
        SpecStatement(
            "manifest-get-200", "Pulling manifests", "MUST", "296aa4d9f8",
            "GET of a manifest that is there gives it, 200"),
        SpecStatement(
            "manifest-get-digest", "Pulling manifests", "MUST", "00e97c23b5",
            "GET of a manifest tells its digest"),
        SpecStatement(
            "manifest-digest-verified", "Pulling manifests", "MUST", "643e31ad0b",
            "clients that use the digest verify it", exemption: "binds the client"),
        SpecStatement(
            "manifest-reference-verified", "Pulling manifests", "SHOULD", "def4d39d5b",
            "clients verify a manifest pulled by digest", exemption: "binds the client"),
        SpecStatement(
            "manifest-404", "Pulling manifests", "MUST", "95f28a3eeb",
            "GET of a manifest that is not there is 404"),
        SpecStatement(
            "blob-get-200", "Pulling blobs", "MUST", "a0dcf971cb",
            "GET of a blob that is there gives it, 200"),
        SpecStatement(
            "blob-get-digest", "Pulling blobs", "MUST", "00e97c23b5",
            "GET of a blob tells its digest"),
        SpecStatement(
            "blob-digest-matches", "Pulling blobs", "MUST", "09eef32654",
            "the digest that is told is the body's"),
        SpecStatement(
            "blob-digest-verified", "Pulling blobs", "MUST", "b9711782d8",
            "clients that use the digest verify it", exemption: "binds the client"),
        SpecStatement(
            "blob-body-verified", "Pulling blobs", "SHOULD", "6eb296c523",
            "clients verify a blob's body", exemption: "binds the client"),
        SpecStatement(
            "blob-404", "Pulling blobs", "MUST", "db8e48937a",
            "GET of a blob that is not there is 404"),
        SpecStatement(
            "blob-range", "Pulling blobs", "SHOULD", "05de105015",
            "Range works on blobs as RFC 9110 has it"),
        SpecStatement(
            "head-200", "Checking if content exists in the registry", "MUST", "00af4a5ba0",
            "HEAD of what is there is 200"),
        SpecStatement(
            "head-digest", "Checking if content exists in the registry", "MUST", "5bcfbaa1d7",
            "HEAD tells the digest"),
        SpecStatement(
            "head-length", "Checking if content exists in the registry", "MUST", "1b6732ceb6",
            "HEAD tells the size"),
        SpecStatement(
            "head-404", "Checking if content exists in the registry", "MUST", "e3d53cc896",
            "HEAD of what is not there is 404"),
        SpecStatement(
            "subject-missing-accepted", "Push", "MUST", "c8f086acd2",
            "a manifest whose subject is missing is taken"),
        SpecStatement(
            "manifest-blob-unknown", "Push", "MUST", "a3a3507c97",
            "a refusal for missing content is MANIFEST_BLOB_UNKNOWN"),
        SpecStatement(
            "digest-bad-400", "Pushing blobs", "SHOULD", "f795c88efc",
            "a wrong digest or an unknown algorithm is 400"),
        SpecStatement(
            "upload-post-202", "POST then PUT", "MUST", "3de19a844c",
            "POST begins an upload: 202 and a Location"),
        SpecStatement(
            "upload-uuid", "POST then PUT", "MUST", "7c82648e25",
            "the Location of an upload holds a UUID of its own"),
        SpecStatement(
            "upload-location-kept", "POST then PUT", "SHOULD", "eb727eaacf",
            "clients use the Location as it came", exemption: "binds the client"),
        SpecStatement(
            "upload-location-not-assembled", "POST then PUT", "SHOULD NOT", "8d5c3f4695",
            "clients do not build the Location", exemption: "binds the client"),
        SpecStatement(
            "upload-put-201", "POST then PUT", "MUST", "92f7e7b263",
            "PUT ends an upload: 201 and a Location of the blob"),
        SpecStatement(
            "single-length", "Single POST", "MUST", "c821aca678",
            "Content-Length of a single POST is the content's"),
        SpecStatement(
            "single-digest", "Single POST", "MUST", "c38eb33acb",
            "the digest of a single POST is the content's"),
        SpecStatement(
            "single-fallback", "Single POST", "SHOULD", "95e2ef5650",
            "a registry without single POST answers 202 and a Location"),
        SpecStatement(
            "single-201", "Single POST", "MUST", "4a80d83954",
            "a single POST that worked is 201 and a Location of the blob"),
        SpecStatement(
            "chunked-post-length", "Pushing a blob in chunks", "MUST", "85963fa14a",
            "clients send Content-Length: 0 to begin chunks", exemption: "binds the client"),
        SpecStatement(
            "algorithm-sent", "Pushing a blob in chunks", "SHOULD", "f0406b4c3f",
            "clients name an algorithm that is not sha256", exemption: "binds the client"),
        SpecStatement(
            "chunk-min-length", "Pushing a blob in chunks", "SHOULD", "cb3b37777a",
            "a least chunk size is told by OCI-Chunk-Min-Length"),
        SpecStatement(
            "range-inclusive", "Pushing a blob in chunks", "MUST", "acd9b47ead",
            "both ends of a chunk's range belong to it"),
        SpecStatement(
            "chunk-first-zero", "Pushing a blob in chunks", "MUST", "cf06a94a72",
            "the first chunk begins at 0"),
        SpecStatement(
            "chunk-range-form", "Pushing a blob in chunks", "MUST", "590075d3f5",
            "a chunk's range is two numbers and a dash"),
        SpecStatement(
            "chunk-min-respected", "Pushing a blob in chunks", "SHOULD", "ae009d09db",
            "clients send chunks of the least size", exemption: "binds the client"),
        SpecStatement(
            "chunk-202", "Pushing a blob in chunks", "MUST", "f035d4dab2",
            "a chunk that was taken is 202 with Location and Range: 0-N"),
        SpecStatement(
            "chunk-location-followed", "Pushing a blob in chunks", "SHOULD", "e99f6261ee",
            "clients follow the last Location", exemption: "binds the client"),
        SpecStatement(
            "chunk-order", "Pushing a blob in chunks", "MUST", "8a20230cfd",
            "chunks come in order"),
        SpecStatement(
            "chunk-416", "Pushing a blob in chunks", "MUST", "be7c5807cf",
            "a chunk out of order is 416"),
        SpecStatement(
            "session-closed-by-put", "Pushing a blob in chunks", "MUST", "a72d7ecd6b",
            "an upload is closed by PUT and nothing else"),
        SpecStatement(
            "put-whole-digest", "Pushing a blob in chunks", "MUST", "6c8bbcbdb0",
            "the closing PUT names the digest of the whole blob"),
        SpecStatement(
            "put-201", "Pushing a blob in chunks", "MUST", "e339fcfd67",
            "a closed upload is 201 with a Location of the blob"),
        SpecStatement(
            "put-416", "Pushing a blob in chunks", "MUST", "6ef50814cb",
            "a last chunk out of order is 416"),
        SpecStatement(
            "status-204", "Pushing a blob in chunks", "MUST", "3242c456b3",
            "GET of an upload is 204 with Location and Range: 0-N"),
        SpecStatement(
            "status-location-followed", "Pushing a blob in chunks", "SHOULD", "987f3be759",
            "clients go on at the Location of GET", exemption: "binds the client"),
        SpecStatement(
            "cancel-204", "Cancel a blob upload", "SHOULD", "60ea36dfb2",
            "DELETE of an upload is 204"),
        SpecStatement(
            "cancel-sent", "Cancel a blob upload", "SHOULD", "cd8eccc12e",
            "clients cancel what they abort", exemption: "binds the client"),
        SpecStatement(
            "cancel-failures-ignored", "Cancel a blob upload", "SHOULD", "dad0d7a0cd",
            "clients ignore a cancel that fails", exemption: "binds the client"),
        SpecStatement(
            "upload-timeout", "Cancel a blob upload", "SHOULD", "8e8af0a7e5",
            "unfinished uploads end some day",
            exemption: "how long is the registry's own affair: a black box would have to wait for days"),
        SpecStatement(
            "mount-201", "Mounting a blob from another repository", "MUST", "607fa395c1",
            "a mount that worked is 201 with a Location of the blob"),
        SpecStatement(
            "mount-digest-verified", "Mounting a blob from another repository", "SHOULD", "a638d6a986",
            "clients verify the digest", exemption: "binds the client"),
        SpecStatement(
            "mount-202", "Mounting a blob from another repository", "SHOULD", "7acb293a0a",
            "a mount that cannot be is 202: an upload begins"),
        SpecStatement(
            "content-type-sent", "Pushing Manifests", "SHOULD", "424b107cbf",
            "clients send the manifest's type", exemption: "binds the client"),
        SpecStatement(
            "content-type-sent-bare", "Pushing Manifests", "SHOULD NOT", "bb51d99cb2",
            "clients send no parameters", exemption: "binds the client"),
        SpecStatement(
            "push-parameters-ignored", "Pushing Manifests", "SHOULD", "f8597d50be",
            "parameters of the pushed Content-Type are ignored"),
        SpecStatement(
            "media-type-in-manifest", "Pushing Manifests", "SHOULD", "9a1775a013",
            "manifests say their mediaType", exemption: "binds who writes the manifest"),
        SpecStatement(
            "media-type-as-content-type", "Pushing Manifests", "MUST", "c6df7c0cc5",
            "clients send the mediaType as Content-Type", exemption: "binds the client"),
        SpecStatement(
            "push-reference-form", "Pushing Manifests", "MUST", "34f5da4a22",
            "a pushed reference is a digest or a tag"),
        SpecStatement(
            "manifest-references-blobs", "Pushing Manifests", "MUST", "60c6f7c08c",
            "a manifest names its blobs", exemption: "binds who writes the manifest"),
        SpecStatement(
            "manifest-exact-bytes", "Pushing Manifests", "MUST", "ed5a95ed40",
            "a manifest is kept byte for byte"),
        SpecStatement(
            "manifest-put-201", "Pushing Manifests", "MUST", "f9954e4d4b",
            "PUT of a manifest is 201 with a Location of it"),
        SpecStatement(
            "manifest-put-digest", "Pushing Manifests", "MUST", "625aebbd0f",
            "the digest that a push tells is the one the client gave"),
        SpecStatement(
            "put-digest-verified", "Pushing Manifests", "SHOULD", "f41f684492",
            "clients verify the digest", exemption: "binds the client"),
        SpecStatement(
            "tag-query-ten", "Pushing Manifests", "SHOULD", "1f22a31bcc",
            "ten tags fit into one push"),
        SpecStatement(
            "tag-query-header", "Pushing Manifests", "MUST", "f1493f7607",
            "each tag that was taken is told by OCI-Tag"),
        SpecStatement(
            "unknown-repository-404", "Pushing Manifests", "MUST", "b34c639b43",
            "pulling from a repository that does not exist is 404"),
        SpecStatement(
            "manifest-limit", "Pushing Manifests", "SHOULD", "ffae2c2cee",
            "manifests have a largest size"),
        SpecStatement(
            "manifest-413", "Pushing Manifests", "SHOULD", "7f6282231d",
            "a manifest past the largest size is 413"),
        SpecStatement(
            "manifest-4mb", "Pushing Manifests", "SHOULD", "07cec8cf36",
            "manifests of 4 megabytes are taken"),
        SpecStatement(
            "subject-header", "Pushing Manifests with Subject", "MUST", "9802429250",
            "a push with a subject is answered with OCI-Subject"),
        SpecStatement(
            "fallback-push-1", "Pushing Manifests with Subject", "MUST", "26a494dc62",
            "clients keep the referrers tag where OCI-Subject is missing", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-2", "Pushing Manifests with Subject", "SHOULD", "542e12cbb8",
            "clients report an odd referrers tag", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-3", "Pushing Manifests with Subject", "MUST", "1d28ec92c9",
            "clients begin with an empty index", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-4", "Pushing Manifests with Subject", "SHOULD", "4e4faf790d",
            "clients make no duplicates", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-5", "Pushing Manifests with Subject", "MUST", "b184d2aa65",
            "clients copy artifactType", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-6", "Pushing Manifests with Subject", "MUST", "7e48ff4070",
            "clients use the configuration's type", exemption: "binds the client"),
        SpecStatement(
            "fallback-push-7", "Pushing Manifests with Subject", "MUST", "76ee2fd31a",
            "clients copy annotations", exemption: "binds the client"),
    ]
}
