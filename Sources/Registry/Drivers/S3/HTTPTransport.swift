import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1
import NIOSSL
import Runtime
import Synchronization

/// What a server has answered, with a body that was bounded.
struct HTTPAnswer: Sendable {
    let status: Int
    let headers: HTTPHeaders
    let body: [UInt8]
}

/// Requests over HTTP/1.1, on connections that are kept: each with a deadline, none followed elsewhere. Throws
/// `.unavailable` for what did not come to an answer.
final class HTTPTransport: Sendable {
    /// Connections to one host at a time; what comes later waits.
    private static let connections = 128

    private let client: HTTPClient
    private let isOpen = Atomic(true)

    /// `authorities`: PEM file with those that servers' certificates are checked by, instead of the system's. Throws
    /// `.unavailable` when it cannot be read.
    init(authorities: String = "") throws(StoreError) {
        var settings = HTTPClient.Configuration()
        settings.httpVersion = .http1Only
        settings.redirectConfiguration = .disallow
        settings.timeout = .init(connect: .seconds(5), read: .seconds(30), write: .seconds(30))
        settings.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = Self.connections
        settings.connectionPool.idleTimeout = .seconds(20)
        if !authorities.isEmpty {
            var tls = TLSConfiguration.makeClientConfiguration()
            do {
                tls.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(authorities))
            } catch {
                throw StoreError(.unavailable, "cannot read the authorities in \(authorities): \(error)")
            }
            settings.tlsConfiguration = tls
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    }

    /// Sends a request and reads its answer, of at most `limit` bytes.
    func send(
        _ request: HTTPClientRequest, within patience: Duration, limit: Int = 1 << 20
    ) async throws(StoreError) -> HTTPAnswer {
        let response = try await begin(request, within: patience)
        do {
            var body: [UInt8] = []
            for try await buffer in response.body {
                guard body.count + buffer.readableBytes <= limit else {
                    throw StoreError(.unavailable, "an answer has over \(limit) bytes")
                }
                body += buffer.readableBytesView
            }
            return HTTPAnswer(status: Int(response.status.code), headers: response.headers, body: body)
        } catch {
            throw Self.storeError(error, request)
        }
    }

    /// Sends a request and reads the head of its answer: the body is for the caller to read, within the same time, or to drop.
    func begin(
        _ request: HTTPClientRequest, within patience: Duration
    ) async throws(StoreError) -> HTTPClientResponse {
        guard isOpen.load(ordering: .relaxed) else { throw StoreError(.overloaded, "the store is closed") }
        do {
            return try await client.execute(
                request, deadline: .now() + .nanoseconds(Int64(patience / .nanoseconds(1))))
        } catch {
            throw Self.storeError(error, request)
        }
    }

    /// Ends all connections; what comes later is refused.
    func close() {
        guard isOpen.exchange(false, ordering: .relaxed) else { return }
        client.shutdown { _ in }
    }

    /// Whether `close` has been called.
    var isClosed: Bool { !isOpen.load(ordering: .relaxed) }

    /// Without the query, which may be a signature.
    static func storeError(_ error: any Error, _ request: HTTPClientRequest) -> StoreError {
        if let error = error as? StoreError { return error }
        return StoreError(.unavailable, "\(request.method) \(request.url.prefix { $0 != "?" }): \(error)")
    }
}
