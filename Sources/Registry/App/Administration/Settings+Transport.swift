import Foundation
import HTTP
import HTTPServer
import Logging
import Model
import PostgresDriver
import Runtime

extension Server {
    /// Listens to the commands of who runs the machine. Without that it serves all the same, and says so.
    func serveCommands(_ application: Application, of data: String, _ log: Logger) async {
        let path = Settings.socket(of: data)
        do throws(LocalDoorFault) {
            try await listen(at: path, application)
        } catch {
            log.warning(
                "commands such as `aerugo user` work only while no server runs, as the socket cannot be had",
                metadata: ["socket": "\(path)", "cause": "\(error)"])
        }
    }
}

extension Settings {
    /// Where the socket of a server on a data directory is.
    static func socket(of data: String) -> String { "\(data)/admin.sock" }

    /// Runs `body` with a way to the API: the socket of a server that runs, or this process. Throws `ConfigurationError`.
    func withTransport(_ body: (any APITransport) async throws -> Void) async throws {
        let data = string("data")
        let socket = SocketTransport(path: Self.socket(of: data))
        if socket.isOpen { return try await body(socket) }
        // A name that was misspelled must not become a new registry.
        let mark = try PostgresSettings.of(self) == nil ? "aerugo.db" : "lock"
        guard FileManager.default.fileExists(atPath: "\(data)/\(mark)") else {
            throw ConfigurationError(
                description: "there is no registry in '\(data)': --data says where it is, `aerugo serve` makes one, "
                    + "and `aerugo login URL` is for one elsewhere")
        }
        do {
            let composition = try await Composition(try Plan(self))
            try await body(InProcessTransport(application: composition.localApplication))
            await composition.accounts.audit.flush()
            withExtendedLifetime(composition) {}
        } catch let error as StoreError where error.code == .conflict {
            throw ConfigurationError(
                description: "a server has '\(data)', but does not answer at \(socket.path): is it an open one?",
                exitCode: 1)
        } catch let error as StoreError {
            throw ConfigurationError(description: "cannot use data directory '\(data)': \(error.cause)", exitCode: 1)
        } catch let error as RegistryError {
            throw ConfigurationError(description: "cannot use data directory '\(data)': \(error.message)", exitCode: 1)
        }
    }
}
