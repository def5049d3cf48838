/// The head of a request, which was well formed.
package struct RequestHead: Sendable {
    package var method = Method.get
    /// As it was sent: a path with its query, an URL, or `*`.
    package var target = ""
    package var headers = Headers([], [])
    /// Bytes of the body; nil with chunked coding.
    package var length: Int64? = 0
    package var keepsAlive = true
    package var expectsContinue = false

    /// That of `GET` of nothing.
    package init() {}
}
