import Glibc
import HTTP
import Metrics
import Model
import Runtime

/// Writes lines of the access log. Nothing of a query, and no field of a request is in them: those are where secrets are.
package struct AccessLine {
    /// Bytes of lines that are handed on together.
    private static let most = 32 << 10

    /// What a line says.
    package struct Entry {
        let request: Request
        let exchange: RequestCounts.Exchange
        /// Whether the connection ended first; the status is 0 where there was no answer yet.
        let isCut: Bool
        /// Of a request that was not answered at once.
        let stages: RequestStages?
        /// Nanoseconds that the answer took to be taken.
        let sending: Int64

        /// What a line says of a request.
        package init(
            _ request: Request, _ exchange: RequestCounts.Exchange, isCut: Bool = false, stages: RequestStages? = nil,
            sending: Int64 = 0
        ) {
            (self.request, self.exchange) = (request, exchange)
            (self.isCut, self.stages, self.sending) = (isCut, stages, sending)
        }
    }

    /// Bytes that a line may have at most: each of its texts is bounded.
    private static let longest = 8 * LogLine.valueLimit

    private let isJSON: Bool
    /// Where lines are written, and how much of it has some.
    private var room: [UInt8]
    private var used = 0
    /// The beginning of a time, but its milliseconds, as long as its second lasts.
    private var (second, moment) = (0, "")

    /// No lines yet.
    package init(_ format: AccessLog.Format) {
        isJSON = format == .json
        room = [UInt8](repeating: 0, count: Self.most + Self.longest)
    }

    /// Whether there is room for another line.
    var isFull: Bool { used > Self.most }

    /// The lines so far.
    package var bytes: [UInt8] { Array(room[..<used]) }

    mutating func clear() { used = 0 }

    /// Adds a line, for which there is room.
    package mutating func append(_ entry: Entry) {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        if time.tv_sec != second || moment.isEmpty {
            second = time.tv_sec
            moment = String(Timestamp(milliseconds: Int64(second) * 1000).rfc3339.prefix { $0 != "." })
        }
        used = room.withUnsafeMutableBytes { [isJSON, used, moment] bytes in
            var out = AccessWriter(bytes, from: used, isJSON: isJSON)
            out.begin(moment, milliseconds: time.tv_nsec / 1_000_000)
            Self.write(entry, into: &out)
            return out.end()
        }
    }

    private static func write(_ entry: Entry, into out: inout AccessWriter) {
        let (request, exchange) = (entry.request, entry.exchange)
        out.field("id", request.id)
        out.field("method", request.method.name)
        out.field("route", exchange.place < 0 ? "" : routes[exchange.place])
        out.field("path", request.path)
        out.field("status", exchange.status)
        out.field("principal", request.findings.principal)
        out.field("address", request.remote)
        out.field("received", exchange.received)
        out.field("sent", exchange.sent)
        out.field("seconds", nanoseconds: exchange.time)
        if let stages = entry.stages {
            for stage in RequestStages.Stage.allCases { out.field(stage.name, nanoseconds: stages[stage]) }
        }
        out.field("send", nanoseconds: entry.sending)
        if entry.isCut { out.field("cut", 1) }
    }

    private static let routes = OperationTable.counted.map(\.pattern.text)
}
