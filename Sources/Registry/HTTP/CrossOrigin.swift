import Model

/// Pages of other origins (Fetch, "CORS protocol"): those that the operator has named may use the management API, and read
/// below `/v2/`; where any is let in, it may read. Nothing is sent along by the browser itself: who asks says so in `Authorization`.
extension Application {
    private static let requestHeaders =
        "Accept, Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Range, X-API-Key"
    private static let answerHeaders =
        "Content-Range, Docker-Content-Digest, ETag, Idempotent-Replayed, Link, Location, Retry-After, WWW-Authenticate, X-Request-Id"

    /// The answer to a browser that asks whether it may ask; nil for any other request. Read from the table of operations.
    func preflight(_ request: Request) -> Response? {
        guard !settings.corsOrigins.isEmpty, case .other("OPTIONS") = request.method,
            let origin = allowedOrigin(request), let wanted = request.headers["Access-Control-Request-Method"]
        else { return nil }
        let methods = methods(request.path, origin)
        guard methods.contains(wanted) else { return Response(204, [("Vary", "Origin")]) }
        return Response(
            204,
            [
                ("Access-Control-Allow-Origin", origin),
                ("Access-Control-Allow-Methods", methods.joined(separator: ", ")),
                ("Access-Control-Allow-Headers", Self.requestHeaders), ("Access-Control-Max-Age", "600"),
                ("Vary", "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"),
            ])
    }

    /// Lets the page that asked see an answer, where it may.
    func share(_ response: inout Response, _ request: Request) {
        guard !settings.corsOrigins.isEmpty else { return }
        response.headers.append(("Vary", "Origin"))
        guard let origin = allowedOrigin(request), request.method != .other("OPTIONS"),
            methods(request.path, origin).contains(request.method.name)
        else { return }
        response.headers += [
            ("Access-Control-Allow-Origin", origin), ("Access-Control-Expose-Headers", Self.answerHeaders),
        ]
    }

    private func methods(_ path: Substring, _ origin: String) -> [String] {
        let all = table.crossOriginMethods(path)
        return origin == "*" ? all.filter { $0 == "GET" || $0 == "HEAD" } : all
    }

    private func allowedOrigin(_ request: Request) -> String? {
        guard let origin = request.headers["Origin"] else { return nil }
        if settings.corsOrigins.contains(origin) { return origin }
        return settings.corsOrigins.contains("*") ? "*" : nil
    }
}

extension OperationTable {
    /// The methods by which a page of another origin may use a path.
    fileprivate func crossOriginMethods(_ path: Substring) -> [String] {
        guard case .wrongMethod(let operations) = find(.other("-"), path) else { return [] }
        return operations.filter { $0.errorStyle == .problem || $0.method == .get }.flatMap { operation in
            operation.method == .get ? ["GET", "HEAD"] : [operation.method.name]
        }
    }
}
