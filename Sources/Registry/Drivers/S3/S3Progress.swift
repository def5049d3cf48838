import Runtime

/// How far an object is, as it is kept with its upload's session: enough for any process to go on.
struct S3Progress: Sendable, Equatable {
    /// The bytes behind the last whole part.
    enum Rest: Sendable, Equatable {
        case none
        /// In the state itself.
        case inline([UInt8])
        /// In the object itself, all of which they are: so many, with this SHA-256.
        case whole(Int64, sha256: [UInt8])
        /// In an object of this name: so many, with this SHA-256.
        case tail(String, Int64, sha256: [UInt8])
    }

    /// Most bytes that are kept in the state itself: a row's worth, which takes no request.
    static let inlineLimit = 32 << 10
    private static let version: UInt8 = 1

    /// Bytes of every part.
    var partSize: Int
    /// The id of the object in parts; nil while it is not one.
    var upload: String?
    var parts: [S3Part] = []
    /// The ETag of what stands under the object's name already; nil while nothing does.
    var placed: String?
    var rest = Rest.none
    /// Objects with rests of before, to be removed.
    var garbage: [String] = []

    /// An object of no bytes.
    init(partSize: Int) { self.partSize = partSize }

    /// Bytes in all.
    var count: Int64 {
        let behind: Int64 =
            switch rest {
            case .none: 0
            case .inline(let bytes): Int64(bytes.count)
            case .whole(let size, _), .tail(_, let size, _): size
            }
        return Int64(parts.count) * Int64(partSize) + behind
    }

    /// The state as bytes; none for an object of none.
    var encoded: [UInt8] {
        guard self != S3Progress(partSize: partSize) else { return [] }
        var out = StateWriter()
        out.put(Self.version)
        out.put(Int64(partSize))
        out.put(upload ?? "")
        out.put(Int64(parts.count))
        for part in parts {
            out.put(part.etag)
            out.put(part.sha256)
        }
        out.put(placed ?? "")
        switch rest {
        case .none: out.put(0 as UInt8)
        case .inline(let bytes):
            out.put(1 as UInt8)
            out.put(bytes)
        case .whole(let size, let sha256):
            out.put(2 as UInt8)
            out.put(size)
            out.put(sha256)
        case .tail(let name, let size, let sha256):
            out.put(3 as UInt8)
            out.put(name)
            out.put(size)
            out.put(sha256)
        }
        out.put(Int64(garbage.count))
        for name in garbage { out.put(name) }
        return out.bytes
    }

    /// Reads a state. Throws `.unusable` for what is none.
    init(_ encoded: [UInt8], partSize: Int) throws(StoreError) {
        self.init(partSize: partSize)
        guard !encoded.isEmpty else { return }
        var reader = StateReader(encoded)
        guard try reader.byte() == Self.version else { throw StateReader.fault }
        self.partSize = Int(try reader.number(in: 1...Int64(S3Settings.partSizes.upperBound)))
        let id = try reader.text()
        upload = id.isEmpty ? nil : id
        for _ in 0..<(try reader.number(in: 0...Int64(S3Client.mostParts))) {
            let part = S3Part(etag: try reader.text(), sha256: try reader.bytes())
            guard part.sha256.count == 32 else { throw StateReader.fault }
            parts.append(part)
        }
        let etag = try reader.text()
        placed = etag.isEmpty ? nil : etag
        switch try reader.byte() {
        case 0: rest = .none
        case 1: rest = .inline(try reader.bytes())
        case 2: rest = .whole(try reader.number(in: 0...(.max)), sha256: try reader.bytes())
        case 3: rest = .tail(try reader.text(), try reader.number(in: 0...(.max)), sha256: try reader.bytes())
        default: throw StateReader.fault
        }
        for _ in 0..<(try reader.number(in: 0...1000)) { garbage.append(try reader.text()) }
        guard reader.isAtEnd else { throw StateReader.fault }
    }
}

private struct StateWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ byte: UInt8) { bytes.append(byte) }

    mutating func put(_ number: Int64) { withUnsafeBytes(of: number.littleEndian) { bytes += $0 } }

    mutating func put(_ text: String) { put(Array(text.utf8)) }

    mutating func put(_ content: [UInt8]) {
        put(Int64(content.count))
        bytes += content
    }
}

private struct StateReader {
    static let fault = StoreError(.unusable, "the state of an upload to S3 cannot be read")
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func byte() throws(StoreError) -> UInt8 {
        guard let byte = rest.popFirst() else { throw Self.fault }
        return byte
    }

    mutating func number(in range: ClosedRange<Int64>) throws(StoreError) -> Int64 {
        guard rest.count >= 8 else { throw Self.fault }
        let raw = rest.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        rest = rest.dropFirst(8)
        let number = Int64(bitPattern: raw)
        guard range.contains(number) else { throw Self.fault }
        return number
    }

    mutating func bytes() throws(StoreError) -> [UInt8] {
        let count = Int(try number(in: 0...Int64(rest.count)))
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func text() throws(StoreError) -> String {
        let content = try bytes()
        guard let text = String(validating: content, as: UTF8.self) else { throw Self.fault }
        return text
    }
}
