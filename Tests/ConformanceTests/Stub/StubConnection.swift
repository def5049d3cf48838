import Foundation

/// One connection of the stub: reads requests strictly by RFC 9112, unless a fault says otherwise.
final class StubConnection {
    private let descriptor: Int32
    private let habits: WireHabits
    private var buffer: [UInt8] = []
    private var start = 0
    /// What a piece is read into.
    private var piece = [UInt8](repeating: 0, count: StubConnection.most)
    private static let most = 65_536

    init(_ descriptor: Int32, _ habits: WireHabits) {
        self.descriptor = descriptor
        self.habits = habits
    }

    func end() { close(descriptor) }

    func waitForEnd() {
        while fill() {}
    }

    private func fill() -> Bool {
        let count = recv(descriptor, &piece, Self.most, 0)
        guard count > 0 else { return false }
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: piece[0..<count])
        return true
    }

    private func write(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }

    /// A line without its end; nil when the connection ended or a line passes 64 KiB (`tooLong`).
    private func line(_ tooLong: inout Bool) -> String? {
        while true {
            if let end = buffer[start...].firstIndex(of: 10) {
                var text = buffer[start..<end]
                if text.last == 13 { text = text.dropLast() }
                start = end + 1
                return String(decoding: text, as: UTF8.self)
            }
            if buffer.count - start > 65_536 {
                tooLong = true
                return nil
            }
            guard fill() else { return nil }
        }
    }

    /// The next request, a refusal, or nil when the connection ended.
    func request(_ faults: FaultSet) -> Result<StubRequest, StubRefusal>? {
        var tooLong = false
        guard let first = line(&tooLong) else { return tooLong ? refusal(faults, 414) : nil }
        let words = first.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 3, words[2].hasPrefix("HTTP/") else {
            return faults.has(.garbageIs500) ? refusal(500) : refusal(400)
        }
        if !["HTTP/1.1", "HTTP/1.0"].contains(words[2]), !faults.has(.anyVersion) { return refusal(505) }
        var request = StubRequest()
        (request.method, request.target) = (words[0], words[1])
        var size = 0
        while true {
            guard let text = line(&tooLong) else { return tooLong ? refusal(faults, 431) : nil }
            if text.isEmpty { break }
            size += text.utf8.count
            if size > 65_536 { return refusal(faults, 431) }
            guard let colon = text.firstIndex(of: ":") else { return refusal(400) }
            let name = String(text[..<colon])
            if name.hasSuffix(" "), !faults.has(.blankBeforeColonTaken) { return refusal(400) }
            request.headers.append(
                (
                    name.trimmingCharacters(in: .whitespaces),
                    text[text.index(after: colon)...].trimmingCharacters(in: .whitespaces)
                ))
        }
        if request.headers("Host").count != 1, !faults.has(.hostNotNeeded) { return refusal(400) }
        return body(of: request, faults)
    }

    private func refusal(_ status: Int) -> Result<StubRequest, StubRefusal> { .failure(StubRefusal(status: status)) }

    private func refusal(_ faults: FaultSet, _ status: Int) -> Result<StubRequest, StubRefusal> {
        refusal(faults.has(.floodIs500) ? 500 : status)
    }

    private func body(of request: StubRequest, _ faults: FaultSet) -> Result<StubRequest, StubRefusal>? {
        var request = request
        let lengths = request.headers("Content-Length")
        let coding = request.header("Transfer-Encoding")?.lowercased()
        if request.header("Expect")?.lowercased() == "100-continue" {
            if faults.has(.expectIsIgnoredForever) { return refusal(500) }
            write(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))
        }
        if let coding {
            guard coding == "chunked" else { return faults.has(.anyCoding) ? .success(request) : refusal(501) }
            return chunked(request, faults)
        }
        if Set(lengths).count > 1 { return faults.has(.twoLengthsTaken) ? .success(request) : refusal(400) }
        guard let text = lengths.first else { return .success(request) }
        guard let count = Int(text), count >= 0, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            return faults.has(.oddLengthTaken) ? .success(request) : refusal(400)
        }
        while buffer.count - start < count {
            guard fill() else {
                request.body = Array(buffer[start...])
                request.wasCut = true
                start = buffer.count
                return .success(request)
            }
        }
        request.body = Array(buffer[start..<start + count])
        start += count
        return .success(request)
    }

    private func chunked(_ request: StubRequest, _ faults: FaultSet) -> Result<StubRequest, StubRefusal>? {
        var request = request
        var tooLong = false
        while true {
            guard let text = line(&tooLong) else {
                request.wasCut = true
                return .success(request)
            }
            guard let count = Int(text.prefix { $0 != ";" }, radix: 16), count >= 0 else {
                return refusal(faults.has(.oddChunkIs500) ? 500 : 400)
            }
            while buffer.count - start < count + 2 {
                guard fill() else {
                    request.body += buffer[start..<min(buffer.count, start + count)]
                    request.wasCut = true
                    return .success(request)
                }
            }
            request.body += buffer[start..<start + count]
            start += count + 2
            if count == 0 { return .success(request) }
        }
    }

    func send(_ response: StubResponse, head: Bool, close: Bool) {
        // The habit itself, for no test to wait by: a slow first byte.
        if habits.contains(.late) { Thread.sleep(forTimeInterval: 0.02) }
        if habits.contains(.earlyHints) {
            write(Array("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n".utf8))
        }
        let isChunked =
            habits.contains(.chunked) && !head && response.announced == nil && !response.bodyOnHead
            && !response.lengthless && ![204, 304].contains(response.status)
        var text = "HTTP/\(habits.contains(.oldVersion) ? "1.0" : "1.1") \(response.status) "
        text += habits.contains(.noReason) ? "\r\n" : "X\r\n"
        for (name, value) in response.headers where !isChunked || name.lowercased() != "content-length" {
            text += line(name, value)
        }
        if isChunked {
            text += line("Transfer-Encoding", "chunked")
        } else if response["Content-Length"] == nil, !response.lengthless, ![204, 304].contains(response.status) {
            text += line("Content-Length", "\(response.announced ?? response.body.count)")
        }
        if close { text += line("Connection", "close") }
        let body = head && !response.bodyOnHead ? [] : isChunked ? chunks(response.body) : response.body
        let bytes = Array((text + "\r\n").utf8) + body
        guard habits.contains(.pieces) else { return write(bytes) }
        for start in stride(from: 0, to: min(bytes.count, 300), by: 50) { write(Array(bytes[start...].prefix(50))) }
        if bytes.count > 300 { write(Array(bytes[300...])) }
    }

    private func line(_ name: String, _ value: String) -> String {
        let blank = habits.contains(.blanks) ? " \t " : ""
        if habits.contains(.lowerNames) { return "\(name.lowercased()): \(value)\r\n" }
        if habits.contains(.upperNames) { return "\(name.uppercased()): \(value)\r\n" }
        return "\(name): \(blank)\(value)\(blank)\r\n"
    }

    private func chunks(_ bytes: [UInt8]) -> [UInt8] {
        var chunks: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 30_000) {
            let part = bytes[start..<min(bytes.count, start + 30_000)]
            chunks += Array("\(String(part.count, radix: 16));x=y\r\n".utf8) + part + [13, 10]
        }
        return chunks + Array("0\r\n\r\n".utf8)
    }
}
