import Logging
import Model
import Runtime

/// The logger of these settings, which writes to `logFile`. Throws `ConfigurationError`.
func makeLogger(_ settings: Settings) throws -> Logger {
    guard let level = Logger.Level(rawValue: settings.string("log.level")) else {
        throw settings.wrong("log.level", Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))
    }
    guard let format = LineLogHandler.Format(rawValue: settings.string("log.format")) else {
        throw settings.wrong("log.format", "text or json")
    }
    return Logger(label: "aerugo") { _ in LineLogHandler(format: format, logLevel: level) }
}

/// The thread that writes to `logFile`, so that a reader who stalls stalls nothing else; past 10,000 lines that
/// wait, lines are lost.
let logOutput = BlockingExecutor(name: "log", threads: 1, capacity: 10_000)

/// Waits until what was logged so far is written, a second at most: there may be nobody who reads it.
func flushLog(_ access: AccessOutput?) async {
    await access?.flush()
    await flushed(logOutput)
}

/// Returns when this thread has done what it was given so far, or after a second.
func flushed(_ thread: BlockingExecutor) async {
    let (written, waiter) = AsyncStream<Void>.makeStream()
    _ = thread.enqueue { waiter.finish() }
    let limit = Task {
        try await Task.sleep(for: .seconds(1))
        waiter.finish()
    }
    for await _ in written {}
    limit.cancel()
}

/// Opens the log's file again, behind what was logged so far: who moved it wants a new one.
func reopenLog(_ log: Logger) {
    _ = logOutput.enqueue {
        if !logFile.reopen() { log.error("the log's file cannot be opened again, so that the old one goes on") }
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
        let own = event.metadata ?? [:]
        let pairs = (metadata.isEmpty ? own : metadata.merging(own) { $1 }).map { ($0.key, "\($0.value)") }.sorted {
            $0.0 < $1.0
        }
        let time = Clocks.system.wall().rfc3339
        var line = LogLine()
        switch format {
        case .text:
            line.plain("\(time) \(event.level) ")
            line.text(event.message.description)
            for (key, value) in pairs {
                line.plain(" \(key)=")
                line.value(value)
            }
        case .json:
            line.object(
                [
                    ("time", time), ("level", event.level.rawValue), ("message", event.message.description),
                ] + pairs)
        }
        let bytes = line.finished()
        _ = logOutput.enqueue { logFile.write(bytes) }
    }
}
