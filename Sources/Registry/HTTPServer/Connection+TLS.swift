import NIOCore
import NIOSSL
import NIOTLS

extension Connection {
    /// Bytes of a stored blob that are in memory for one connection of TLS: as many again, and a little, encrypted.
    static var piece: Int { 64 << 10 }

    /// How far a connection is with TLS.
    enum Security {
        /// There is none.
        case plain
        /// The handshake is not over: nothing that is sent would arrive.
        case shaking
        case secure
    }

    /// Takes notice of the end of the handshake; whether the event was that.
    func noteHandshake(_ event: Any) -> Bool {
        guard case TLSUserEvent.handshakeCompleted? = event as? TLSUserEvent else { return false }
        security = .secure
        return true
    }

    /// Whether an error says no more than that the peer has left without a farewell: the end of its input, which comes too,
    /// tells the same, and what it asked for may still be read.
    func isFarewellMissing(_ error: any Error) -> Bool {
        guard let error = error as? NIOSSLError else { return false }
        return error == .uncleanShutdown
    }

    /// Closes the socket, past TLS, which would wait for the peer's farewell.
    func closeSocket() {
        guard let context else { return }
        guard security != .plain else { return context.close(promise: nil) }
        do {
            try context.pipeline.syncOperations.context(handlerType: NIOSSLServerHandler.self).close(promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }
}
