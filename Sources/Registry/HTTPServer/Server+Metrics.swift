import Metrics
import NIOCore

extension Server {
    /// What the event loops have answered, and how connections stand.
    package func metrics() async throws -> [MetricFamily] {
        var (all, open) = (RequestCounts(), 0)
        for loop in loops {
            let (counts, connections) = try await loop.loop.submit { (loop.counts, loop.connections.count) }.get()
            all.add(counts)
            open += connections
        }
        return all.metrics + admission.metrics + (settings.accessLog?.metrics ?? []) + [
            MetricFamily("aerugo_connections", .gauge, "Connections that are open.", open),
            MetricFamily("aerugo_connections_limit", .gauge, "Most connections at once.", settings.connections),
        ]
    }
}
