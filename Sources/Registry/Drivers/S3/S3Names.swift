import Runtime
import Store

/// The names of objects in the bucket: `blobs/<key>`, `tails/<key>.<random>` for what lies behind the parts of an upload that
/// is suspended, and `store-id`.
///
/// A key that is to be removed may name less than an object, too: `<key>.tail.<random>`, or `<key>.upload.<id>` for one in parts.
struct S3Names: Sendable {
    /// What a key stands for.
    enum Thing: Equatable {
        case object(String)
        /// An upload's id, behind its object's name.
        case upload(String, id: String)
    }

    private static let (tail, upload) = (".tail.", ".upload.")
    private let prefix: String

    init(prefix: String) { self.prefix = prefix.isEmpty || prefix.hasSuffix("/") ? prefix : prefix + "/" }

    var marker: String { "\(prefix)store-id" }
    /// In front of all keys.
    var blobs: String { "\(prefix)blobs/" }

    func name(of key: StorageKey) -> String { "\(blobs)\(key)" }

    /// The key of a name; nil for one that is no blob's.
    func key(of name: String) -> StorageKey? {
        name.hasPrefix(blobs) ? StorageKey(String(name.dropFirst(blobs.count))) : nil
    }

    /// A name that was never used.
    func newTail(of key: StorageKey, _ ids: IDSource) -> String { "\(prefix)tails/\(key).\(ids.token())" }

    func thing(of key: StorageKey) -> Thing {
        let text = key.description
        if let mark = text.range(of: Self.upload) {
            return .upload("\(blobs)\(text[..<mark.lowerBound])", id: String(text[mark.upperBound...]))
        }
        if let mark = text.range(of: Self.tail) {
            return .object("\(prefix)tails/\(text[..<mark.lowerBound]).\(text[mark.upperBound...])")
        }
        return .object(name(of: key))
    }

    /// Keys of what a suspended upload has besides its object.
    func leftovers(of key: StorageKey, _ progress: S3Progress, isFinished: Bool) -> [StorageKey] {
        var tails = progress.garbage
        if case .tail(let name, _, _) = progress.rest { tails.append(name) }
        var keys = tails.compactMap { name in
            name.split(separator: ".").last.map { StorageKey("\(key)\(Self.tail)\($0)") }
        }
        if !isFinished, let id = progress.upload { keys.append(StorageKey("\(key)\(Self.upload)\(id)")) }
        return keys
    }
}
