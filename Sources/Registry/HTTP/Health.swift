import Model

/// Whether the process lives, and whether it can work.
enum Health {
    static let operations = [
        Operation(.get, "/healthz", .anybody, answers: [200], rate: .health, spec: "operations") {
            _ throws(RegistryError) in
            Response(200, [("Content-Type", "text/plain")], .bytes(Array("alive\n".utf8)))
        },
        Operation(.get, "/readyz", .anybody, answers: [200], rate: .health, spec: "operations") {
            call throws(RegistryError) in
            try await call.registry.check()
            return Response(200, [("Content-Type", "text/plain")], .bytes(Array("ready\n".utf8)))
        },
    ]
}
