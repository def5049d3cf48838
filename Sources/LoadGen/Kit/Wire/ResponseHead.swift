/// Status line and header fields of one answer.
package struct ResponseHead: Sendable {
    /// The status, 100 to 999.
    package internal(set) var status = 0
    /// `Content-Length`, absent when not told.
    package internal(set) var contentLength: Int?
    /// The body comes in chunked coding.
    package internal(set) var isChunked = false
    /// The connection may be used again after this answer.
    package internal(set) var keepsAlive = true
    /// The head's bytes; empty when the caller did not want headers kept.
    package internal(set) var raw: [UInt8] = []

    /// An empty head.
    package init() {}

    /// All values of a field, trimmed, in order; always none when headers were not kept.
    package func values(_ name: String) -> [String] {
        let wanted = name.lowercased()
        return raw.split(separator: 0x0A).dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: 0x3A) else { return nil }
            guard String(decoding: line[..<colon], as: UTF8.self).lowercased() == wanted else { return nil }
            let value = line[line.index(after: colon)...]
            let blank: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
            let trimmed = value.drop(while: blank).reversed().drop(while: blank).reversed()
            return String(decoding: Array(trimmed), as: UTF8.self)
        }
    }

    /// The first value of a field.
    package func value(_ name: String) -> String? { values(name).first }
}

/// An answer that breaks RFC 9112.
package enum WireError: Error, Equatable {
    /// The status line does not read as one.
    case statusLine
    /// The head is longer than 64 KiB.
    case headTooLong
    /// `Content-Length` is no number, or several differ.
    case contentLength
    /// A chunk's size or its end does not read as one.
    case chunk
    /// Bytes came after the answer that nobody asked for.
    case unasked
}

/// Takes what a ``ResponseParser`` finds.
package protocol ResponseSink: AnyObject {
    /// The final head (1xx are not told).
    func take(head: ResponseHead)
    /// Some bytes of the body; valid only during the call.
    func take(body: UnsafeRawBufferPointer)
}
