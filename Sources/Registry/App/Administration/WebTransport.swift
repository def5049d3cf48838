import CLibCurl
import Foundation
import HTTP

/// A registry somewhere, by HTTP through libcurl. Blocks, as the program does nothing else; follows no redirect.
struct WebTransport: APITransport {
    /// Without a path.
    let url: String
    /// PEM file of the authorities that its certificate has to be of; nil for the system's.
    var authority: String?
    /// What is sent as `Authorization`.
    var authorization: String?

    /// In milliseconds: for a connection, and for an answer, which may wait for the hash of a password.
    private static let (connecting, answering) = (15_000, 120_000)

    /// libcurl's global state, made once before any handle.
    private static let started: Void = { _ = aerugo_curl_global() }()

    func send(_ call: APICall) async throws(ConfigurationError) -> APIAnswer {
        Self.started
        guard let curl = curl_easy_init() else { throw unreachable("there is no memory for a connection") }
        defer { curl_easy_cleanup(curl) }
        let sink = Sink()
        var fields = ["Accept: application/json, application/problem+json", "Expect:"]
        if let authorization { fields.append("Authorization: \(authorization)") }
        if !call.body.isEmpty { fields.append("Content-Type: application/json") }
        var lines: UnsafeMutablePointer<curl_slist>?
        for field in fields { lines = curl_slist_append(lines, field) }
        defer { curl_slist_free_all(lines) }
        _ = aerugo_curl_set_pointer(curl, CURLOPT_HTTPHEADER, lines)
        set(curl, call)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_WRITEDATA, Unmanaged.passUnretained(sink).toOpaque())
        _ = aerugo_curl_set_bytes(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            return Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue().take(bytes, size * count)
        }
        let code = withExtendedLifetime(sink) { curl_easy_perform(curl) }
        guard code == CURLE_OK else {
            throw unreachable(sink.isFull ? "its answer is too long" : String(cString: curl_easy_strerror(code)))
        }
        var status = 0
        _ = aerugo_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        guard !(300...399).contains(status) else {
            throw unreachable("it sends elsewhere, with \(status): name that URL")
        }
        return APIAnswer(status: status, body: sink.bytes)
    }

    private func set(_ curl: UnsafeMutableRawPointer, _ call: APICall) {
        for (option, value) in [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_CONNECTTIMEOUT_MS, Self.connecting), (CURLOPT_TIMEOUT_MS, Self.answering),
            (CURLOPT_FOLLOWLOCATION, 0),
        ] { _ = aerugo_curl_set_long(curl, option, value) }
        _ = aerugo_curl_set_string(curl, CURLOPT_URL, url + call.target)
        _ = aerugo_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = aerugo_curl_set_string(curl, CURLOPT_CUSTOMREQUEST, call.method.name)
        _ = aerugo_curl_set_string(curl, CURLOPT_USERAGENT, "aerugo/\(Aerugo.version)")
        if let authority { _ = aerugo_curl_set_string(curl, CURLOPT_CAINFO, authority) }
        guard !call.body.isEmpty || call.method == .post || call.method == .put || call.method == .patch else { return }
        // It is copied, and so many bytes of it.
        _ = aerugo_curl_set_offset(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(call.body.count))
        _ = aerugo_curl_set_string(curl, CURLOPT_COPYPOSTFIELDS, String(decoding: call.body, as: UTF8.self))
    }

    private func unreachable(_ what: String) -> ConfigurationError {
        ConfigurationError(description: "\(url) cannot be reached: \(what)", exitCode: 3)
    }

    /// What of an answer has come. Used by the thread that sends alone.
    private final class Sink {
        private static let most = 64 << 20
        private(set) var bytes: [UInt8] = []
        private(set) var isFull = false

        func take(_ new: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
            guard bytes.count + count <= Self.most else {
                isFull = true
                return 0
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(start: new, count: count))
            return count
        }
    }
}

/// A registry that one is logged in to: renews the session of the keyring when it is over.
struct SessionTransport: APITransport {
    let keyring: Keyring
    let url: String

    /// A session is renewed so many seconds before its end.
    private static let margin: Int64 = 10

    func send(_ call: APICall) async throws(ConfigurationError) -> APIAnswer {
        guard var login = try keyring.login(url)?.login else { throw .noLogin(url) }
        if login.expiresAt <= Int64(Date().timeIntervalSince1970) + Self.margin { login = try await renew(login) }
        var answer = try await transport(login).send(call)
        guard answer.status == 401 else { return answer }
        login = try await renew(login)
        answer = try await transport(login).send(call)
        guard answer.status != 401 else { throw .noLogin(url) }
        return answer
    }

    private func transport(_ login: KeptLogin) -> WebTransport {
        WebTransport(url: url, authority: login.authority, authorization: "Bearer \(login.accessToken)")
    }

    private func renew(_ login: KeptLogin) async throws(ConfigurationError) -> KeptLogin {
        let url = url
        return try await keyring.renewed(login, of: url) { (kept) async throws(ConfigurationError) -> KeptLogin in
            let answer = try await WebTransport(url: url, authority: kept.authority).send(
                APICall(.post, ["auth", "refresh"], body: ["refresh_token": kept.refreshToken]))
            guard let next = KeptLogin(answer, authority: kept.authority) else {
                throw answer.status == 401
                    ? .noLogin(url) : ConfigurationError(description: answer.reason, exitCode: 1)
            }
            return next
        }
    }
}

extension KeptLogin {
    /// What an answer to a login or a renewal says; nil where it refuses.
    init?(_ answer: APIAnswer, authority: String?) {
        let members = answer.members
        guard answer.status == 200, let access = members["access_token"] as? String,
            let refresh = members["refresh_token"] as? String,
            let life = (members["expires_in"] as? NSNumber)?.int64Value,
            let user = (members["user"] as? [String: Any])?["name"] as? String
        else { return nil }
        self.init(
            user: user, accessToken: access, refreshToken: refresh,
            expiresAt: Int64(Date().timeIntervalSince1970) + min(max(life, 0), 31_536_000), authority: authority)
    }
}
