import CLibCurl
import Foundation

/// One request as it goes out, everything decided.
package struct Outgoing: Sendable {
    /// How the body is delimited.
    package enum Framing: Sendable, Equatable {
        /// `Content-Length` of the body.
        case length
        /// Chunked transfer coding.
        case chunked
        /// A `Content-Length` that the runner asks for, whatever the body is.
        case declared(Int)
    }

    /// The method.
    package var method: String
    /// The absolute URL, sent as it is.
    package var url: String
    /// Header lines beyond those of the framing.
    package var headers = Headers()
    /// The body; nil when there is none (and no `Content-Length` either, unless the method needs one).
    package var body: Content?
    /// How the body is delimited.
    package var framing: Framing = .length
    /// The whole exchange must end within this.
    package var deadline: Duration = .seconds(30)
    /// Cut the connection after this many body bytes were sent. The other side has five seconds to end it too, so that
    /// the next request comes after it dealt with the cut.
    package var cutUploadAfter: Int?
    /// Cut the connection after this many body bytes came.
    package var cutDownloadAfter: Int?
    /// Wait for `100 Continue` before the body is sent (one second at most).
    package var expectContinue = false
    /// Take off the content coding of the body, which has to be right then.
    package var decodes = false
    /// The node that it is for, from 0, of a registry with several; nil is whose turn it is.
    package var node: Int?
}

/// One answer as it came in.
package struct Incoming: Sendable {
    /// The status code.
    package var status = 0
    /// Header lines of the final answer.
    package var headers = Headers()
    /// The body, whole.
    package var body: [UInt8] = []
    /// Whether an interim `100 Continue` came first.
    package var sawContinue = false
}

/// Why there is no answer.
package struct TransportFailure: Error, Sendable, Equatable {
    /// What kind of failure.
    package enum Kind: Sendable, Equatable {
        /// Nobody listens, or the name is unknown.
        case unreachable
        /// The deadline passed.
        case deadline
        /// The connection ended before the answer did.
        case cut
        /// The answer is no HTTP, or the TLS handshake failed.
        case protocolError
        /// The runner cut it, as it meant to.
        case cutByRunner
    }

    /// What kind of failure.
    package let kind: Kind
    /// libcurl's own words.
    package let detail: String
    /// The status that came before the failure; 0 when none did.
    package var status = 0
}

/// TLS settings of a run.
package struct Trust: Sendable, Equatable {
    /// Take any certificate.
    package var insecure = false
    /// A PEM file of certificate authorities to trust.
    package var authorities: String?

    /// Plain trust in the system's authorities.
    package init() {}
}

/// The state of one libcurl transfer that its callbacks write to. Used by the one thread that runs the transfer.
private final class TransferState {
    /// Our own descriptors of the connections that libcurl opened, where the request is to be cut.
    var sockets: [Int32] = []
    var incoming = Incoming()
    var sent = 0
    let body: [UInt8]
    let cutUploadAfter: Int?
    let cutDownloadAfter: Int?
    var cutByRunner = false

    init(_ outgoing: Outgoing) {
        body = outgoing.body?.bytes ?? []
        cutUploadAfter = outgoing.cutUploadAfter
        cutDownloadAfter = outgoing.cutDownloadAfter
    }

    deinit { sockets.forEach { close($0) } }

    func header(_ bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes, as: UTF8.self).trimmed
        if line.hasPrefix("HTTP/") {
            incoming.headers = Headers()
            if line.split(separator: " ").dropFirst().first == "100" { incoming.sawContinue = true }
        } else if let colon = line.firstIndex(of: ":") {
            incoming.headers.add(String(line[..<colon]), line[line.index(after: colon)...].trimmed)
        }
    }

    func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        incoming.body.append(contentsOf: bytes)
        if let limit = cutDownloadAfter, incoming.body.count >= limit {
            cutByRunner = true
            return 0
        }
        return bytes.count
    }

    func supply(_ room: UnsafeMutableRawBufferPointer) -> Int {
        var end = body.count
        if let limit = cutUploadAfter {
            if sent >= limit {
                cutByRunner = true
                endSending()
                return Int(CURL_READFUNC_ABORT)
            }
            end = min(end, limit)
        }
        let count = min(room.count, end - sent)
        body[sent..<sent + count].withUnsafeBytes { room.copyMemory(from: $0) }
        sent += count
        return count
    }

    /// Says that nothing more will be sent, and waits at most five seconds for the other side to close as well.
    private func endSending() {
        let end = ContinuousClock.now + .seconds(5)
        var scratch = [UInt8](repeating: 0, count: 4_096)
        for socket in sockets where shutdown(socket, Int32(SHUT_WR)) == 0 {
            var poller = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            while ContinuousClock.now < end {
                if poll(&poller, 1, 100) > 0, recv(socket, &scratch, scratch.count, 0) <= 0 { break }
            }
        }
    }
}

