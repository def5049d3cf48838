import Model

/// Every route there is, and the way from a request to one of them.
package struct RouteTable: Sendable {
    package let routes: [Route]
    /// Routes of one template, in the order of the table.
    private let groups: [(template: PathTemplate, routes: [Route])]

    /// The table of the whole server. Where two templates fit a path, the one that stands first is meant:
    /// `a/blobs/uploads/x` is never a blob.
    package static let all = RouteTable(
        Health.routes + Base.routes + Uploads.routes + Blobs.routes + Manifests.routes + Lists.routes)

    private init(_ routes: [Route]) {
        self.routes = routes
        var groups: [(String, [Route])] = []
        for route in routes {
            if let known = groups.firstIndex(where: { $0.0 == route.template }) {
                groups[known].1.append(route)
            } else {
                groups.append((route.template, [route]))
            }
        }
        self.groups = groups.map { (PathTemplate($0.0), $0.1) }
    }

    enum Outcome {
        case found(Route, Route.Match)
        /// The path is there, the method is not: what is allowed.
        case wrongMethod([String])
        case notFound
    }

    func find(_ method: Method, _ path: Substring) -> Outcome {
        guard let (routes, parts) = fitting(path) else { return .notFound }
        let wanted = method == .head ? .get : method
        guard let route = routes.first(where: { $0.method == wanted }) else {
            return .wrongMethod(routes.flatMap { $0.method == .get ? ["GET", "HEAD"] : [$0.method.name] })
        }
        let text = { (range: Range<Int>) in
            let start = path.utf8.index(path.startIndex, offsetBy: range.lowerBound)
            return path[start..<path.utf8.index(start, offsetBy: range.count)]
        }
        let match = Route.Match(
            name: parts.name.map { String(text($0)) }, parameter: text(parts.parameter).percentDecoded)
        return .found(route, match)
    }

    private func fitting(_ path: Substring) -> (routes: [Route], parts: PathTemplate.Parts)? {
        var path = path
        return path.withUTF8 { bytes in
            let slashes = PathTemplate.Slashes(bytes)
            for (template, routes) in groups {
                if let parts = template.match(bytes, slashes: slashes) { return (routes, parts) }
            }
            return nil
        }
    }
}
