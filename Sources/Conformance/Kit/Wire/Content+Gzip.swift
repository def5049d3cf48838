extension Content {
    /// A gzip file (RFC 1952) that holds `bytes`, 65,535 at most, in one stored block: valid, and the same every time.
    package static func gzip(_ bytes: [UInt8]) -> Content {
        let bytes = bytes.prefix(65_535)
        let head: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1]
        let size = UInt32(bytes.count)
        let block = little(size, 2) + little(~size, 2) + bytes
        return Content(head + block + little(checksum(bytes), 4) + little(size, 4))
    }

    private static func little(_ value: UInt32, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt32(8 * $0)) }
    }

    /// CRC-32 as RFC 1952 section 8 has it.
    private static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? sum >> 1 ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