/// A libcurl easy handle: one connection at a time, kept open between requests. Not to be shared between threads.
package final class Wire {
    private let handle: OpaquePointerBox
    private let trust: Trust
    private let nodes: Nodes?
    private var turns: NodeTurns
    /// The node that the last request went to, from 0; nil where there are none, or it was for somebody else.
    package private(set) var node: Int?

    /// Makes a handle; `word` says with which of the nodes it begins. Throws when libcurl has no memory for one.
    package init(trust: Trust, nodes: Nodes? = nil, beginning word: String = "") throws(TransportFailure) {
        Wire.started
        guard let handle = curl_easy_init() else {
            throw TransportFailure(kind: .protocolError, detail: "libcurl gave no handle")
        }
        self.handle = OpaquePointerBox(handle)
        self.trust = trust
        self.nodes = nodes
        turns = NodeTurns(nodes, beginning: word)
    }

    /// libcurl's global state, made once before any handle.
    private static let started: Void = { _ = aerugo_curl_global() }()

    /// Sends one request and waits for its answer; follows nothing, retries nothing.
    package func perform(_ outgoing: Outgoing) throws(TransportFailure) -> Incoming {
        let curl = handle.pointer
        curl_easy_reset(curl)
        let state = TransferState(outgoing)
        let context = Unmanaged.passUnretained(state).toOpaque()
        let list = headerList(outgoing)
        defer { curl_slist_free_all(list) }
        prepare(curl, outgoing, context)
        let detour = detour(outgoing)
        defer { curl_slist_free_all(detour) }
        if let detour { _ = aerugo_curl_set_pointer(curl, CURLOPT_CONNECT_TO, detour) }
        _ = aerugo_curl_set_pointer(curl, CURLOPT_HTTPHEADER, list)
        let code = withExtendedLifetime(state) { curl_easy_perform(curl) }
        var status = 0
        _ = aerugo_curl_get_long(curl, CURLINFO_RESPONSE_CODE, &status)
        state.incoming.status = status
        if var failure = Wire.failure(code, state.cutByRunner) {
            failure.status = status
            // An answer that came before the whole body was sent is an answer.
            if status >= 200, code == CURLE_SEND_ERROR { return state.incoming }
            throw failure
        }
        return state.incoming
    }

    private func prepare(_ curl: UnsafeMutableRawPointer, _ outgoing: Outgoing, _ context: UnsafeMutableRawPointer) {
        let milliseconds =
            outgoing.deadline.components.seconds * 1_000
            + outgoing.deadline.components.attoseconds / 1_000_000_000_000_000
        for (option, value) in [
            (CURLOPT_NOSIGNAL, 1), (CURLOPT_PATH_AS_IS, 1), (CURLOPT_TIMEOUT_MS, Int(milliseconds)),
            (CURLOPT_CONNECTTIMEOUT_MS, Int(min(milliseconds, 10_000))),
            (CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1)), (CURLOPT_EXPECT_100_TIMEOUT_MS, 1_000),
            (CURLOPT_SSL_VERIFYPEER, trust.insecure ? 0 : 1), (CURLOPT_SSL_VERIFYHOST, trust.insecure ? 0 : 2),
            (CURLOPT_BUFFERSIZE, 262_144), (CURLOPT_UPLOAD_BUFFERSIZE, 262_144),
        ] {
            _ = aerugo_curl_set_long(curl, option, value)
        }
        _ = aerugo_curl_set_string(curl, CURLOPT_URL, outgoing.url)
        _ = aerugo_curl_set_string(curl, CURLOPT_PROXY, "")
        _ = aerugo_curl_set_string(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        if let authorities = trust.authorities { _ = aerugo_curl_set_string(curl, CURLOPT_CAINFO, authorities) }
        setMethod(curl, outgoing)
        if outgoing.decodes { _ = aerugo_curl_set_string(curl, CURLOPT_ACCEPT_ENCODING, "gzip, deflate") }
        if outgoing.cutUploadAfter != nil { keepSocket(curl, context) }
        _ = aerugo_curl_set_pointer(curl, CURLOPT_HEADERDATA, context)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_WRITEDATA, context)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_READDATA, context)
        _ = aerugo_curl_set_bytes(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            Wire.state(context).header(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        _ = aerugo_curl_set_bytes(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            return Wire.state(context).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        _ = aerugo_curl_set_bytes(curl, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            return Wire.state(context).supply(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
        }
    }

    /// To the node whose turn it is, where the registry has several.
    private func detour(_ outgoing: Outgoing) -> UnsafeMutablePointer<curl_slist>? {
        node = nil
        guard let nodes, nodes.serve(outgoing.url), let turn = outgoing.node ?? turns.take() else { return nil }
        node = turn
        return curl_slist_append(nil, nodes.detour(to: turn))
    }

    /// A request that is to be cut goes over a connection of its own, to which we keep a descriptor.
    private func keepSocket(_ curl: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer) {
        _ = aerugo_curl_set_long(curl, CURLOPT_FRESH_CONNECT, 1)
        _ = aerugo_curl_set_pointer(curl, CURLOPT_SOCKOPTDATA, context)
        _ = aerugo_curl_set_sockopt(curl) { context, socket, _ in
            guard let context else { return CURL_SOCKOPT_ERROR }
            Wire.state(context).sockets.append(dup(socket))
            return CURL_SOCKOPT_OK
        }
    }

    private func setMethod(_ curl: UnsafeMutableRawPointer, _ outgoing: Outgoing) {
        if outgoing.method == "HEAD" {
            _ = aerugo_curl_set_long(curl, CURLOPT_NOBODY, 1)
            return
        }
        if let body = outgoing.body {
            _ = aerugo_curl_set_long(curl, CURLOPT_UPLOAD, 1)
            switch outgoing.framing {
            case .length: _ = aerugo_curl_set_offset(curl, CURLOPT_INFILESIZE_LARGE, curl_off_t(body.count))
            case .declared(let count): _ = aerugo_curl_set_offset(curl, CURLOPT_INFILESIZE_LARGE, curl_off_t(count))
            case .chunked: _ = aerugo_curl_set_offset(curl, CURLOPT_INFILESIZE_LARGE, -1)
            }
        }
        _ = aerugo_curl_set_string(curl, CURLOPT_CUSTOMREQUEST, outgoing.method)
    }

    private func headerList(_ outgoing: Outgoing) -> UnsafeMutablePointer<curl_slist>? {
        var list: UnsafeMutablePointer<curl_slist>?
        func add(_ line: String) { list = curl_slist_append(list, line) }
        for field in outgoing.headers.fields {
            add(field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if outgoing.headers["User-Agent"] == nil { add("User-Agent: aerugo-conformance") }
        if outgoing.headers["Accept"] == nil { add("Accept:") }
        if outgoing.headers["Content-Type"] == nil { add("Content-Type:") }
        add(outgoing.expectContinue ? "Expect: 100-continue" : "Expect:")
        if outgoing.body != nil, outgoing.framing == .chunked { add("Transfer-Encoding: chunked") }
        if outgoing.body == nil, ["POST", "PUT", "PATCH"].contains(outgoing.method) { add("Content-Length: 0") }
        return list
    }

    private static func state(_ context: UnsafeMutableRawPointer) -> TransferState {
        Unmanaged<TransferState>.fromOpaque(context).takeUnretainedValue()
    }

    private static func failure(_ code: CURLcode, _ cutByRunner: Bool) -> TransportFailure? {
        if code == CURLE_OK { return nil }
        let words = String(cString: curl_easy_strerror(code))
        let kind: TransportFailure.Kind
        switch code {
        case _ where cutByRunner: kind = .cutByRunner
        case CURLE_OPERATION_TIMEDOUT: kind = .deadline
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: kind = .unreachable
        case CURLE_GOT_NOTHING, CURLE_RECV_ERROR, CURLE_SEND_ERROR, CURLE_PARTIAL_FILE: kind = .cut
        default: kind = .protocolError
        }
        return TransportFailure(kind: kind, detail: words)
    }
}

/// Owns a libcurl handle and gives it back.
private final class OpaquePointerBox {
    let pointer: UnsafeMutableRawPointer
    init(_ pointer: UnsafeMutableRawPointer) { self.pointer = pointer }
    deinit { curl_easy_cleanup(pointer) }
}
