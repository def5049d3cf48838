import Glibc
import HTTP
import Model

/// Reads a head line by line as its bytes come (RFC 9112). What two readers could understand differently is refused:
/// between a proxy and a registry that disagree, requests are smuggled.
struct HeadReader {
    /// Longest line, in bytes.
    private static let lineLimit = 16 << 10
    /// Longest head, in bytes.
    private static let headLimit = 64 << 10
    private static let fieldLimit = 100

    enum Outcome {
        case incomplete
        /// A head of this many bytes.
        case complete(RequestHead, count: Int)
        case refused(RegistryError)
    }

    private var head = RequestHead()
    private var fields: [Headers.Field] = []
    /// Where the next line begins.
    private var next = 0
    private var hasRequestLine = false
    private var isOld = false
    private var hosts = 0
    private var lengths = 0
    private var codings = 0
    private var problem: RegistryError?

    /// Reads on. `bytes` begin with the head's first byte, whatever was read of them before.
    mutating func read(_ bytes: UnsafeRawBufferPointer) -> Outcome {
        guard let base = bytes.baseAddress else { return .incomplete }
        while problem == nil {
            guard let feed = memchr(base + next, 0x0a, bytes.count - next) else {
                return checkUnfinished(bytes[next...])
            }
            let end = feed - UnsafeMutableRawPointer(mutating: base)
            guard end > next, bytes[end - 1] == 0x0d else {
                return .refused(Self.invalid("a line does not end with CR and LF"))
            }
            let line = next..<end - 1
            next = end + 1
            guard line.count <= Self.lineLimit, next <= Self.headLimit else { return .refused(tooLarge) }
            switch (line.isEmpty, hasRequestLine) {
            // Old clients send an empty line behind a body (RFC 9112 section 2.2).
            case (true, false): continue
            case (false, false): problem = readRequestLine(bytes, line)
            case (false, true): problem = readField(bytes, line)
            case (true, true):
                problem = checkFraming()
                guard problem == nil else { break }
                head.headers = Headers([UInt8](bytes[..<next]), fields)
                return .complete(head, count: next)
            }
        }
        return .refused(problem ?? Self.invalid("it cannot be read"))
    }

    static func invalid(_ why: String) -> RegistryError {
        RegistryError(.badRequest, "this is not a valid HTTP/1.1 request: \(why)")
    }

    private var tooLarge: RegistryError {
        hasRequestLine
            ? RegistryError(.headersTooLarge, "the request's head is too large")
            : RegistryError(.uriTooLong, "the request's target is too long")
    }

    /// A line that has not ended yet: who speaks another protocol need not wait for the deadline.
    private func checkUnfinished(_ line: Slice<UnsafeRawBufferPointer>) -> Outcome {
        if !hasRequestLine, let first = line.first, first != 0x0d, !first.isToken {
            return .refused(Self.invalid("it begins with no method"))
        }
        return line.count > Self.lineLimit || next > Self.headLimit ? .refused(tooLarge) : .incomplete
    }

    /// `method SP target SP HTTP/1.x` (RFC 9112 section 3).
    private mutating func readRequestLine(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> RegistryError? {
        hasRequestLine = true
        fields.reserveCapacity(8)
        let text = UnsafeRawBufferPointer(rebasing: bytes[line])
        guard let first = text.firstIndex(of: 0x20), let last = text.lastIndex(of: 0x20), first < last else {
            return Self.invalid("its first line must be METHOD TARGET HTTP/1.1")
        }
        let method = UnsafeRawBufferPointer(rebasing: text[..<first])
        guard !method.isEmpty, method.allSatisfy(\.isToken) else { return Self.invalid("its method is none") }
        let version = UnsafeRawBufferPointer(rebasing: text[(last + 1)...])
        guard version.count == 8, version.starts(with: "HTTP/1.".utf8), (0x30...0x39).contains(version[7]) else {
            return Self.invalid("only HTTP/1.1 is spoken here")
        }
        isOld = version[7] == 0x30
        let target = UnsafeRawBufferPointer(rebasing: text[first + 1..<last])
        guard target.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            return Self.invalid("its target has a byte that must be percent-encoded")
        }
        head.method = Method(method)
        head.target = String(decoding: target, as: UTF8.self)
        head.keepsAlive = !isOld && head.method != .other("CONNECT")
        guard target.first == 0x2f || head.target == "*" || AbsoluteForm.parts(head.target) != nil else {
            return Self.invalid("its target must begin with /, or be a URL with a host")
        }
        return nil
    }

