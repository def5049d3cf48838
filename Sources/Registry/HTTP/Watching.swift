import Access
import Metrics
import Model

/// What a monitoring system reads. Not of the management API: it has a port of its own, where there is nothing else.
enum Watching {
    static let operations = [
        Operation(
            .get, "/metrics", .registry(.administer), answers: [200], rate: .health, spec: "metrics", style: .problem
        ) {
            call throws(RegistryError) in
            guard let page = call.metrics else { throw RegistryError(.notFound, "nothing is measured here") }
            _ = try call.registryGrant()
            let format = MetricText.Format(accepting: call.request.headers["Accept"])
            return Response(
                200, [("Content-Type", format.type), ("Cache-Control", "no-store")], .bytes(try await page(format)))
        }
    ]
}

/// All that is measured, as text. Throws `.unavailable` where too many ask at once.
package typealias MetricsPage = @Sendable (MetricText.Format) async throws(RegistryError) -> [UInt8]
