import Metrics

extension BlockingExecutor {
    /// How these stand, each under its name.
    package static func metrics(_ executors: [BlockingExecutor]) -> [MetricFamily] {
        queues(executors.map { ($0.name, $0.usage) })
    }

    /// The same for queues of another kind.
    package static func queues(
        _ queues: [(name: String, usage: (waiting: Int, done: Int, refused: Int))]
    ) -> [MetricFamily] {
        var waiting = MetricFamily("aerugo_queue_jobs", .gauge, "Jobs that wait for a thread that may block.")
        var done = MetricFamily("aerugo_queue_begun_total", .counter, "Jobs whose turn came.")
        var refused = MetricFamily(
            "aerugo_queue_refused_total", .counter, "Jobs that found the queue full or waited too long.")
        for (name, usage) in queues {
            let label = ("queue", name)
            waiting.add(Double(usage.waiting), label)
            done.add(Double(usage.done), label)
            refused.add(Double(usage.refused), label)
        }
        return [waiting, done, refused]
    }
}
