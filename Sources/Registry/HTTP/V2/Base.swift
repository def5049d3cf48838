import Model

/// `/v2/` itself (end-1).
enum Base {
    static let operations = ["/v2/", "/v2"].map { path in
        Operation(.get, path, .registry(.base), answers: [200], rate: .read, spec: "end-1") {
            call throws(RegistryError) in
            // Clients take a 200 for a registry that wants no login.
            _ = try call.registryGrant()
            return .json(200, Array("{}".utf8))
        }
    }
}

extension Call {
    /// A Location: relative, or absolute where the operator wants it.
    func location(_ path: String) -> (name: String, value: String) {
        ("Location", settings.absoluteLocations ? request.origin(settings) + path : path)
    }

    /// The path's digest.
    func digest() throws(RegistryError) -> Digest {
        try parsing { () throws(ParseError) in try Digest.parse(parameters[.digest]) }
    }
}
