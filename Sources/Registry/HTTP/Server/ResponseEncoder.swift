import NIOCore

/// Writes the head of an answer (RFC 9112 section 4).
enum ResponseEncoder {
    /// Appends status line, headers and the blank line. Content-Length is left out where RFC 9110 8.6 forbids it.
    static func encode(_ response: Response, keepsAlive: Bool, date: String, into buffer: inout ByteBuffer) {
        buffer.writeStaticString("HTTP/1.1 ")
        buffer.writeString("\(response.status) ")
        buffer.writeStaticString(reason(response.status))
        buffer.writeStaticString("\r\nDate: ")
        buffer.writeString(date)
        for (name, value) in response.headers {
            buffer.writeStaticString("\r\n")
            buffer.writeString(name)
            buffer.writeStaticString(": ")
            write(value, into: &buffer)
        }
        if response.status != 204, response.status != 304 {
            buffer.writeStaticString("\r\nContent-Length: ")
            buffer.writeString(String(response.body.length))
        }
        buffer.writeStaticString(keepsAlive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n")
    }

    /// A value can never end its line, whatever it was made from.
    private static func write(_ value: String, into buffer: inout ByteBuffer) {
        if value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
            buffer.writeBytes(value.utf8.map { $0 < 0x20 || $0 == 0x7f ? 0x20 : $0 })
        } else {
            buffer.writeString(value)
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
        case 503: "Service Unavailable"
        case 507: "Insufficient Storage"
        default: "Status"
        }
    }
}
