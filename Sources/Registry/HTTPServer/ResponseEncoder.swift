import HTTP
import NIOCore

/// Writes an answer's head, and a small body with it (RFC 9112 section 4).
enum ResponseEncoder {
    /// Appends status line, headers, the blank line and `body`. Content-Length is left out where RFC 9110 8.6 forbids it.
    static func encode(
        _ response: Response, body: [UInt8], keepsAlive: Bool, date: String, into buffer: inout ByteBuffer
    ) {
        var size = 256 + date.utf8.count + response.requestID.utf8.count + body.count
        if let lines = response.lines { size += lines.bytes.count }
        for (name, value) in response.headers { size += name.utf8.count + value.utf8.count + 4 }
        buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { bytes in
            var out = Writer(bytes)
            out.put(literal: "HTTP/1.1 ")
            out.put(number: Int64(response.status))
            out.put(literal: " ")
            out.put(literal: reason(response.status))
            out.put(literal: "\r\nDate: ")
            out.put(date)
            for (name, value) in response.headers {
                out.put(literal: "\r\n")
                out.put(name)
                out.put(literal: ": ")
                out.put(value)
            }
            if let lines = response.lines { out.put(lines.bytes) }
            if !response.requestID.isEmpty {
                out.put(literal: "\r\nDocker-Distribution-API-Version: registry/2.0\r\nX-Request-Id: ")
                out.put(response.requestID)
            }
            if response.status != 204, response.status != 304 {
                out.put(literal: "\r\nContent-Length: ")
                out.put(number: response.body.length)
            }
            out.put(literal: keepsAlive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n")
            out.put(body)
            return out.count
        }
    }

    /// Appends to memory of a known size; what does not fit is cut off.
    private struct Writer {
        private let bytes: UnsafeMutableRawBufferPointer
        private(set) var count = 0

        init(_ bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

        mutating func put(literal text: StaticString) {
            text.withUTF8Buffer { copy(UnsafeRawBufferPointer($0)) }
        }

        /// A value can never end its line, whatever it was made from: control characters become blanks.
        mutating func put(_ text: String) {
            var text = text
            let start = count
            text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
            var least = UInt8.max
            for at in start..<count { least = min(least, bytes[at]) }
            guard least < 0x20 else { return }
            for at in start..<count where bytes[at] < 0x20 { bytes[at] = 0x20 }
        }

        mutating func put(_ body: [UInt8]) { body.withUnsafeBytes { copy($0) } }

        mutating func put(number: Int64) { put(String(number)) }

        private mutating func copy(_ source: UnsafeRawBufferPointer) {
            let length = min(source.count, bytes.count - count)
            guard length > 0, let base = source.baseAddress else { return }
            UnsafeMutableRawBufferPointer(rebasing: bytes[count..<count + length])
                .copyMemory(from: UnsafeRawBufferPointer(start: base, count: length))
            count += length
        }
    }

    private static func reason(_ status: Int) -> StaticString {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 304: "Not Modified"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 416: "Range Not Satisfiable"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 507: "Insufficient Storage"
        default: "Status"
        }
    }
}
