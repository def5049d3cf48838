import Foundation

/// Finds a key that stands twice in one object of a JSON text: of the two, one reader takes the first and another the
/// last, so that a client could see another manifest than the registry did (RFC 8259 section 4).
struct DuplicateKeys {
    private let bytes: [UInt8]
    private var at = 0

    /// The first key that is there twice, nil when there is none. `bytes` must be valid JSON.
    static func first(in bytes: [UInt8]) -> String? {
        var finder = DuplicateKeys(bytes: bytes)
        return finder.find()
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private mutating func find() -> String? {
        // The keys so far of the objects around, by their bytes: two spellings of one letter are two keys; nil for an array.
        var open: [Set<[UInt8]>?] = []
        while at < bytes.count {
            let byte = bytes[at]
            at += 1
            switch byte {
            case UInt8(ascii: "{"): open.append([])
            case UInt8(ascii: "["): open.append(nil)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): _ = open.popLast()
            case UInt8(ascii: "\""):
                let text = string()
                guard isKey, let depth = open.indices.last else { continue }
                guard open[depth]?.insert(Array(text.utf8)).inserted != false else { return text }
            default: break
            }
        }
        return nil
    }

    /// Whether what was just read is a key: then a colon follows.
    private var isKey: Bool {
        let next = bytes[at...].first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0a && $0 != 0x0d }
        return next == UInt8(ascii: ":")
    }

    /// The text of a string whose first quote was read, without its escapes.
    private mutating func string() -> String {
        let start = at
        var hasEscape = false
        while at < bytes.count, bytes[at] != UInt8(ascii: "\"") {
            if bytes[at] == UInt8(ascii: "\\") {
                hasEscape = true
                at += 1
            }
            at += 1
        }
        let end = min(at, bytes.count)
        at = min(end + 1, bytes.count)
        let raw = String(decoding: bytes[start..<end], as: UTF8.self)
        guard hasEscape else { return raw }
        do {
            return try JSONDecoder().decode(String.self, from: Data("\"\(raw)\"".utf8))
        } catch {
            return raw
        }
    }
}
