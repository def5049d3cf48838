import Glibc

/// The few header fields that framing depends on.
enum HeaderField {
    /// Reads the line at `start ..< end` of `bytes` (without its line feed) into `head`.
    @inline(__always)
    static func read(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, into head: inout ResponseHead
    ) throws(WireError) {
        guard end - start > 11 else { return }
        switch bytes[start] | 0x20 {
        case 0x63:  // c
            if name(bytes, start, end, "content-length", 14) {
                let length = try number(value(bytes, start + 15, end))
                guard head.contentLength == nil || head.contentLength == length else { throw .contentLength }
                head.contentLength = length
            } else if name(bytes, start, end, "connection", 10) {
                let options = value(bytes, start + 11, end)
                if equals(options, "keep-alive", 10) {
                    head.keepsAlive = true
                } else if equals(options, "close", 5) || text(options).contains("close") {
                    head.keepsAlive = false
                }
            }
        case 0x74:  // t
            guard name(bytes, start, end, "transfer-encoding", 17) else { return }
            head.isChunked = text(value(bytes, start + 18, end)).hasSuffix("chunked")
        default: return
        }
    }

    /// A chunk's size: hexadecimal digits, then perhaps an extension.
    static func chunkSize(_ line: [UInt8]) throws(WireError) -> Int {
        var size = 0
        var digits = 0
        for byte in line {
            let digit: UInt8
            switch byte {
            case 0x30...0x39: digit = byte - 0x30
            case 0x41...0x46, 0x61...0x66: digit = (byte | 0x20) - 0x61 + 10
            case 0x3B, 0x20, 0x09:
                guard digits > 0 else { throw .chunk }
                return size
            default: throw .chunk
            }
            digits += 1
            guard digits <= 15 else { throw .chunk }
            size = size << 4 | Int(digit)
        }
        guard digits > 0 else { throw .chunk }
        return size
    }

    private static func name(
        _ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int, _ wanted: StaticString, _ length: Int
    ) -> Bool {
        guard end - start > length, bytes[start + length] == 0x3A, let base = bytes.baseAddress else { return false }
        return strncasecmp(
            (base + start).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(wanted.utf8Start).assumingMemoryBound(to: CChar.self), length) == 0
    }

    private static func value(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Slice<
        UnsafeRawBufferPointer
    > {
        var (first, last) = (start, end)
        while first < last, bytes[first] == 0x20 || bytes[first] == 0x09 { first += 1 }
        while last > first, bytes[last - 1] == 0x0D || bytes[last - 1] == 0x20 || bytes[last - 1] == 0x09 { last -= 1 }
        return bytes[first..<last]
    }

    private static func equals(_ value: Slice<UnsafeRawBufferPointer>, _ wanted: StaticString, _ length: Int) -> Bool {
        guard value.count == length, let base = value.base.baseAddress else { return false }
        return strncasecmp(
            (base + value.startIndex).assumingMemoryBound(to: CChar.self),
            UnsafeRawPointer(wanted.utf8Start).assumingMemoryBound(to: CChar.self), length) == 0
    }

    private static func text(_ value: Slice<UnsafeRawBufferPointer>) -> String {
        String(decoding: value, as: UTF8.self).lowercased()
    }

    private static func number(_ value: Slice<UnsafeRawBufferPointer>) throws(WireError) -> Int {
        guard !value.isEmpty, value.count <= 18 else { throw .contentLength }
        var number = 0
        for byte in value {
            guard (0x30...0x39).contains(byte) else { throw .contentLength }
            number = number * 10 + Int(byte - 0x30)
        }
        return number
    }
}
