import Glibc
import HTTP
import Metrics
import Model
import Runtime

/// Writes lines of the access log. Nothing of a query, and no field of a request is in them: those are where secrets are.
package struct AccessLine {
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

    private let isJSON: Bool
    /// The lines so far.
    package private(set) var bytes: [UInt8] = []
    /// The beginning of a time, but its milliseconds, as long as its second lasts.
    private var (second, moment) = (0, [UInt8]())

    /// No lines yet.
    package init(_ format: AccessLog.Format) { isJSON = format == .json }

    mutating func clear() { bytes.removeAll(keepingCapacity: true) }

    /// Adds a line.
    package mutating func append(_ entry: Entry) {
        let (request, exchange) = (entry.request, entry.exchange)
        if bytes.capacity < 40 << 10 { bytes.reserveCapacity(48 << 10) }
        begin()
        field("id", request.id)
        field("method", request.method.name)
        field("route", exchange.place < 0 ? "" : OperationTable.counted[exchange.place].pattern.text)
        field("path", request.path)
        field("status", exchange.status)
        field("principal", request.findings.principal)
        field("address", request.remote)
        field("received", exchange.received)
        field("sent", exchange.sent)
        field("seconds", nanoseconds: exchange.time)
        if let stages = entry.stages {
            for stage in RequestStages.Stage.allCases { field(stage.name, nanoseconds: stages[stage]) }
        }
        field("send", nanoseconds: entry.sending)
        if entry.isCut { field("cut", 1) }
        if isJSON { bytes.append(UInt8(ascii: "}")) }
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func begin() {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        if time.tv_sec != second || moment.isEmpty {
            second = time.tv_sec
            moment = Array(
                Timestamp(milliseconds: Int64(second) * 1000).rfc3339.utf8.prefix { $0 != UInt8(ascii: ".") })
        }
        if isJSON { put("{\"time\":\"") }
        bytes += moment
        put(".")
        put(time.tv_nsec / 1_000_000, digits: 3)
        put(isJSON ? "Z\"" : "Z info request")
    }

    private mutating func key(_ name: StaticString) {
        put(isJSON ? ",\"" : " ")
        put(name)
        put(isJSON ? "\":" : "=")
    }

    private mutating func field(_ name: StaticString, _ text: some StringProtocol) {
        key(name)
        let start = bytes.count
        if isJSON { bytes.append(UInt8(ascii: "\"")) }
        bytes.append(contentsOf: text.utf8)
        let isPlain = bytes[(start + (isJSON ? 1 : 0))...].allSatisfy(Self.isPlain)
        guard !isPlain || bytes.count - start > LogLine.valueLimit || (text.isEmpty && !isJSON) else {
            if isJSON { bytes.append(UInt8(ascii: "\"")) }
            return
        }
        bytes.removeLast(bytes.count - start)
        var line = LogLine()
        if isJSON { line.quoted(String(text)) } else { line.value(String(text)) }
        bytes += line.content
    }

    /// Whether a byte stands for itself in both formats.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && byte != 0x22 && byte != 0x5c && byte != 0x3d
    }

    private mutating func field(_ name: StaticString, _ number: Int) {
        key(name)
        put(number, digits: 1)
    }

    /// As seconds with microseconds.
    private mutating func field(_ name: StaticString, nanoseconds: Int64) {
        key(name)
        let microseconds = Int(max(0, nanoseconds) / 1000)
        put(microseconds / 1_000_000, digits: 1)
        put(".")
        put(microseconds % 1_000_000, digits: 6)
    }

    private mutating func put(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

    /// A number that is not negative, with so many digits at least.
    private mutating func put(_ number: Int, digits: Int) {
        var (rest, places, unit) = (max(0, number), digits, 1)
        for _ in 1..<digits { unit *= 10 }
        while rest / 10 >= unit { (unit, places) = (unit * 10, places + 1) }
        for _ in 0..<places {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: rest / unit))
            (rest, unit) = (rest % unit, unit / 10)
        }
    }
}
