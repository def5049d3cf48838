import AsyncHTTPClient
import Model
import NIOCore
import NIOHTTP1
import Runtime

/// Signed requests to one bucket. What may pass (connections that are cut, 5xx, SlowDown) is tried again, later each time and
/// by chance, until the request's time is up. Throws `StoreError`: `.missing` for 404, `.conflict` for 412, `.full` where the
/// store has no room, `.unavailable` for all else.
package final class S3Client: Sendable {
    private static let attempts = 8
    /// Of one attempt: a store that has begun to answer may take as long as the transport waits for a byte.
    private static let patience = Duration.seconds(60)
    private static let longestPause = Duration.seconds(5)

    let settings: S3Settings
    let transport: HTTPTransport
    let keeper: CredentialKeeper
    private let clocks: Clocks
    private let signer: RequestSigner
    private let chance: @Sendable (ClosedRange<Double>) -> Double

    /// `chance` draws a number of a range.
    init(
        _ settings: S3Settings, _ transport: HTTPTransport, _ keeper: CredentialKeeper, clocks: Clocks = .system,
        chance: @escaping @Sendable (ClosedRange<Double>) -> Double = { Double.random(in: $0) }
    ) {
        self.settings = settings
        self.transport = transport
        self.keeper = keeper
        self.clocks = clocks
        self.chance = chance
        signer = RequestSigner(region: settings.region)
    }

    /// A client of its own, to be closed.
    package static func of(
        _ settings: S3Settings, _ credentials: S3CredentialSettings, clocks: Clocks = .system
    ) throws(StoreError) -> S3Client {
        let transport = try HTTPTransport(authorities: settings.authorities)
        let sources = try credentials.sources(region: settings.region, transport)
        return S3Client(settings, transport, CredentialKeeper(sources, clocks: clocks), clocks: clocks)
    }

    /// Ends all connections.
    package func close() { transport.close() }

    /// The answer, with its whole body of at most `limit` bytes.
    func send(_ request: S3Request, limit: Int = 8 << 20) async throws(StoreError) -> HTTPAnswer {
        try await trying(request) { [transport] (signed, patience) throws(StoreError) in
            let answer = try await transport.send(signed, within: patience, limit: limit)
            return (answer, answer)
        }
    }

    /// The answer's head; its body, if the status is 200 or 206, is for the caller to read within `reading`.
    func stream(_ request: S3Request, reading: Duration) async throws(StoreError) -> HTTPClientResponse {
        try await trying(request) { [transport] (signed, patience) throws(StoreError) in
            let response = try await transport.begin(signed, within: reading)
            let status = Int(response.status.code)
            guard status >= 300 else {
                return (response, HTTPAnswer(status: status, headers: response.headers, body: []))
            }
            do {
                let body = try await response.body.collect(upTo: 64 << 10)
                let answer = HTTPAnswer(status: status, headers: response.headers, body: Array(body.readableBytesView))
                return (response, answer)
            } catch {
                throw HTTPTransport.storeError(error, signed)
            }
        }
    }

    /// A URL by which a client can read an object for a while, and the store's own name for that while has to be known.
    package func link(to name: String) async throws(StoreError) -> String {
        try await timedLink(to: name).url
    }

    /// The same, and how long it holds.
    func timedLink(to name: String) async throws(StoreError) -> (url: String, life: Duration) {
        let credentials = try await keeper.current()
        let now = clocks.wall()
        let left = credentials.expiry.map { min($0 - now, settings.linkLife) } ?? settings.linkLife
        let endpoint = settings.publicEndpoint ?? settings.endpoint
        let (host, path) = settings.place(of: name, at: endpoint)
        let query = signer.presignedQuery(
            "GET", host: host, path: path, lasting: max(1, left.components.seconds), at: now, by: credentials)
        return ("\(endpoint.scheme)://\(host)\(path)?\(query)", left)
    }

    // MARK: - Attempts

    private func trying<T>(
        _ request: S3Request,
        _ send: (HTTPClientRequest, Duration) async throws(StoreError) -> (T, HTTPAnswer)
    ) async throws(StoreError) -> T {
        let end = clocks.uptime() + min(request.patience, settings.patience)
        var (attempt, hasDistrusted) = (0, false)
        while true {
            attempt += 1
            let credentials = try await keeper.current()
            let left = max(.milliseconds(1), end - clocks.uptime())
            let passing: StoreError
            switch await outcome({ () throws(StoreError) in
                try await send(signed(request, credentials), min(left, Self.patience))
            }) {
            case .success((let value, let answer)):
                guard let fault = S3Fault(answer, request) else { return value }
                let isRenewed = fault.isOfCredentials && !hasDistrusted && keeper.distrust(credentials)
                hasDistrusted = hasDistrusted || isRenewed
                passing = fault.storeError
                guard fault.mayPass || isRenewed else { throw passing }
            case .failure(let error):
                guard error.code == .unavailable else { throw error }
                passing = error
            }
            let pause = pause(behind: attempt)
            guard attempt < Self.attempts, clocks.uptime() + pause < end, !Task.isCancelled else { throw passing }
            do { try await Task.sleep(for: pause) } catch { throw StoreError(.overloaded, "nobody waits for S3") }
        }
    }

    private func outcome<T>(_ body: () async throws(StoreError) -> T) async -> Result<T, StoreError> {
        do throws(StoreError) {
            return .success(try await body())
        } catch {
            return .failure(error)
        }
    }

    /// Twice as long each time, of which any part: who was refused at once does not come back at once.
    private func pause(behind attempt: Int) -> Duration {
        let most = min(Self.longestPause, .milliseconds(100 << min(attempt, 8)))
        return most * chance(0.1...1)
    }

    private func signed(_ request: S3Request, _ credentials: S3Credentials) -> HTTPClientRequest {
        let (host, path) = settings.place(of: request.name, at: settings.endpoint)
        let now = clocks.wall()
        let bodyHash = request.body.map { Hex.encode($0.sha256) } ?? RequestSigner.empty
        var headers = request.headers
        headers.append((name: "host", value: host))
        headers.append((name: "x-amz-date", value: RequestSigner.date(now)))
        headers.append((name: "x-amz-content-sha256", value: bodyHash))
        if let token = credentials.sessionToken { headers.append((name: "x-amz-security-token", value: token)) }
        let authorization = signer.authorization(
            request.method.rawValue, path, request.query, headers: headers, bodyHash: bodyHash, at: now,
            by: credentials)
        let query = request.query.isEmpty ? "" : "?\(PercentEncoding.query(request.query))"
        var signed = HTTPClientRequest(url: "\(settings.endpoint.scheme)://\(host)\(path)\(query)")
        signed.method = request.method
        for header in headers { signed.headers.add(name: header.name, value: header.value) }
        signed.headers.add(name: "authorization", value: authorization)
        if let body = request.body {
            signed.body = .stream(ByteSlices(body.buffer), length: .known(Int64(body.buffer.readableBytes)))
        } else if request.method == .PUT || request.method == .POST {
            signed.body = .bytes(ByteBuffer())
        }
        return signed
    }
}
