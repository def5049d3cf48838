import Foundation

/// What stands before a registry makes of paths.
extension Latitude {
    static let paths: [Latitude] = [
        Latitude(
            "slashesMerged", "no rule forbids a proxy to take a//b for a/b, and many do",
            arriving: { request, _ in
                request.setPath(CleanPath.merged(request.path))
                return nil
            }),
        Latitude(
            "dotsResolved", "RFC 3986 §6.2.2.3: dot segments are removed by normalization",
            arriving: { request, _ in
                request.setPath(CleanPath.withoutDots(request.path))
                return nil
            }),
        Latitude(
            "pathsNormalised", "RFC 3986 §6: a proxy may decode, merge and resolve a path before it passes it on",
            arriving: { request, _ in
                request.setPath(CleanPath.clean(request.path))
                return nil
            }),
        Latitude(
            "pathsRedirected", "RFC 9110 §15.4: any request may be answered by a redirect, here to the clean path",
            arriving: { request, _ in
                let clean = CleanPath.clean(request.path)
                let escaped = clean.addingPercentEncoding(withAllowedCharacters: .urlPathAllowed) ?? clean
                if clean == request.path || escaped == request.path { return nil }
                let query = request.target.drop { $0 != "?" }
                return StubResponse(request.method == "GET" ? 301 : 307, [("Location", escaped + query)])
            }),
        Latitude(
            "escapesRefused", "RFC 9110 §15.5.1: no path of the API needs a percent-escape",
            arriving: { request, _ in request.path.contains("%") ? StubResponse(400) : nil }),
        Latitude(
            "pagesElsewhere", "the specification rules below /v2/ alone: other paths may show a web page",
            arriving: { request, _ in
                let clean = CleanPath.clean(request.path)
                guard !["/v2", "/token"].contains(clean), !clean.hasPrefix("/v2/") else { return nil }
                return StubResponse(200, [("Content-Type", "text/html")], Array("<!doctype html><p>hello".utf8))
            }),
        Latitude(
            "climbersRedirected", "RFC 9110 §15.4: what is outside the API may lead to a page for people",
            arriving: { request, _ in
                guard request.path.contains("/../") else { return nil }
                return StubResponse(302, [("Location", "/login?next=%2F")])
            }),
        Latitude(
            "longTargetsRefused", "RFC 9112 §3: 8,000 octets of a request line are what one has to take",
            arriving: { request, _ in request.target.utf8.count > 8_000 ? StubResponse(414) : nil }),
        Latitude(
            "longHeadsRefused", "RFC 9110 §5.4: a server may refuse fields larger than it wishes to process",
            arriving: { request, _ in
                let size = request.headers.map { $0.name.utf8.count + $0.value.utf8.count + 4 }.reduce(0, +)
                return size > 8_192 ? StubResponse(431) : nil
            }),
        Latitude(
            "unknownMethodsRefused", "RFC 9110 §9.1: 501 for a method that is not implemented",
            arriving: { request, _ in
                let known = ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"].contains(request.method)
                return known ? nil : StubResponse(501)
            }),
        Latitude(
            "otherMethodsNotFound", "RFC 9110 §15.5.5: a router may find no route for a method it has not there",
            leaving: { response, _, stub in if response.status == 405 { response = stub.error(404, "UNSUPPORTED") } }),
    ]
}

/// A path as proxies write it anew.
enum CleanPath {
    static func clean(_ path: String) -> String {
        withoutDots(merged(path.removingPercentEncoding ?? path))
    }

    static func merged(_ path: String) -> String {
        var path = path
        while path.contains("//") { path = path.replacingOccurrences(of: "//", with: "/") }
        return path
    }

    /// RFC 3986 section 5.2.4, an escaped dot being a dot.
    static func withoutDots(_ path: String) -> String {
        let plain = path.replacingOccurrences(of: "%2e", with: ".", options: .caseInsensitive)
        var kept: [Substring] = []
        for part in plain.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
            if part == ".." { _ = kept.popLast() } else if part != "." { kept.append(part) }
        }
        return "/" + kept.joined(separator: "/")
    }
}
