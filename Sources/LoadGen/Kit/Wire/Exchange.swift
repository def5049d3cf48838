import Crypto
import NIOCore

/// One request, ready to be sent.
package struct Request: Sendable {
    /// The body to send.
    package enum Body: Sendable {
        case none
        case bytes(ByteBuffer)
        /// A part of a seeded blob, made while it is sent.
        case content(BlobContent, Range<Int>, isChunked: Bool)
    }

    /// What becomes of the answer's body; the length is always counted.
    package enum Keeping: Sendable {
        case nothing
        /// Hashed with SHA-256 as it passes.
        case digest
        /// Kept, up to so many bytes; more is a failure.
        case bytes(limit: Int)
    }

    /// The row of the report that it counts in.
    package let operation: Operation
    /// Where it goes, and nowhere else.
    package let endpoint: Endpoint
    /// The head's bytes, with the blank line.
    package let head: ByteBuffer
    /// The answer has no body, whatever its fields say.
    package let isHEAD: Bool
    /// It changes nothing: it may be sent twice.
    package let isSafe: Bool
    /// What is sent.
    package let body: Body
    /// What becomes of the answer's body.
    package let keeping: Keeping
    /// The answer's fields are kept.
    package let keepsHeaders: Bool
    /// Statuses that are no failure.
    package let accepts: [Int]
    /// What the answer's body must be, where known; the digest is compared only when `keeping` asks for it.
    package var expectedLength: Int?
    package var expectedDigest: String?
    /// A deadline of its own, where it is shorter than the run's.
    package var limit: Duration?

    /// Encodes the head. `fields` are complete lines without their ends.
    package init(
        _ operation: Operation, _ method: String, _ endpoint: Endpoint, _ path: String, fields: [String] = [],
        body: Body = .none, keeping: Keeping = .nothing, keepsHeaders: Bool = false, closes: Bool = false,
        accepts: [Int] = [200]
    ) {
        var text = "\(method) \(path) HTTP/1.1\r\nHost: \(endpoint.authority)\r\nUser-Agent: \(Program.name)\r\n"
        for field in fields { text += field + "\r\n" }
        switch body {
        case .none: if method == "POST" || method == "PUT" || method == "PATCH" { text += "Content-Length: 0\r\n" }
        case .bytes(let bytes): text += "Content-Length: \(bytes.readableBytes)\r\n"
        case .content(_, let range, let isChunked):
            text += isChunked ? "Transfer-Encoding: chunked\r\n" : "Content-Length: \(range.count)\r\n"
        }
        text += closes ? "Connection: close\r\n\r\n" : "\r\n"
        self.operation = operation
        self.endpoint = endpoint
        self.head = ByteBuffer(string: text)
        isHEAD = method == "HEAD"
        isSafe = isHEAD || method == "GET"
        self.body = body
        self.keeping = keeping
        self.keepsHeaders = keepsHeaders
        self.accepts = accepts
    }
}

/// Why a request or a whole arrival failed. The names are those of reports.
package enum Failure: Hashable, Sendable, Error {
    case refused, unreachable, noLocalPort, noConnection, connectTimeout, tls, timeout, closedEarly, malformed, tooLong
    case status(Int), digestMismatch, wrongLength, loginRefused, loginWanted, loginUnasked, foreignHost, unusable,
        cancelled

    /// A short name that stays: the key in reports.
    package var name: String {
        switch self {
        case .refused: "connection-refused"
        case .unreachable: "unreachable"
        case .noLocalPort: "no-local-port"
        case .noConnection: "no-connection"
        case .connectTimeout: "connect-timeout"
        case .tls: "tls"
        case .timeout: "timeout"
        case .closedEarly: "closed-early"
        case .malformed: "malformed-answer"
        case .tooLong: "answer-too-long"
        case .status(let code): "status-\(code)"
        case .digestMismatch: "digest-mismatch"
        case .wrongLength: "wrong-length"
        case .loginRefused: "login-refused"
        case .loginWanted: "login-wanted"
        case .loginUnasked: "login-unasked"
        case .foreignHost: "redirected-elsewhere"
        case .unusable: "unusable-answer"
        case .cancelled: "cancelled"
        }
    }
}

