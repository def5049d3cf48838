import HTTP
import Metrics

/// What one event loop has answered, counted as it goes: sums in an array, each found by reckoning alone. A value that its loop
/// changes and nobody else reads: who wants to know asks the loop for a copy.
package struct RequestCounts: Sendable {
    /// What is known of a request whose answer has gone out.
    package struct Exchange: Sendable {
        /// Of its operation in `OperationTable.counted`; -1 for none.
        package var place = -1
        package var isHead = false
        package var status = 0
        /// Nanoseconds from its head to the last byte of its answer.
        package var time: Int64 = 0
        /// Bytes of the bodies.
        package var (received, sent) = (0, 0)

        /// Of nothing.
        package init() {}
    }

    /// Seconds: up to each of them a request is counted in a class of its own.
    package static let bounds = [
        0.0001, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60,
    ]
    private static let limits = bounds.map { Int64($0 * 1_000_000_000) }
    /// A count for each bound, one for what took longer, and the sum of nanoseconds.
    private static let width = bounds.count + 2
    /// Of the first digit of a status.
    private static let classes = 5
    private static let operations = OperationTable.counted
    private static let kinds = [Operation.ContentKind.api] + operations.map(\.content)
    private static let highestStatus = 599

    private var cells = [Int](repeating: 0, count: kinds.count * 2 * classes * width)
    private var statuses = [Int](repeating: 0, count: highestStatus + 1)
    /// By kind of content.
    private var (received, sent) = (
        [Int](repeating: 0, count: Operation.ContentKind.allCases.count),
        [Int](repeating: 0, count: Operation.ContentKind.allCases.count)
    )
    /// Requests that are being answered.
    package private(set) var active = 0
    /// Those whose connection ended before their answer had gone out.
    package private(set) var cut = 0

    /// Nothing yet.
    package init() {}

    /// A request has come.
    package mutating func begin() { active += 1 }

    /// Its connection ended before its answer had gone out.
    package mutating func cutOff() {
        active -= 1
        cut += 1
    }

    /// Its answer has gone out.
    package mutating func end(_ exchange: Exchange) {
        active -= 1
        let row = exchange.place + 1
        let start = Self.cell(row, exchange.isHead, min(max(exchange.status / 100, 1), Self.classes) - 1)
        var bucket = 0
        while bucket < Self.limits.count, exchange.time > Self.limits[bucket] { bucket += 1 }
        cells[start + bucket] += 1
        cells[start + Self.width - 1] &+= Int(exchange.time)
        statuses[min(max(exchange.status, 0), Self.highestStatus)] += 1
        let kind = Self.kinds[row].rawValue
        received[kind] &+= exchange.received
        sent[kind] &+= exchange.sent
    }

    /// What was no request was answered with this status.
    package mutating func refuse(_ status: Int) { statuses[min(max(status, 0), Self.highestStatus)] += 1 }

    private static func cell(_ row: Int, _ isHead: Bool, _ statusClass: Int) -> Int {
        ((row * 2 + (isHead ? 1 : 0)) * classes + statusClass) * width
    }

    /// Adds what another loop has counted.
    package mutating func add(_ other: RequestCounts) {
        for index in cells.indices { cells[index] &+= other.cells[index] }
        for index in statuses.indices { statuses[index] &+= other.statuses[index] }
        for index in received.indices {
            received[index] &+= other.received[index]
            sent[index] &+= other.sent[index]
        }
        active += other.active
        cut += other.cut
    }

    /// All of it, named as the HTTP semantic conventions of OpenTelemetry have it.
    package var metrics: [MetricFamily] {
        [
            durations, answers,
            MetricFamily("http_server_active_requests", .gauge, "Requests that are being answered.", active),
            MetricFamily(
                "http_server_requests_cut_total", .counter,
                "Requests whose connection ended before their answer had gone out.", cut),
            bytes("http_server_request_body_bytes_total", "Bytes of requests' bodies that were taken.", received),
            bytes("http_server_response_body_bytes_total", "Bytes of answers' bodies that have gone out whole.", sent),
        ]
    }

    private var durations: MetricFamily {
        var family = MetricFamily(
            "http_server_request_duration_seconds", .histogram, "From a request's head to the last byte of its answer.")
        for row in Self.kinds.indices {
            for isHead in [false, true] {
                for statusClass in 0..<Self.classes {
                    let start = Self.cell(row, isHead, statusClass)
                    let counts = cells[start..<start + Self.width - 1]
                    guard counts.contains(where: { $0 > 0 }) else { continue }
                    let operation = row > 0 ? Self.operations[row - 1] : nil
                    family.add(
                        bounds: Self.bounds, counts: counts, sum: Double(cells[start + Self.width - 1]) / 1e9,
                        [
                            ("http_route", operation?.pattern.text ?? "none"),
                            ("http_request_method", isHead ? "HEAD" : operation?.method.name ?? "_OTHER"),
                            ("status_class", "\(statusClass + 1)xx"),
                        ])
                }
            }
        }
        return family
    }

    private var answers: MetricFamily {
        var family = MetricFamily(
            "http_server_responses_total", .counter, "Answers by status, those to what was no request too.")
        for (status, count) in statuses.enumerated() where count > 0 {
            family.add(Double(count), ("http_response_status_code", "\(status)"))
        }
        return family
    }

    private func bytes(_ name: String, _ help: String, _ counts: [Int]) -> MetricFamily {
        var family = MetricFamily(name, .counter, help)
        for kind in Operation.ContentKind.allCases { family.add(Double(counts[kind.rawValue]), ("kind", "\(kind)")) }
        return family
    }
}
