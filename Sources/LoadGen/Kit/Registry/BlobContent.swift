import Crypto

/// Bytes that come from a seed: reproducible, of any size, readable at any place, never held as a whole.
///
/// All blobs of a seed share one stream and differ in their last 32 bytes. A hash of the shared part, kept for
/// each size in use, makes the digest of a new blob cost one block, whatever its size (see ``ContentLibrary``).
package struct BlobContent: Hashable, Sendable {
    /// Length of the part that tells blobs apart, and the least size of a blob, bytes.
    package static let trailerLength = 32
    private static let page = 4096

    /// Of the stream that its blobs share.
    package let seed: UInt64
    /// Tells this blob from others of the same size.
    package let id: UInt64
    /// Bytes.
    package let size: Int
    /// Bytes of each 4 KiB that are zero: what a compressor can win.
    let zerosPerPage: Int

    /// - Parameters:
    ///   - size: bytes; less than 32 counts as 32.
    ///   - compressibility: the share of the bytes that a compressor removes, `0 ... 0.99`.
    package init(seed: UInt64, id: UInt64, size: Int, compressibility: Double = 0) {
        self.seed = seed
        self.id = id
        self.size = max(size, Self.trailerLength)
        let share = compressibility.isFinite ? min(max(compressibility, 0), 0.99) : 0
        zerosPerPage = Int(Double(Self.page) * share) / 8 * 8
    }

    /// Where the part of its own begins.
    var trailerStart: Int { size - Self.trailerLength }

    /// The last 32 bytes.
    var trailer: [UInt8] {
        var random = SeededRandom(seed: seed ^ SeededRandom.mix(id), purpose: UInt64(size))
        return (0..<4).flatMap { _ in withUnsafeBytes(of: random.next().littleEndian) { Array($0) } }
    }

    /// Writes the bytes from `offset` on into `buffer`; what lies past the end is left alone.
    package func fill(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        let end = min(offset + buffer.count, size)
        guard offset >= 0, offset < end else { return }
        fillStream(UnsafeMutableRawBufferPointer(rebasing: buffer[..<(end - offset)]), at: offset)
        guard end > trailerStart else { return }
        for (index, byte) in trailer.enumerated() {
            let place = trailerStart + index - offset
            if place >= 0, place < end - offset { buffer[place] = byte }
        }
    }

    /// The stream that all blobs of this seed share.
    func fillStream(_ buffer: UnsafeMutableRawBufferPointer, at offset: Int) {
        var place = 0
        while place < buffer.count {
            let position = offset + place
            let within = position % Self.page
            let random = Self.page - zerosPerPage
            let isRandom = within < random
            let length = min((isRandom ? random : Self.page) - within, buffer.count - place)
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[place..<(place + length)])
            if isRandom {
                fillRandom(part, at: position)
            } else {
                part.initializeMemory(as: UInt8.self, repeating: 0)
            }
            place += length
        }
    }

    private func fillRandom(_ buffer: UnsafeMutableRawBufferPointer, at position: Int) {
        var place = 0
        while place < buffer.count {
            let at = UInt64(position + place)
            let word = SeededRandom.mix(seed &+ (at / 8 &+ 1) &* 0x9E37_79B9_7F4A_7C15)
            let skipped = Int(at % 8)
            if skipped == 0, buffer.count - place >= 8 {
                buffer.storeBytes(of: word.littleEndian, toByteOffset: place, as: UInt64.self)
                place += 8
            } else {
                withUnsafeBytes(of: word.littleEndian) { bytes in
                    for byte in bytes[skipped...].prefix(buffer.count - place) {
                        buffer[place] = byte
                        place += 1
                    }
                }
            }
        }
    }

    /// All bytes: for what is small (configs, tests).
    package func bytes() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            fill(UnsafeMutableRawBufferPointer(buffer), at: 0)
            count = size
        }
    }
}

/// Digests of seeded blobs in constant time, once their sizes are known.
package struct ContentLibrary: Sendable {
    /// Of the stream that its blobs share.
    package let seed: UInt64
    /// Share of the bytes that a compressor can remove, `0 ... 0.99`.
    package let compressibility: Double
    private var prefixes: [Int: SHA256] = [:]

    /// Reads the shared stream once, up to the largest of `sizes` (1.5 s a GiB), and keeps a hash state for each.
    package init(seed: UInt64, compressibility: Double, sizes: some Sequence<Int>) {
        self.seed = seed
        self.compressibility = compressibility
        let wanted = Set(sizes.map { max($0, BlobContent.trailerLength) }).sorted()
        guard let largest = wanted.last else { return }
        let whole = BlobContent(seed: seed, id: 0, size: largest, compressibility: compressibility)
        var hash = SHA256()
        var position = 0
        let chunk = 262_144
        var memory = [UInt8](repeating: 0, count: chunk)
        memory.withUnsafeMutableBytes { buffer in
            for size in wanted {
                let end = size - BlobContent.trailerLength
                while position < end {
                    let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(chunk, end - position)])
                    whole.fillStream(part, at: position)
                    hash.update(bufferPointer: UnsafeRawBufferPointer(part))
                    position += part.count
                }
                prefixes[size] = hash
            }
        }
    }

    /// A blob of this library.
    package func blob(id: UInt64, size: Int) -> BlobContent {
        BlobContent(seed: seed, id: id, size: size, compressibility: compressibility)
    }

    /// `sha256:…` of a blob: at once for a size of the library, by reading it all for another.
    package func digest(of blob: BlobContent) -> String {
        guard blob.seed == seed, var hash = prefixes[blob.size] else {
            return Self.slowDigest(of: blob)
        }
        blob.trailer.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return "sha256:" + Hex.text(hash.finalize())
    }

    private static func slowDigest(of blob: BlobContent) -> String {
        var hash = SHA256()
        var memory = [UInt8](repeating: 0, count: 65_536)
        memory.withUnsafeMutableBytes { buffer in
            var position = 0
            while position < blob.size {
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(buffer.count, blob.size - position)])
                blob.fill(part, at: position)
                hash.update(bufferPointer: UnsafeRawBufferPointer(part))
                position += part.count
            }
        }
        return "sha256:" + Hex.text(hash.finalize())
    }
}

/// Hexadecimal, written in lower case.
package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two digits a byte.
    package static func text(_ bytes: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// What a digit of either case stands for; `nil` when it is none.
    static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x41...0x46, 0x61...0x66: (digit | 0x20) - 0x61 + 10
        default: nil
        }
    }
}
