import HTTP
import Model
import Service
import Synchronization

/// The application itself, where no server runs.
struct InProcessTransport: APITransport {
    let application: Application

    func send(_ call: APICall) async throws(ConfigurationError) -> APIAnswer {
        var head = RequestHead()
        head.method = call.method
        head.target = call.target
        head.length = Int64(call.body.count)
        let request = Request(head, peer: "local", id: "command", body: WholeBody(call.body))
        let response: Response
        switch application.answer(to: request) {
        case .ready(let ready): response = ready
        case .pending(let work): response = await work()
        }
        switch response.body {
        case .bytes(let bytes): return APIAnswer(status: response.status, body: bytes)
        case .empty, .absent, .content, .stream, .parts: return APIAnswer(status: response.status, body: [])
        }
    }
}

/// A request's body that is there.
private final class WholeBody: RequestBody {
    private let bytes: [UInt8]
    private let isTaken = Mutex(false)

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var length: Int64? { Int64(bytes.count) }

    func next() async -> [any ByteChunk]? {
        let wasTaken = isTaken.withLock { isTaken in
            defer { isTaken = true }
            return isTaken
        }
        return wasTaken || bytes.isEmpty ? nil : [bytes]
    }

    func require(within patience: Duration) {}
    func expire() {}
}
