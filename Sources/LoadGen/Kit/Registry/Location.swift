/// Where a redirect or an upload's `Location` leads.
package enum Location {
    /// Resolves `reference` (RFC 3986 5.2, as far as HTTP needs it) against the request it answers; `nil` when it is
    /// no address that can be asked.
    package static func resolve(_ reference: String, against endpoint: Endpoint, path: String) -> Target? {
        if reference.hasPrefix("http://") || reference.hasPrefix("https://") { return parse(reference) }
        if reference.hasPrefix("//") { return parse((endpoint.isTLS ? "https:" : "http:") + reference) }
        // A fragment is the client's own affair (RFC 9110 10.2.2).
        let reference = String(reference.prefix { $0 != "#" })
        guard !reference.isEmpty, reference.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        // Another scheme (RFC 3986 3.1): a colon before any slash.
        if reference.prefix(while: { !"/?".contains($0) }).contains(":") { return nil }
        if reference.hasPrefix("/") { return Target(endpoint: endpoint, path: withoutDots(reference)) }
        let base = path.prefix { $0 != "?" }
        if reference.hasPrefix("?") { return Target(endpoint: endpoint, path: String(base + reference)) }
        let folder = base.lastIndex(of: "/").map { base[...$0] } ?? "/"
        return Target(endpoint: endpoint, path: withoutDots(String(folder + reference)))
    }

    /// `path` without its segments `.` and `..` (RFC 3986 5.2.4); the query stays as it is.
    static func withoutDots(_ path: String) -> String {
        let plain = path.prefix { $0 != "?" }
        guard plain.contains("/.") else { return path }
        var kept: [Substring] = []
        var endsInFolder = false
        for segment in plain.dropFirst().split(separator: "/", omittingEmptySubsequences: false) {
            endsInFolder = segment == "." || segment == ".."
            if !endsInFolder { kept.append(segment) } else if segment == ".." { _ = kept.popLast() }
        }
        if endsInFolder { kept.append("") }
        return "/" + kept.joined(separator: "/") + path.dropFirst(plain.count)
    }

    /// `path` with one more query parameter, which must be escaped already.
    package static func adding(_ parameter: String, to path: String) -> String {
        path + (path.contains("?") ? "&" : "?") + parameter
    }

    /// What a token must allow for the upload at `path`, which names its repository; empty for another path.
    package static func uploadScope(_ path: String) -> String {
        guard path.hasPrefix("/v2/"), let end = path.firstRange(of: "/blobs/uploads/") else { return "" }
        return "repository:\(path[path.index(path.startIndex, offsetBy: 4)..<end.lowerBound]):pull,push"
    }

    /// Escapes everything but unreserved characters, for a query's value.
    package static func escape(_ text: String) -> String {
        var escaped = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += "%" + Hex.text([byte]).uppercased()
            }
        }
        return escaped
    }

    /// Undoes percent-escapes; what is none stays as it is.
    package static func unescape(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(2).compactMap(Hex.value)
            if byte == 0x25, digits.count == 2 {
                bytes.append(digits[0] << 4 | digits[1])
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func parse(_ text: String) -> Target? {
        do {
            let target = try Target(parsing: text)
            return Target(endpoint: target.endpoint, path: withoutDots(target.path))
        } catch {
            return nil
        }
    }
}
