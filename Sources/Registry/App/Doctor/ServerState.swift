import FilesDriver
import Foundation
import HTTP
import Runtime

/// Whether a server runs on the data directory.
enum ServerState: Sendable {
    /// It answers its operator.
    case answers(SocketTransport)
    /// It has the directory, and no socket for its operator: one without accounts.
    case silent
    case none
    /// There is no registry yet.
    case absent
    /// That cannot be told.
    case unknown(String)

    /// Looks, without waiting for it.
    static func find(_ plan: Plan) -> ServerState {
        let socket = SocketTransport(path: Settings.socket(of: plan.data))
        if socket.isOpen { return .answers(socket) }
        guard FileManager.default.fileExists(atPath: "\(plan.data)/lock") else { return .absent }
        do throws(StoreError) {
            return try DataDirectory.isServed(plan.data) ? .silent : .none
        } catch {
            return .unknown(error.cause)
        }
    }

    var finding: Finding {
        switch self {
        case .answers: .ok("server", "runs, and is asked for what it has open")
        case .silent: .ok("server", "runs, without accounts")
        case .none: .ok("server", "does not run")
        case .absent: .ok("server", "has never run on this directory")
        case .unknown(let cause):
            .failed("server", "cannot tell whether one runs: \(cause)", "Run this as the user that runs the registry.")
        }
    }
}
