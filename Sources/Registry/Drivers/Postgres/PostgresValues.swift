import CLibPQ
import Runtime
import Store

/// Types of PostgreSQL by their numbers, which are fixed (`pg_type.dat`).
enum PostgresType {
    static let boolean: Oid = 16
    static let bytes: Oid = 17
    static let name: Oid = 19
    static let integer: Oid = 20
    static let smallInteger: Oid = 21
    static let mediumInteger: Oid = 23
    static let text: Oid = 25
    static let unknown: Oid = 705
    static let boundedText: Oid = 1043
    static let numeric: Oid = 1700
    static let void: Oid = 2278
    /// Left to the server, which tells it by the place.
    static let inferred: Oid = 0

    /// What a value is sent as.
    static func of(_ value: SQLValue) -> Oid {
        switch value {
        case .null: inferred
        case .integer: integer
        case .text: text
        case .bytes: bytes
        }
    }
}

/// Values as libpq takes them: one buffer, and where in it each of them is.
struct PostgresParameters {
    private var buffer: [UInt8] = []
    /// Nil for NULL.
    private var offsets: [Int?] = []
    private var lengths: [Int32] = []
    /// 0 for text, 1 for binary.
    private var formats: [Int32] = []

    /// Values for parameters of these types.
    init(_ values: [SQLValue], types: [Oid]) throws(StoreError) {
        for (value, type) in zip(values, types) {
            switch value {
            case .null: add(nil, format: 0)
            case .integer(let number) where type == PostgresType.integer:
                add(withUnsafeBytes(of: number.bigEndian) { Array($0) }, format: 1)
            case .integer(let number): add(Array(String(number).utf8), format: 0)
            case .text(let text): add(Self.storable(text), format: 0)
            case .bytes(let bytes) where type == PostgresType.bytes: add(bytes, format: 1)
            case .bytes: throw StoreError(.unavailable, "PostgreSQL: bytes were given where type \(type) is wanted")
            }
        }
    }

    /// PostgreSQL takes no NUL in text. What is compared with a text is in the same place of the order with the character behind
    /// it, and is as much nobody's name; what is kept is for people to read (the platform that an index tells). Bytes that have
    /// to stay as they are are no text.
    private static func storable(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        return bytes.contains(0) ? Array(text.replacing("\0", with: "\u{1}").utf8) : bytes
    }

    private mutating func add(_ bytes: [UInt8]?, format: Int32) {
        offsets.append(bytes == nil ? nil : buffer.count)
        lengths.append(Int32(clamping: bytes?.count ?? 0))
        formats.append(format)
        guard let bytes else { return }
        buffer += bytes
        // Text has to end; and an empty value has an address.
        buffer.append(0)
    }

    /// Lends the arrays that `PQsendQueryPrepared` and its like take.
    func withArrays<T>(
        _ body: (Int32, UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> T
    ) -> T {
        buffer.withUnsafeBytes { raw in
            let base = raw.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = offsets.map { offset in offset.flatMap { base?.advanced(by: $0) }.map { UnsafePointer($0) } }
            return pointers.withUnsafeBufferPointer { pointers in
                lengths.withUnsafeBufferPointer { lengths in
                    formats.withUnsafeBufferPointer { formats in
                        body(
                            Int32(clamping: offsets.count), pointers.baseAddress, lengths.baseAddress,
                            formats.baseAddress)
                    }
                }
            }
        }
    }
}

/// What a statement gave.
struct PostgresAnswer {
    let rows: [SQLRow]
    /// Rows that it changed or found.
    let count: Int
    /// Such as `COMMIT`: which is not what was asked for where a transaction had failed before.
    let tag: String

    /// Reads a result whose values are binary. Throws `.damaged`.
    init(_ result: OpaquePointer) throws(StoreError) {
        var rows: [SQLRow] = []
        let (height, width) = (PQntuples(result), PQnfields(result))
        rows.reserveCapacity(Int(height))
        for row in 0..<height {
            var values: [SQLValue] = []
            values.reserveCapacity(Int(width))
            for column in 0..<width { values.append(try Self.value(result, row, column)) }
            rows.append(SQLRow(values))
        }
        self.rows = rows
        count = PQcmdTuples(result).flatMap { Int(String(cString: $0)) } ?? 0
        tag = PQcmdStatus(result).map { String(cString: $0) } ?? ""
    }

    private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws(StoreError) -> SQLValue {
        guard PQgetisnull(result, row, column) == 0, let start = PQgetvalue(result, row, column) else { return .null }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(PQgetlength(result, row, column)))
        switch PQftype(result, column) {
        case PostgresType.integer, PostgresType.mediumInteger, PostgresType.smallInteger, PostgresType.boolean:
            return .integer(signed(bytes))
        case PostgresType.text, PostgresType.boundedText, PostgresType.name, PostgresType.unknown:
            return .text(String(decoding: bytes, as: UTF8.self))
        case PostgresType.bytes: return .bytes([UInt8](bytes))
        case PostgresType.numeric: return numeric(bytes)
        case PostgresType.void: return .null
        case let type: throw StoreError(.damaged, "PostgreSQL: column \(column) is of type \(type)")
        }
    }

    /// Up to eight bytes, the highest first.
    private static func signed(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        guard let first = bytes.first else { return 0 }
        let start: Int64 = first & 0x80 == 0 || bytes.count == 1 ? 0 : -1
        return bytes.prefix(8).reduce(start) { $0 << 8 | Int64($1) }
    }

    /// What a sum of integers is: digits to the base of 10,000 (`numeric_send`). Null where it is no integer of 64 bits, as SQLite
    /// has it.
    private static func numeric(_ bytes: UnsafeRawBufferPointer) -> SQLValue {
        func field(_ index: Int) -> Int? {
            guard bytes.count >= 2 * index + 2 else { return nil }
            return Int(bytes[2 * index]) << 8 | Int(bytes[2 * index + 1])
        }
        guard let count = field(0), let rawWeight = field(1), let sign = field(2), sign == 0 || sign == 0x4000 else {
            return .null
        }
        let weight = Int(Int16(truncatingIfNeeded: rawWeight))
        var value: Int64 = 0
        for place in 0..<max(count, weight + 1) {
            let digit = place < count ? field(4 + place) ?? 0 : 0
            guard place <= weight else {
                if digit != 0 { return .null }
                continue
            }
            let (shifted, tooLarge) = value.multipliedReportingOverflow(by: 10_000)
            let (sum, overflows) = shifted.addingReportingOverflow(sign == 0 ? Int64(digit) : -Int64(digit))
            guard !tooLarge, !overflows else { return .null }
            value = sum
        }
        return .integer(value)
    }
}
