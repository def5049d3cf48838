import Access
import Glibc
import HTTP
import HTTPServer
import Logging
import Model
import Runtime

/// What an operator gets to see of a registry that runs, beside its log.
struct WatchPlan {
    /// Where `/metrics` is; nil for nowhere.
    let listen: ListenAddress?
    /// What who reads them has to send; nil for nothing.
    let token: String?
    /// How many namespaces have numbers of their own.
    let namespaces: Int
    /// File of the access log, `-` for standard output; empty for none.
    let accessPath: String
    let accessFormat: AccessLog.Format
    /// Milliseconds that a request may take; 0 for any.
    let slow: Int64

    /// Throws `ConfigurationError`.
    init(_ settings: Settings) throws {
        listen = settings.string("metrics.listen").isEmpty ? nil : try ListenAddress(settings, "metrics.listen")
        token = try settings.secret("metrics.token-file")
        namespaces = try settings.number("metrics.namespaces", in: 0...10_000)
        accessPath = settings.string("log.access")
        accessFormat = settings.string("log.format") == "json" ? .json : .text
        slow = Int64(try settings.number("log.slow", in: 0...86_400_000))
        guard let listen, !listen.isLoopback, token == nil else { return }
        throw settings.wrong(
            "metrics.listen",
            "on a loopback address, or metrics.token-file set: who reads metrics sees the names of namespaces and how much they have"
        )
    }

    /// Has a server write the access log, which is opened here, and tell of what is slow. Throws `ConfigurationError` where the log
    /// cannot be written.
    func prepare(_ server: inout ServerSettings) throws -> AccessOutput? {
        server.slow = slow == 0 ? nil : .milliseconds(slow)
        guard !accessPath.isEmpty else { return nil }
        let access = try AccessOutput(accessPath)
        server.accessLog = AccessLog(accessFormat, access.take)
        return access
    }

    /// Answers who watches, where the plan has a place for that. Throws `ConfigurationError`.
    func watch(_ composition: Composition, _ server: Server, _ identity: ServerIdentity?, _ log: Logger) async throws {
        guard let listen else { return }
        let observatory = Observatory(
            composition.registry, composition.accounts, server, namespaces: namespaces)
        let application = composition.watchingApplication(token) { (format) throws(RegistryError) in
            try await observatory.page(format)
        }
        do {
            let address = try await server.listen(host: listen.host, port: listen.port, application, identity)
            log.notice("metrics are told", metadata: ["address": "\(address)"])
        } catch {
            throw ConfigurationError(
                description: "cannot listen on \(listen.host):\(listen.port) for metrics: \(error)", exitCode: 1)
        }
    }
}

/// The file of the access log, with a thread that writes to it: past two megabytes that wait, lines are lost.
struct AccessOutput: Sendable {
    private let file: LogFile
    private let thread = BlockingExecutor(name: "access log", threads: 1, capacity: 64)

    /// Throws `ConfigurationError` where it cannot be opened.
    init(_ path: String) throws {
        file = LogFile(STDOUT_FILENO)
        guard path == "-" || file.open(path) else {
            throw ConfigurationError(
                description: "cannot write log.access '\(path)': \(String(cString: strerror(errno)))", exitCode: 1)
        }
    }

    /// Writes lines some time; false where it is behind.
    @Sendable func take(_ lines: [UInt8]) -> Bool { thread.enqueue { file.write(lines) } }

    /// Opens the file again, behind what was written so far.
    func reopen(_ log: Logger) {
        _ = thread.enqueue {
            if !file.reopen() { log.error("the access log cannot be opened again, so that the old file goes on") }
        }
    }

    /// Waits until what was logged so far is written, a second at most.
    func flush() async { await flushed(thread) }
}