    /// `name: value` (RFC 9112 section 5).
    private mutating func readField(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) -> RegistryError? {
        var colon = line.lowerBound
        while colon < line.upperBound, bytes[colon].isToken { colon += 1 }
        guard colon > line.lowerBound, colon < line.upperBound, bytes[colon] == 0x3a else {
            return Self.invalid("a header line must be NAME: VALUE")
        }
        guard fields.count < Self.fieldLimit else { return tooLarge }
        var value = colon + 1..<line.upperBound
        guard !UnsafeRawBufferPointer(rebasing: bytes[value]).hasControls else {
            return Self.invalid("a header's value has a control character")
        }
        while let first = bytes[value].first, first == 0x20 || first == 0x09 { value.removeFirst() }
        while let last = bytes[value].last, last == 0x20 || last == 0x09 { value.removeLast() }
        let name = line.lowerBound..<colon
        fields.append(Headers.Field(name: name, value: value))
        return note(
            UnsafeRawBufferPointer(rebasing: bytes[name]), UnsafeRawBufferPointer(rebasing: bytes[value]))
    }

    /// Takes notice of a field that says something about the request's form.
    private mutating func note(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> RegistryError? {
        switch name.count {
        case 4 where name.equals("Host"):
            hosts += 1
            guard value.allSatisfy(\.isHost) else { return Self.invalid("its Host is no host and port") }
        case 6 where name.equals("Expect"):
            head.expectsContinue = !isOld && value.equals("100-continue")
        case 10 where name.equals("Connection"):
            let options = String(decoding: value, as: UTF8.self).lowercased().split(separator: ",")
            if options.contains(where: { $0.trimmed == "close" }) { head.keepsAlive = false }
        case 14 where name.equals("Content-Length"):
            lengths += 1
            let isNumber = !value.isEmpty && value.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, let length = Int64(String(decoding: value, as: UTF8.self)) else {
                return Self.invalid("its Content-Length is no number of bytes")
            }
            head.length = length
        case 17 where name.equals("Transfer-Encoding"):
            codings += 1
            guard value.equals("chunked"), codings == 1 else {
                return RegistryError(.unsupportedCoding, "of transfer codings, only chunked is understood here")
            }
        default: break
        }
        return nil
    }

    private mutating func checkFraming() -> RegistryError? {
        guard hosts == 1 || (isOld && hosts == 0) else {
            return RegistryError(.badRequest, "a request must have one Host header")
        }
        guard lengths + codings <= 1 else { return Self.invalid("it says in two ways how long its body is") }
        if codings == 1 {
            guard !isOld else { return Self.invalid("HTTP/1.0 has no transfer codings") }
            head.length = nil
        }
        head.expectsContinue = head.expectsContinue && head.length != 0
        return nil
    }
}

extension UnsafeRawBufferPointer {
    /// Whether there is a control character, other than tabs. Eight bytes at a time, as tokens are long: where one of them is
    /// below a blank or is DEL they are looked at singly.
    fileprivate var hasControls: Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops = ones << 7
        var at = 0
        while at + 8 <= count {
            let word = loadUnaligned(fromByteOffset: at, as: UInt64.self)
            let dels = word ^ (ones &* 0x7f)
            let isSuspect = ((word &- ones &* 0x20) & ~word | (dels &- ones) & ~dels) & tops != 0
            if isSuspect, self[at..<at + 8].contains(where: \.isControl) { return true }
            at += 8
        }
        return self[at...].contains(where: \.isControl)
    }
}

extension UInt8 {
    /// Whether it is a control character that may stand in no field (RFC 9110 section 5.5): of these the tab may.
    fileprivate var isControl: Bool { (self < 0x20 && self != 0x09) || self == 0x7f }

    /// Whether it may stand in a method or a header's name (RFC 9110 section 5.6.2).
    var isToken: Bool {
        let low: UInt64 = 0x3ff_6cfa_0000_0000
        let high: UInt64 = 0x57ff_ffff_c7ff_fffe
        return self < 128 && ((self < 64 ? low : high) >> UInt64(self & 63)) & 1 == 1
    }
}
