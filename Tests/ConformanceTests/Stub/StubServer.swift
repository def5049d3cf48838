import Foundation
import Synchronization

/// A request as the stub reads it.
struct StubRequest: Sendable {
    var method = ""
    var target = ""
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// The body ended before it was whole.
    var wasCut = false

    var path: String { String(target.prefix { $0 != "?" }) }

    /// Another path with the same query.
    mutating func setPath(_ path: String) { target = path + target.drop { $0 != "?" } }

    /// The host that was asked, without its port.
    var host: String? { header("Host").map { String($0.prefix { $0 != ":" }) } }

    /// The port that was asked.
    var port: String { header("Host").map { String($0.drop { $0 != ":" }.dropFirst()) } ?? "80" }

    func header(_ name: String) -> String? {
        headers.first { isAlike($0.name, name) }?.value
    }

    func headers(_ name: String) -> [String] {
        headers.filter { isAlike($0.name, name) }.map(\.value)
    }

    /// Values of a query parameter, percent-decoded.
    func query(_ name: String) -> [String] {
        guard let mark = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: mark)...].split(separator: "&").compactMap { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts[0] == name else { return nil }
            return parts.count > 1 ? String(parts[1]).removingPercentEncoding ?? "" : ""
        }
    }
}

/// An answer as the stub sends it.
struct StubResponse: Sendable {
    var status: Int
    var headers: [(String, String)] = []
    var body: [UInt8] = []
    /// A length to announce that is not the body's.
    var announced: Int?
    /// No length is told at all.
    var lengthless = false
    /// Send a body to HEAD as well.
    var bodyOnHead = false
    /// Nothing at all is answered, the connection stays.
    var silent = false
    /// The connection is closed without an answer.
    var dropped = false

    init(_ status: Int, _ headers: [(String, String)] = [], _ body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }

    subscript(_ name: String) -> String? {
        headers.first { isAlike($0.0, name) }?.1
    }

    mutating func set(_ name: String, _ value: String?) {
        headers.removeAll { isAlike($0.0, name) }
        if let value { headers.append((name, value)) }
    }
}

/// Whether two names of headers are the same but for their case.
private func isAlike(_ one: String, _ other: String) -> Bool {
    guard one.utf8.count == other.utf8.count else { return false }
    return zip(one.utf8, other.utf8).allSatisfy { $0 == $1 || $0 ^ $1 == 0x20 && (65...90).contains($0 & ~0x20) }
}

/// A small HTTP server on plain sockets: a thread a connection. It knows nothing of the runner's code.
final class StubServer: Sendable {
    let port: Int
    private let listener: Int32
    private let faults: FaultSet
    private let habits: WireHabits
    private let refusing: @Sendable (Int) -> StubResponse
    private let handle: @Sendable (StubRequest) -> StubResponse

    /// `refusing` is what a request that cannot be read is answered with.
    init(
        faults: FaultSet, habits: WireHabits = [],
        refusing: @escaping @Sendable (Int) -> StubResponse = { StubResponse($0) },
        _ handle: @escaping @Sendable (StubRequest) -> StubResponse
    ) throws {
        self.refusing = refusing
        self.faults = faults
        self.habits = habits
        self.handle = handle
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = listener
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, length) == 0 && listen(socket, 128) == 0
                    && getsockname(socket, pointer, &length) == 0
            }
        }
        guard bound else { throw StubFailure("no port") }
        port = Int(UInt16(bigEndian: address.sin_port))
        let thread = Thread { [self] in accepting() }
        thread.start()
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
    }

    private func accepting() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                // Here and not in `stop`: its number may belong to another by the time of the next accept.
                close(listener)
                return
            }
            var on: Int32 = 1
            setsockopt(connection, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
            let thread = Thread { [self] in serve(StubConnection(connection, habits)) }
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    private func serve(_ connection: StubConnection) {
        defer { connection.end() }
        while let outcome = connection.request(faults) {
            switch outcome {
            case .failure(let refusal):
                connection.send(refusing(refusal.status), head: false, close: true)
                return
            case .success(let request):
                // A busy registry deals with a cut long after the next request could have come.
                if request.wasCut { Thread.sleep(forTimeInterval: 0.4) }
                let response = handle(request)
                if response.silent { return connection.waitForEnd() }
                if response.dropped || request.wasCut { return }
                let asked = request.header("Connection")?.lowercased() == "close"
                let closes = asked || faults.has(.closesEach) || habits.contains(.oldVersion)
                connection.send(response, head: request.method == "HEAD", close: closes)
                if closes || response.announced != nil || response.bodyOnHead { return }
            }
        }
    }
}

struct StubFailure: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }
}

/// A malformed request, and the status that answers it.
struct StubRefusal: Error {
    let status: Int
}
