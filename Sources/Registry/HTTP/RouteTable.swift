import Model
import NIOHTTP1

/// Every route there is, and the way from a request to one of them.
package struct RouteTable: Sendable {
    package let routes: [Route]

    /// The table of the whole server. Where two templates fit a path, the one that stands first is meant.
    package static let all = RouteTable(routes: Health.routes + Base.routes + Uploads.routes + Blobs.routes + Manifests.routes + Lists.routes)

    enum Outcome {
        case found(Route, Route.Match)
        /// The path is there, the method is not: what is allowed.
        case wrongMethod([String])
        case notFound
    }

    func find(_ method: HTTPMethod, _ path: Substring) -> Outcome {
        let segments = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false)
        var allowed: [String] = []
        let wanted = method == .HEAD ? .GET : method
        // The first template that fits is the path's meaning: `a/blobs/uploads/x` is never a blob.
        var meaning: String?
        for route in routes where meaning == nil || route.template == meaning {
            guard let match = route.match(path, segments) else { continue }
            if route.method == wanted { return .found(route, match) }
            meaning = route.template
            allowed += route.method == .GET ? ["GET", "HEAD"] : [route.method.rawValue]
        }
        return allowed.isEmpty ? .notFound : .wrongMethod(allowed)
    }
}
