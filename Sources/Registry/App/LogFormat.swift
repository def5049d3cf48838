import Foundation
import Logging
import Store

/// The logger of these settings, on standard error. Throws `ConfigurationError`.
func makeLogger(_ settings: Settings) throws -> Logger {
    guard let level = Logger.Level(rawValue: settings.string("log.level")) else {
        throw settings.wrong("log.level", Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let format = LineLogHandler.Format(rawValue: settings.string("log.format")) else {
        throw settings.wrong("log.format", "text or json")
    }
    return Logger(label: "aerugo") { _ in LineLogHandler(format: format, logLevel: level) }
}

/// The thread that writes to standard error, so that a reader who stalls stalls nothing else; past 10,000 lines that
/// wait, lines are lost.
let logOutput = BlockingExecutor(name: "log", threads: 1, capacity: 10_000)

/// Waits until what was logged so far is written, a second at most: there may be nobody who reads it.
func flushLog() async {
    let (written, waiter) = AsyncStream<Void>.makeStream()
    _ = logOutput.enqueue { waiter.finish() }
    let limit = Task {
        try await Task.sleep(for: .seconds(1))
        waiter.finish()
    }
    for await _ in written {}
    limit.cancel()
}

/// Writes a line. One that cannot be written, to a full disk or a closed pipe, is lost; the program goes on.
func writeToStandardError(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    var done = 0
    while done < bytes.count {
        let count = bytes[done...].withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else { return }
        done += count
    }
}

/// A line an event: `time level message key=value …`, or a JSON object.
struct LineLogHandler: LogHandler {
    enum Format: String { case text, json }

    let format: Format
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(format: Format, logLevel: Logger.Level) {
        self.format = format
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let pairs = metadata.merging(event.metadata ?? [:]) { $1 }.map { ($0.key, "\($0.value)") }.sorted {
            $0.0 < $1.0
        }
        let time = Date().ISO8601Format(.iso8601(timeZone: .gmt, includingFractionalSeconds: true)) + "Z"
        var line: String
        switch format {
        case .text:
            line = "\(time) \(event.level) \(Self.plain(event.message.description))"
            for (key, value) in pairs { line += " \(key)=\(Self.plain(value, quoted: true))" }
        case .json:
            var object = Dictionary(pairs) { $1 }
            object["time"] = time
            object["level"] = event.level.rawValue
            object["message"] = event.message.description
            line = Self.json(object)
        }
        _ = logOutput.enqueue { [line] in writeToStandardError(line) }
    }

    /// Text from outside cannot begin a line of its own or pass for another value.
    private static func plain(_ text: String, quoted: Bool = false) -> String {
        let needsQuotes = quoted && (text.isEmpty || text.contains { $0 == " " || $0 == "=" || $0 == "\"" })
        let hasControls = text.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x7f }
        return needsQuotes || hasControls ? text.debugDescription : text
    }

    private static func json(_ object: [String: String]) -> String {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            return String(decoding: try encoder.encode(object), as: UTF8.self)
        } catch {
            return #"{"level":"error","message":"an event could not be written as JSON"}"#
        }
    }
}
