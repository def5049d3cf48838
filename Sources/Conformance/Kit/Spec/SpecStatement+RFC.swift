// A data table: one line a sentence of an RFC, of Docker's documents, or our own opinion.

extension SpecStatement {
    private init(rfc id: String, _ section: String, _ level: String, _ gist: String) {
        self.init(id, section, level, "", gist)
    }

    /// What checks demand beyond the distribution-spec, which refers to RFC 9110 wherever it says nothing itself.
    package static let ofRFCs: [SpecStatement] =
        http + tokens + images + [
            SpecStatement(
                rfc: "opinion", "Our own opinion", "SHOULD",
                "what no document demands, and clients or operators are better off with")
        ]

    private static let http: [SpecStatement] = [
        SpecStatement(
            rfc: "http-grammar", "RFC 9110 §2.2: Requirements Notation", "MUST NOT",
            "a sender generates nothing that does not fit the grammar of its field"),
        SpecStatement(
            rfc: "http-field-once", "RFC 9110 §5.3: Field Order", "MUST NOT",
            "a sender writes no field twice whose value is no list"),
        SpecStatement(
            rfc: "http-length-204", "RFC 9110 §8.6: Content-Length", "MUST NOT",
            "204 (and 1xx) bears no Content-Length; nor a Transfer-Encoding (RFC 9112 §6.1)"),
        SpecStatement(
            rfc: "http-length-304", "RFC 9110 §8.6: Content-Length", "MUST NOT",
            "304 bears no Content-Length but that of the 200"),
        SpecStatement(
            rfc: "http-length-head", "RFC 9110 §8.6: Content-Length", "MUST NOT",
            "HEAD bears no Content-Length but that of GET"),
        SpecStatement(
            rfc: "http-etag-changes", "RFC 9110 §8.8.1: Weak versus Strong", "SHOULD",
            "an entity tag changes when what was before cannot stand for what is now"),
        SpecStatement(
            rfc: "http-get-head", "RFC 9110 §9.1: Methods", "MUST", "servers support GET and HEAD"),
        SpecStatement(
            rfc: "http-head-empty", "RFC 9110 §9.3.2: HEAD", "MUST NOT", "the answer to HEAD has no content"),
        SpecStatement(
            rfc: "http-head-fields", "RFC 9110 §9.3.2: HEAD", "SHOULD", "HEAD is answered with the header fields of GET"
        ),
        SpecStatement(
            rfc: "http-expect", "RFC 9110 §10.1.1: Expect", "MUST",
            "who waits for 100 Continue gets it, or a final answer, at once"),
        SpecStatement(
            rfc: "http-401-sent", "RFC 9110 §11.4: Credentials", "SHOULD",
            "a request without credentials, or with bad ones, for what needs them is answered with 401"),
        SpecStatement(
            rfc: "http-401-challenge", "RFC 9110 §11.6.1: WWW-Authenticate", "MUST",
            "401 bears a challenge that can be answered"),
        SpecStatement(
            rfc: "http-if-match", "RFC 9110 §13.1.1: If-Match", "MUST NOT",
            "who evaluates If-Match does not carry out the method where it is false"),
        SpecStatement(
            rfc: "http-if-none-match", "RFC 9110 §13.1.2: If-None-Match", "MUST",
            "a false If-None-Match is 304 for GET and HEAD, else 412, and the method is not carried out"),
        SpecStatement(
            rfc: "http-if-range", "RFC 9110 §13.1.5: If-Range", "MUST", "Range is ignored where If-Range is false"),
        SpecStatement(
            rfc: "http-if-range-true", "RFC 9110 §13.1.5: If-Range", "SHOULD",
            "Range is looked at where If-Range is true"),
        SpecStatement(
            rfc: "http-range-unit", "RFC 9110 §14.2: Range", "MUST", "a range unit that is not known is ignored"),
        SpecStatement(
            rfc: "http-206-fields", "RFC 9110 §15.3.7: 206 Partial Content", "MUST",
            "206 bears ETag, Date, Vary and others that the 200 would have borne"),
        SpecStatement(
            rfc: "http-206-range", "RFC 9110 §15.3.7.1: Single Part", "MUST",
            "206 says by Content-Range which part it is, and is that part"),
        SpecStatement(
            rfc: "http-206-parts", "RFC 9110 §15.3.7.2: Multiple Parts", "MUST",
            "several parts are sent as multipart/byteranges, each with its Content-Range"),
        SpecStatement(
            rfc: "http-304-fields", "RFC 9110 §15.4.5: 304 Not Modified", "MUST",
            "304 bears ETag, Date, Vary and others that the 200 would have borne"),
        SpecStatement(
            rfc: "http-405-allow", "RFC 9110 §15.5.6: 405 Method Not Allowed", "MUST",
            "405 says by Allow what is allowed"),
        SpecStatement(
            rfc: "http-request-line", "RFC 9112 §3: Request Line", "SHOULD",
            "a line that is no request line is answered with 400"),
        SpecStatement(
            rfc: "http-host", "RFC 9112 §3.2: Request Target", "MUST", "a request without one valid Host is 400"),
        SpecStatement(
            rfc: "http-colon", "RFC 9112 §5.1: Field Line Parsing", "MUST", "a blank before a header's colon is 400"),
        SpecStatement(
            rfc: "http-two-lengths", "RFC 9112 §6.2: Content-Length", "MUST NOT",
            "a message with Transfer-Encoding bears no Content-Length"),
        SpecStatement(
            rfc: "http-length-valid", "RFC 9112 §6.3: Message Body Length", "MUST",
            "a request whose Content-Length is none is 400"),
        SpecStatement(
            rfc: "http-coding-last", "RFC 9112 §6.3: Message Body Length", "MUST",
            "a request whose last transfer coding is not chunked is 400"),
        SpecStatement(
            rfc: "http-chunked", "RFC 9112 §7.1: Chunked Transfer Coding", "MUST",
            "a recipient reads the chunked transfer coding"),
        SpecStatement(
            rfc: "http-pipelining", "RFC 9112 §9.3.2: Pipelining", "MUST",
            "answers come in the order of their requests"),
    ]

