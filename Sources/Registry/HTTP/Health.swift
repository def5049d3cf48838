import Model

/// Whether the process lives, and whether it can work.
enum Health {
    static let routes = [
        Route(.get, "/healthz", nil, "operations") { _ throws(RegistryError) in
            Response(200, [("Content-Type", "text/plain")], .bytes(Array("alive\n".utf8)))
        },
        Route(.get, "/readyz", nil, "operations") { call throws(RegistryError) in
            try await call.registry.check()
            return Response(200, [("Content-Type", "text/plain")], .bytes(Array("ready\n".utf8)))
        },
    ]
}
