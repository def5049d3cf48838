import CLibCurl
import Glibc
import Model
import Runtime
import Store

/// Where mail is handed to.
package struct SMTPServer: Sendable {
    /// How the connection is made safe.
    package enum Security: String, Sendable, CaseIterable {
        /// From the first byte on (RFC 8314).
        case tls
        /// By STARTTLS, or nothing is sent (RFC 3207).
        case starttls
        /// Not at all.
        case none
    }

    package var host: String
    package var port: Int
    package var security: Security
    /// Empty for none.
    package var user = ""
    package var password = ""
    /// Who letters are from.
    package var from: EmailAddress
    /// A PEM file with the authorities that the server's certificate has to be of; empty for the system's.
    package var authorities = ""

    /// A server without a login.
    package init(host: String, port: Int, security: Security, from: EmailAddress) {
        self.host = host
        self.port = port
        self.security = security
        self.from = from
    }

    fileprivate var url: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return "\(security == .tls ? "smtps" : "smtp")://\(name):\(port)"
    }
}

/// Hands mail to a server by SMTP (RFC 5321), through libcurl, on threads of its own: a connection a letter, closed behind it.
package final class SMTPTransport: MailTransport {
    /// A connection has so long to be made, and a letter to be taken.
    private static let (connecting, sending) = (15_000, 45_000)

    private let server: SMTPServer
    private let threads = BlockingExecutor(name: "mail", threads: 2, capacity: 64, patience: .seconds(10))
    private let clocks: Clocks
    private let ids: IDSource

    /// libcurl's global state, made once before any handle.
    private static let started: Void = { _ = aerugo_curl_global() }()

    /// A way to one server.
    package init(_ server: SMTPServer, clocks: Clocks = .system, ids: IDSource = IDSource()) {
        self.server = server
        self.clocks = clocks
        self.ids = ids
        Self.started
    }

    deinit { threads.stop() }

    package func send(_ mail: Mail) async throws(StoreError) {
        let message = message(mail)
        try await threads.run { [server] () throws(StoreError) in
            try Self.send(message, to: mail.to, by: server)
        }
    }

    /// Logs in to the server and out again. Throws `.unavailable`, with what is wrong.
    package func check() async throws(StoreError) {
        try await threads.run { [server] () throws(StoreError) in
            guard let curl = curl_easy_init() else { throw StoreError(.overloaded, "no memory for a connection") }
            defer { curl_easy_cleanup(curl) }
            Self.set(curl, server)
            _ = aerugo_curl_set_long(curl, CURLOPT_NOBODY, 1)
            _ = aerugo_curl_set_string(curl, CURLOPT_CUSTOMREQUEST, "NOOP")
            let code = curl_easy_perform(curl)
            guard code != CURLE_OK else { return }
            throw StoreError(
                .unavailable, "\(server.host):\(server.port): \(String(cString: curl_easy_strerror(code)))")
        }
    }

    /// RFC 5322.
    private func message(_ mail: Mail) -> [UInt8] {
        var time = time_t(clocks.wall().milliseconds / 1000)
        var parts = tm()
        gmtime_r(&time, &parts)
        var date = [CChar](repeating: 0, count: 64)
        let length = strftime(&date, date.count, "%a, %d %b %Y %H:%M:%S +0000", &parts)
        let stamp = String(decoding: date.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let domain = server.from.description.split(separator: "@").last ?? "localhost"
        let head = [
            "Date: \(stamp)", "From: <\(server.from)>", "To: <\(mail.to)>", "Subject: \(mail.subject)",
            "Message-ID: <\(ids.token())@\(domain)>", "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: 8bit", "Auto-Submitted: auto-generated",
        ]
        let lines = head + [""] + mail.text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    private static func send(
        _ message: [UInt8], to address: EmailAddress, by server: SMTPServer
    ) throws(StoreError) {
        guard let curl = curl_easy_init() else { throw StoreError(.overloaded, "no memory for a connection") }
        defer { curl_easy_cleanup(curl) }
        let reader = Reader(message)
        let recipients = curl_slist_append(nil, "<\(address)>")
        defer { curl_slist_free_all(recipients) }
        set(curl, server)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_MAIL_RCPT, recipients)
        _ = aerugo_curl_set_long(curl, CURLOPT_UPLOAD, 1)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_READDATA, Unmanaged.passUnretained(reader).toOpaque())
        _ = aerugo_curl_set_bytes(curl, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            return Unmanaged<Reader>.fromOpaque(context).takeUnretainedValue().read(into: bytes, size * count)
        }
        let code = withExtendedLifetime(reader) { curl_easy_perform(curl) }
        guard code != CURLE_OK else { return }
        var status = 0
        _ = aerugo_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        let cause = "\(server.host):\(server.port): \(String(cString: curl_easy_strerror(code))), last reply \(status)"
        // What the server says of the letter itself; of the login or the connection it may think otherwise tomorrow.
        let isOfLetter = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_WEIRD_SERVER_REPLY
        throw StoreError(isOfLetter && (550...559).contains(status) ? .refused : .unavailable, cause)
    }

    private static func set(_ curl: UnsafeMutableRawPointer, _ server: SMTPServer) {
        for (option, value) in [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_CONNECTTIMEOUT_MS, connecting), (CURLOPT_TIMEOUT_MS, sending),
            (CURLOPT_USE_SSL, Int(server.security == .none ? CURLUSESSL_NONE.rawValue : CURLUSESSL_ALL.rawValue)),
            (CURLOPT_FORBID_REUSE, 1),
        ] { _ = aerugo_curl_set_long(curl, option, value) }
        _ = aerugo_curl_set_string(curl, CURLOPT_URL, server.url)
        _ = aerugo_curl_set_string(curl, CURLOPT_PROXY, "")
        _ = aerugo_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps")
        _ = aerugo_curl_set_string(curl, CURLOPT_MAIL_FROM, "<\(server.from)>")
        if !server.user.isEmpty {
            _ = aerugo_curl_set_string(curl, CURLOPT_USERNAME, server.user)
            _ = aerugo_curl_set_string(curl, CURLOPT_PASSWORD, server.password)
        }
        if !server.authorities.isEmpty { _ = aerugo_curl_set_string(curl, CURLOPT_CAINFO, server.authorities) }
    }

    /// What of a message libcurl has not taken yet. Used by the thread that sends it alone.
    private final class Reader {
        private let bytes: [UInt8]
        private var at = 0

        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func read(into target: UnsafeMutablePointer<CChar>, _ room: Int) -> Int {
            let count = min(room, bytes.count - at)
            guard count > 0 else { return 0 }
            bytes.withUnsafeBytes { source in
                guard let base = source.baseAddress else { return }
                UnsafeMutableRawPointer(target).copyMemory(from: base + at, byteCount: count)
            }
            at += count
            return count
        }
    }
}
