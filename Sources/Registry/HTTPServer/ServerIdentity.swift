import Glibc
import NIOSSL
import Synchronization

/// Why a certificate and its key cannot be used; for an operator.
package struct IdentityFault: Error, Sendable, CustomStringConvertible {
    package let description: String
}

/// What a server shows to clients of TLS: a chain of certificates and the key of the first, from two PEM files that are
/// read again when they change. Blocks for a moment wherever it looks at them.
package final class ServerIdentity: Sendable {
    /// What came of a look at the files.
    package enum Change: Sendable {
        case none
        /// A new pair, which connections from here on get.
        case taken
        /// A new pair that cannot be used: the old one stays.
        case refused(IdentityFault)
    }

    private struct Pair {
        let context: NIOSSLContext
        let expires: Int
    }

    private struct State {
        var pair: Pair
        /// That of the files which were read last, whatever came of it.
        var read: Sign
        /// What the look before this one has seen.
        var seen: Sign
    }

    /// What changes whenever one of the files does.
    private typealias Sign = String

    private let certificate: String
    private let key: String
    private let state: Mutex<State>

    /// The pair in these files. Throws `IdentityFault` when they cannot be read, or do not belong together.
    package init(certificate: String, key: String) throws(IdentityFault) {
        (self.certificate, self.key) = (certificate, key)
        let sign = Self.sign(certificate, key)
        state = Mutex(State(pair: try Self.read(certificate, key), read: sign, seen: sign))
    }

    /// What connections from here on are made with.
    var context: NIOSSLContext { state.withLock { $0.pair.context } }

    /// When the first certificate ends, in seconds since 1970.
    package var expires: Int { state.withLock { $0.pair.expires } }

    /// Whether all users of the machine may read the key.
    package var isExposed: Bool {
        var status = stat()
        return stat(key, &status) == 0 && status.st_mode & 0o007 != 0
    }

    /// Reads the files again if they have changed: once two looks have seen the same, as they are written one after the
    /// other, or `atOnce`.
    package func refresh(atOnce: Bool) -> Change {
        let sign = Self.sign(certificate, key)
        let isDue = state.withLock { state in
            defer { state.seen = sign }
            return sign != state.read && (atOnce || sign == state.seen)
        }
        guard isDue else { return .none }
        do throws(IdentityFault) {
            let pair = try Self.read(certificate, key)
            state.withLock { ($0.pair, $0.read) = (pair, sign) }
            return .taken
        } catch {
            state.withLock { $0.read = sign }
            return .refused(error)
        }
    }

    private static func sign(_ files: String...) -> Sign {
        files.map { file in
            var status = stat()
            guard stat(file, &status) == 0 else { return "-" }
            let changed = "\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
            return "\(status.st_dev):\(status.st_ino):\(status.st_size):\(changed)"
        }.joined(separator: " ")
    }

    private static func read(_ certificate: String, _ key: String) throws(IdentityFault) -> Pair {
        let chain = try reading(certificate, "PEM certificates") { try NIOSSLCertificate.fromPEMFile(certificate) }
        guard let first = chain.first else {
            throw IdentityFault(description: "there is no certificate in \(certificate)")
        }
        let secret = try reading(key, "a PEM key without a password") {
            try NIOSSLPrivateKey(file: key, format: .pem)
        }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(secret))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        // How long the peer has for its farewell.
        configuration.shutdownTimeout = .seconds(1)
        do {
            return Pair(context: try NIOSSLContext(configuration: configuration), expires: Int(first.notValidAfter))
        } catch {
            throw IdentityFault(description: "\(key) is not the key of the first certificate in \(certificate)")
        }
    }

    private static func reading<T>(_ file: String, _ wanted: String, _ body: () throws -> T) throws(IdentityFault) -> T
    {
        guard access(file, R_OK) == 0 else {
            throw IdentityFault(description: "cannot read \(file): \(String(cString: strerror(errno)))")
        }
        do {
            return try body()
        } catch {
            throw IdentityFault(description: "\(file) does not have \(wanted)")
        }
    }
}