extension Failure {
    /// The name under which arrivals stand that were never begun.
    package static let notSent = "not-sent"

    /// Names of failures by which the target was not reached, or went away before it answered.
    package static let lost = Set([Failure.refused, .unreachable, .connectTimeout, .closedEarly].map(\.name))

    /// The target was not reached, or went away before it answered.
    var isLost: Bool { Self.lost.contains(name) }

    /// Names of failures that are the generator's own.
    package static let own: Set<String> = [notSent, Failure.noConnection.name, Failure.noLocalPort.name]
}

/// What came of one request.
package struct Answer: Sendable {
    /// Absent when an answer came whole; its status is not judged here.
    package var failure: Failure?
    /// Status and, where kept, fields.
    package var head = ResponseHead()
    /// Bytes of the body.
    package var received = 0
    /// The body, when it was to be kept.
    package var body: [UInt8] = []
    /// `sha256:…` when asked for.
    package var digest: String?
    /// Moments on the monotonic clock, 0 where it did not come to that.
    ///
    /// When it was ready, and began to wait for a connection where none was idle.
    package var readyAt: Nanoseconds = 0
    package var sentAt: Nanoseconds = 0
    package var firstByteAt: Nanoseconds = 0
    package var endedAt: Nanoseconds = 0

    /// The status, 0 without an answer.
    package var status: Int { failure == nil ? head.status : 0 }
}

/// A request on its way, on one event loop.
final class Exchange: ResponseSink {
    let request: Request
    /// The moment that the arrival was meant for which it belongs to: that decides what counts.
    let arrival: Nanoseconds
    /// When it should have been sent.
    let intended: Nanoseconds
    let deadline: Nanoseconds
    // On one loop, and nothing that it is handed to comes back to it: asking at each access would cost a hundredth of a core.
    @exclusivity(unchecked) var answer = Answer()
    /// Why the answer will not do, once it has come.
    private(set) var failure: Failure?
    /// A connection that had gone stale may be replaced once, where sending twice does no harm (RFC 9110 9.2.2).
    var mayRetry: Bool
    private var hash: SHA256?
    /// Who puts it into the figures; nobody for set-up and clean-up.
    private let recordedBy: Worker?
    private let complete: (Exchange) -> Void

    init(
        _ request: Request, arrival: Nanoseconds, intended: Nanoseconds, readyAt: Nanoseconds, deadline: Nanoseconds,
        recordedBy: Worker?, complete: @escaping (Exchange) -> Void
    ) {
        self.request = request
        self.recordedBy = recordedBy
        self.arrival = arrival
        answer.readyAt = readyAt
        self.intended = intended
        self.deadline = deadline
        self.complete = complete
        mayRetry = request.isSafe
        if case .digest = request.keeping { hash = SHA256() }
    }

    func take(head: ResponseHead) {
        answer.head = head
    }

    func take(body: UnsafeRawBufferPointer) {
        answer.received += body.count
        switch request.keeping {
        case .nothing: return
        case .digest: hash?.update(bufferPointer: body)
        case .bytes(let limit):
            guard answer.body.count + body.count <= limit else {
                answer.failure = .tooLong
                return
            }
            answer.body.append(contentsOf: body)
        }
    }

    /// - Parameter moment: when its last byte came, or it was given up.
    func finish(_ failure: Failure? = nil, at moment: Nanoseconds = MonotonicClock.now()) {
        answer.endedAt = moment
        // Those that are too late are looked for now and then only: what came between counts as if it had not.
        if answer.failure == nil { answer.failure = answer.endedAt > deadline ? .timeout : failure }
        if let hash { answer.digest = "sha256:" + Hex.text(hash.finalize()) }
        self.failure = request.judge(answer)
        recordedBy?.recorder.recordRequest(self)
        complete(self)
    }
}
