// A data table: one line a sentence of the specification.

extension SpecStatement {
    /// From "Listing Tags" to the end.
    static let theRest: [SpecStatement] = [
        SpecStatement(
            "tags-200", "Listing Tags", "MUST", "a85f8bb537",
            "the tags of a repository that is there are 200"),
        SpecStatement(
            "tags-sorted", "Listing Tags", "MUST", "a0c2dd9c22",
            "tags come in lexical or byte order"),
        SpecStatement(
            "tags-json", "Listing Tags", "MUST", "c3f684ed92",
            "a tag list is JSON of name and tags"),
        SpecStatement(
            "tags-n", "Listing Tags", "MUST", "b91a237be3",
            "n gives n tags, unless there are fewer or a Link"),
        SpecStatement(
            "tags-link", "Listing Tags", "MUST", "ab9a184b46",
            "Link of a tag list is RFC 5988 with rel=\"next\""),
        SpecStatement(
            "tags-n-zero", "Listing Tags", "MUST", "cb961723b5",
            "n=0 gives an empty list and no Link"),
        SpecStatement(
            "tags-n-sorted", "Listing Tags", "MUST", "7480da4a23",
            "a page of tags is in order"),
        SpecStatement(
            "tags-last-not-index", "Listing Tags", "MUST", "8c9349241b",
            "last is a tag, not a number of a place"),
        SpecStatement(
            "tags-last-sorted", "Listing Tags", "MUST", "9accbde8ca",
            "the tags behind last are in order"),
        SpecStatement(
            "referrers-200", "Listing Referrers", "MUST", "a85f8bb537",
            "a referrers list is 200"),
        SpecStatement(
            "referrers-no-404", "Listing Referrers", "MUST NOT", "e30548039a",
            "a registry with the referrers API does not answer it with 404"),
        SpecStatement(
            "referrers-400", "Listing Referrers", "MUST", "184da5f5a5",
            "a malformed digest is 400"),
        SpecStatement(
            "referrers-index", "Listing Referrers", "MUST", "14d5123c91",
            "a referrers list is an image index"),
        SpecStatement(
            "referrers-type", "Listing Referrers", "MUST", "9bd58406a4",
            "a referrers list is told as an OCI index"),
        SpecStatement(
            "referrers-artifact-type", "Listing Referrers", "MUST", "e8482df7fc",
            "a descriptor bears the manifest's artifactType"),
        SpecStatement(
            "referrers-config-type", "Listing Referrers", "MUST", "8f0aefe1ba",
            "without one it is the configuration's media type"),
        SpecStatement(
            "referrers-index-no-type", "Listing Referrers", "MUST", "769b5cb13b",
            "an index without one is listed without one"),
        SpecStatement(
            "referrers-annotations", "Listing Referrers", "MUST", "b556029109",
            "a descriptor bears the manifest's annotations"),
        SpecStatement(
            "referrers-empty", "Listing Referrers", "MUST", "ebcc34ec88",
            "no referrers are an empty list"),
        SpecStatement(
            "referrers-link", "Listing Referrers", "MUST", "76434456aa",
            "a list that does not fit into one answer has a Link"),
        SpecStatement(
            "referrers-link-rel", "Listing Referrers", "MUST", "48a2e84491",
            "Link of a referrers list is RFC 5988 with rel=\"next\""),
        SpecStatement(
            "referrers-filter", "Listing Referrers", "SHOULD", "ee4c106628",
            "artifactType filters the list"),
        SpecStatement(
            "referrers-filter-header", "Listing Referrers", "MUST", "aab9ddebbe",
            "an applied filter is told by OCI-Filters-Applied"),
        SpecStatement(
            "referrers-filter-list", "Listing Referrers", "MUST", "bbdcf0175a",
            "several applied filters are told as a list",
            exemption: "the specification defines one filter only, so that no registry can be asked for several"),
        SpecStatement(
            "fallback-list", "Listing Referrers", "MUST", "a8048a8bdd",
            "clients fall back to the referrers tag", exemption: "binds the client"),
        SpecStatement(
            "fallback-list-content", "Listing Referrers", "SHOULD", "6e331131f7",
            "the referrers tag holds what the API would say",
            exemption: "the content of that tag is the work of clients"),
        SpecStatement(
            "fallback-list-none", "Listing Referrers", "SHOULD", "54741b7b1c",
            "clients take a missing tag for no referrers", exemption: "binds the client"),
        SpecStatement(
            "tag-delete-202", "Deleting tags", "MUST", "f41a07de44",
            "deleting a tag is 202"),
        SpecStatement(
            "tag-delete-disabled", "Deleting tags", "MUST", "d056f68c94",
            "disabled tag deletion is 400 or 405"),
        SpecStatement(
            "manifest-delete-202", "Deleting Manifests", "MUST", "f41a07de44",
            "deleting a manifest is 202"),
        SpecStatement(
            "delete-unknown-repository", "Deleting Manifests", "MUST", "da92795c69",
            "deleting in a repository that does not exist is 404"),
        SpecStatement(
            "manifest-delete-disabled", "Deleting Manifests", "MUST", "3b88e8aa57",
            "disabled manifest deletion is 400 or 405"),
        SpecStatement(
            "fallback-delete", "Deleting Manifests", "SHOULD", "adc690cdb2",
            "clients mend the referrers tag", exemption: "binds the client"),
        SpecStatement(
            "blob-delete-202", "Deleting Blobs", "MUST", "3989071e7c",
            "deleting a blob is 202"),
        SpecStatement(
            "blob-delete-404", "Deleting Blobs", "MUST", "86a7bc2766",
            "deleting a blob that is not there is 404"),
        SpecStatement(
            "blob-delete-disabled", "Deleting Blobs", "MUST", "0c302ecb71",
            "disabled blob deletion is 400 or 405"),
        SpecStatement(
            "proxy-first-component", "Registry Proxying", "SHOULD", "865796da3c",
            "the host is the first part of a client's name", exemption: "binds the client"),
        SpecStatement(
            "proxy-primary", "Registry Proxying", "SHOULD", "e797b8a0ac",
            "the host is the primary source", exemption: "binds the client"),
        SpecStatement(
            "namespace-header", "Registry Proxying", "SHOULD", "e6c045f259",
            "a registry that scopes by ns tells OCI-Namespace"),
        SpecStatement(
            "proxy-aware", "Registry Proxying", "SHOULD", "7e191889a8",
            "clients know of proxies", exemption: "binds the client"),
        SpecStatement(
            "proxy-ns-not-sent", "Registry Proxying", "SHOULD", "f475d823ce",
            "clients send ns to proxies only", exemption: "binds the client"),
        SpecStatement(
            "proxy-credentials", "Registry Proxying", "SHOULD NOT", "d5cc242d6d",
            "credentials of an upstream do not go to a proxy", exemption: "binds the client"),
        SpecStatement(
            "older-registries", "Backwards Compatibility", "MUST", "616846b772",
            "clients support older registries", exemption: "binds the client"),
        SpecStatement(
            "fallbacks", "Backwards Compatibility", "MUST", "f18c0e2fc8",
            "clients have fallbacks", exemption: "binds the client"),
        SpecStatement(
            "fallback-verify", "Unavailable Referrers API", "MUST", "7b313db577",
            "clients find out whether there is a referrers API", exemption: "binds the client"),
        SpecStatement(
            "fallback-query", "Unavailable Referrers API", "MUST", "a1ace89967",
            "clients fall back on 404", exemption: "binds the client"),
        SpecStatement(
            "referrers-tag", "Referrers Tag Schema", "MUST", "a29c48fceb",
            "how a referrers tag is named", exemption: "binds the client"),
        SpecStatement(
            "referrers-tag-algorithm", "Referrers Tag Schema", "MUST", "2c72cc113c",
            "how its algorithm is cut", exemption: "binds the client"),
        SpecStatement(
            "referrers-tag-encoded", "Referrers Tag Schema", "MUST", "c6f1d7c473",
            "how its digits are cut", exemption: "binds the client"),
        SpecStatement(
            "referrers-preexisting", "Enabling the Referrers API", "MUST", "f32cbc9f4a",
            "what a referrers tag listed before is in the API's list"),
        SpecStatement(
            "referrers-new", "Enabling the Referrers API", "MUST", "0d2c99cd84",
            "what is pushed with a subject is in the list"),
        SpecStatement(
            "http-semantics", "API", "SHOULD", "96c51c9003",
            "where nothing else is said, RFC 9110 holds"),
        SpecStatement(
            "redirects", "API", "SHOULD", "69b46f7d9b",
            "clients follow redirects and keep credentials to themselves", exemption: "binds the client"),
        SpecStatement(
            "error-format", "Error Codes", "MUST", "873ca41cb2",
            "a JSON error body has the errors array"),
        SpecStatement(
            "error-code-form", "Error Codes", "MUST", "2e3d6cb62b",
            "error codes are of upper-case letters and underscores"),
        SpecStatement(
            "error-message", "Error Codes", "SHOULD", "97d993279e",
            "an error message is for people"),
        SpecStatement(
            "error-code-listed", "Error Codes", "MUST", "91be5dd49d",
            "error codes are of the table"),
        SpecStatement(
            "retry-after", "Error Codes", "SHOULD", "1aaa574737",
            "429 comes with Retry-After"),
        SpecStatement(
            "warning-form", "Warnings", "MUST", "28489e0b99",
            "warnings are 299 - \"text\" without a date"),
        SpecStatement(
            "warning-size", "Warnings", "MUST NOT", "b6e93a3f5a",
            "warnings of one answer pass 4,096 bytes"),
        SpecStatement(
            "warnings-reported", "Warnings", "SHOULD", "ce0af8f461",
            "clients report warnings", exemption: "binds the client"),
        SpecStatement(
            "warnings-once", "Warnings", "SHOULD", "2c07e486ac",
            "clients report a warning once", exemption: "binds the client"),
        SpecStatement(
            "warnings-no-action", "Warnings", "MUST NOT", "092b735eef",
            "clients act on warnings", exemption: "binds the client"),
    ]
}
