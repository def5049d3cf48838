/// A request's method (RFC 9110 section 9).
package enum Method: Hashable, Sendable {
    case get, head, post, put, patch, delete
    /// One that no route takes.
    case other(String)

    /// As it is sent.
    package var name: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        case .other(let name): name
        }
    }

    /// Reads a method; its case counts.
    package init(_ bytes: UnsafeRawBufferPointer) {
        switch String(decoding: bytes, as: UTF8.self) {
        case "GET": self = .get
        case "HEAD": self = .head
        case "POST": self = .post
        case "PUT": self = .put
        case "PATCH": self = .patch
        case "DELETE": self = .delete
        case let name: self = .other(name)
        }
    }
}
