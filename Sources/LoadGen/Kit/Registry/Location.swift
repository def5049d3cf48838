import Harness

/// Where a redirect or an upload's `Location` leads.
package enum Location {
    /// Resolves `reference` against the request it answers; `nil` when it is no address that can be asked: of another scheme,
    /// with credentials in it (RFC 9110 section 4.2.4), or with what would end a request's first line.
    package static func resolve(_ reference: String, against endpoint: Endpoint, path: String) -> Target? {
        let plain = reference.prefix { $0 != "#" }
        guard !plain.isEmpty, plain.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }),
            case let place = Address(endpoint, path).resolving(reference), !hasCredentials(place),
            let address = Address(place)
        else { return nil }
        return Target(endpoint: address.endpoint, path: address.target)
    }

    /// Something stands before an `@` of the URL's authority.
    static func hasCredentials(_ url: String) -> Bool {
        guard let mark = url.firstRange(of: "://") else { return false }
        return url[mark.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }.contains("@")
    }

    /// What a token must allow for the upload at `path`, which names its repository; empty for another path.
    package static func uploadScope(_ path: String) -> String {
        guard path.hasPrefix("/v2/"), let end = path.firstRange(of: "/blobs/uploads/") else { return "" }
        return "repository:\(path[path.index(path.startIndex, offsetBy: 4)..<end.lowerBound]):pull,push"
    }
}
