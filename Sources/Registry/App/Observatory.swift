import HTTP
import HTTPServer
import Metrics
import Model
import Runtime
import Service

/// All that is measured of a registry that serves, gathered when somebody asks: on a thread of its own, as text of some thousand
/// lines would keep an event loop from its requests.
struct Observatory: Sendable {
    let registry: Registry
    let accounts: Accounts
    let server: Server
    /// How many namespaces have numbers of their own.
    let namespaces: Int
    private let writer = BlockingExecutor(
        name: "metrics", threads: 1, capacity: 16, patience: .seconds(10), courtesy: .nice(10))

    init(_ registry: Registry, _ accounts: Accounts, _ server: Server, namespaces: Int) {
        (self.registry, self.accounts, self.server, self.namespaces) = (registry, accounts, server, namespaces)
    }

    /// Throws `.unavailable` where too many ask at once.
    func page(_ format: MetricText.Format) async throws(RegistryError) -> [UInt8] {
        let ofLoops: [MetricFamily]
        do { ofLoops = try await server.metrics() } catch {
            throw RegistryError(.unavailable, "the event loops do not answer", cause: "\(error)")
        }
        let families = await registry.metrics(largest: namespaces) + accounts.metrics() + ofLoops + own
        do throws(StoreError) {
            return try await writer.run { () throws(StoreError) in
                MetricText.write(families + ProcessMetrics.families(), as: format)
            }
        } catch {
            throw RegistryError(.unavailable, "too many ask for metrics at once", cause: error.cause)
        }
    }

    private var own: [MetricFamily] {
        var build = MetricFamily("aerugo_build_info", .gauge, "Always 1; the labels say what runs.")
        build.add(1, ("version", Aerugo.version))
        return [build] + BlockingExecutor.metrics([logOutput, writer])
    }
}