    private static let images: [SpecStatement] = [
        SpecStatement(
            rfc: "image-unknown", "image-spec: Extensibility", "SHOULD NOT",
            "who processes content makes no error of a property that it does not know"),
        SpecStatement(
            rfc: "image-type-unknown", "image-spec: Image Manifest", "MUST NOT",
            "who stores manifests makes no error of a media type that it does not know"),
        SpecStatement(
            rfc: "image-data", "image-spec: Descriptor", "OPTIONAL",
            "a descriptor may hold its content, which is identical to what it names"),
        SpecStatement(
            rfc: "image-any-count", "image-spec: Image Manifest, Image Index", "REQUIRED",
            "layers and manifests are arrays, of any length"),
    ]

    private static let tokens: [SpecStatement] = [
        SpecStatement(
            rfc: "oauth-password", "RFC 6749 §4.3.2: Access Token Request", "MUST",
            "who gives tokens for passwords validates the password"),
        SpecStatement(
            rfc: "oauth-token", "RFC 6749 §5.1: Successful Response", "REQUIRED",
            "the answer to a grant holds access_token"),
        SpecStatement(
            rfc: "oauth-covers", "RFC 6749 §7: Accessing Protected Resources", "MUST",
            "who takes a token validates it, its expiry, and that its scope covers what is asked for"),
        SpecStatement(
            rfc: "jwt-valid", "RFC 7519 §7.2: Validating a JWT", "MUST",
            "a token of which any step of validation fails is rejected"),
        SpecStatement(
            rfc: "jwt-audience", "RFC 7519 §4.1.3: aud", "MUST", "a token for another audience is rejected"),
        SpecStatement(
            rfc: "jwt-expiry", "RFC 7519 §4.1.4: exp", "MUST NOT", "a token is not taken after its expiry"),
        SpecStatement(
            rfc: "docker-token", "Docker V2: Token Response Fields", "MUST",
            "a token response holds token or access_token"),
        SpecStatement(
            rfc: "docker-token-same", "Docker V2: Token Response Fields", "SHOULD",
            "token and access_token are equivalent where both are told"),
        SpecStatement(
            rfc: "docker-token-life", "Docker V2: Token Response Fields", "SHOULD",
            "a token lives for 60 seconds at least"),
        SpecStatement(
            rfc: "docker-token-scopes", "Docker V2: Requesting a Token", "SHOULD",
            "scope stands in a request as often as there are scopes"),
    ]
}
