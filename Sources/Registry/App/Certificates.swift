import Foundation
import HTTPServer
import Logging
import ServiceLifecycle

extension ServerIdentity {
    /// That of the settings, nil where there is none. Throws `ConfigurationError`.
    static func of(_ settings: Settings) throws -> ServerIdentity? {
        let (certificate, key) = (settings.string("tls.certificate"), settings.string("tls.key"))
        guard !certificate.isEmpty || !key.isEmpty else { return nil }
        guard !certificate.isEmpty, !key.isEmpty else {
            throw settings.wrong(
                certificate.isEmpty ? "tls.certificate" : "tls.key",
                "the path of a PEM file where the other of tls.certificate and tls.key is")
        }
        do throws(IdentityFault) {
            return try ServerIdentity(certificate: certificate, key: key)
        } catch {
            throw ConfigurationError(description: "tls.certificate and tls.key cannot be used: \(error)")
        }
    }

    /// Tells how long the certificate holds, and who may read its key.
    func report(to log: Logger) {
        let end = Date(timeIntervalSince1970: Double(expires))
        let isOver = end <= Date()
        log.log(
            level: isOver ? .warning : .notice, isOver ? "the TLS certificate has expired" : "TLS certificate taken",
            metadata: ["expires": "\(end.ISO8601Format())"])
        guard isExposed else { return }
        log.warning("everybody on this machine can read the TLS key: chmod o-rwx it")
    }

    /// Takes a new pair if there is one, and tells of it.
    func refresh(atOnce: Bool, _ log: Logger) {
        switch refresh(atOnce: atOnce) {
        case .none: break
        case .taken: report(to: log)
        case .refused(let fault):
            log.error("the new TLS certificate is not taken, the old one stays", metadata: ["cause": "\(fault)"])
        }
    }
}

/// Looks for a new certificate every two seconds.
struct CertificateService: ServiceLifecycle.Service {
    let identity: ServerIdentity?
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(2)) } catch { return }
                identity?.refresh(atOnce: false, log)
            }
        }
    }
}

/// What has to be so for passwords to cross the network.
struct Exposure {
    let listen: ListenAddress
    let isOpen: Bool
    let isPlainMeant: Bool
    let hasTLS: Bool
    let hasProxies: Bool

    /// Throws `ConfigurationError` where passwords would go in the clear and nobody has said that they may.
    func check() throws {
        guard isInTheClear, !isPlainMeant, !hasProxies else { return }
        throw ConfigurationError(
            description: "on \(listen.host) passwords would cross the network in the clear: give --tls-certificate and "
                + "--tls-key, name the proxy that does TLS in http.trusted-proxies, or add --plain-http if that is meant"
        )
    }

    /// Says once that they go in the clear.
    func warn(_ log: Logger) {
        guard isInTheClear else { return }
        log.warning(
            hasProxies
                ? "no TLS here: what does not come through a trusted proxy crosses the network in the clear"
                : "no TLS: passwords and tokens cross the network in the clear")
    }

    private var isInTheClear: Bool { !hasTLS && !listen.isLoopback && !isOpen }
}
