import Glibc
import Model
import Runtime
import Store
import Synchronization

/// The file in a store's directory that tells which store it is: by it an empty mount point, a volume of another registry
/// and a directory that was replaced under a running server are told from the store.
final class StoreMarker: Sendable {
    /// How long a look at the file counts.
    private static let lasting = Duration.seconds(1)

    let id: String
    private let path: String
    private let clocks: Clocks
    /// The uptime when the file was last found to be right; nil when it was not.
    private let seen = Mutex<Duration?>(nil)

    /// A marker that is to say `id`.
    init(_ path: String, id: String, _ clocks: Clocks) {
        self.path = path
        self.id = id
        self.clocks = clocks
    }

    /// The id in a marker; nil where there is none. Throws `StoreError` where it cannot be read.
    static func read(_ path: String) throws(StoreError) -> String? {
        let file: File
        do throws(StoreError) {
            file = try File.regular(path, O_RDONLY)
        } catch {
            guard error.code == .missing else { throw error }
            return nil
        }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128, alignment: 1)
        defer { buffer.deallocate() }
        let count = try file.read(into: buffer, at: 0)
        return String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").first.map(String.init)
    }

    /// Writes the marker, durable when this returns: it is there whole or not at all.
    func write() throws(StoreError) {
        let draft = path + ".new"
        let file = try File.regular(draft, O_WRONLY | O_CREAT | O_TRUNC)
        let outcome: Result<Void, StoreError> = Array((id + "\n").utf8).withUnsafeBytes { bytes in
            Result { () throws(StoreError) in try file.write(bytes, at: 0) }
        }
        try outcome.get()
        try file.sync()
        guard rename(draft, path) == 0 else { throw StoreError(errno: errno, "rename \(draft)") }
    }

    /// Throws `.unavailable` unless the store's directory is the right one, by a look that is at most a second old.
    func verify() throws(StoreError) {
        let now = clocks.uptime()
        if let last = seen.withLock({ $0 }), now < last + Self.lasting { return }
        try look()
    }

    /// The same by a look now.
    func look() throws(StoreError) {
        seen.withLock { $0 = nil }
        let found = try Self.read(path)
        guard found == id else {
            let what = found.map { "says \($0)" } ?? "is missing"
            throw StoreError(.unavailable, "\(path) \(what), this registry's store is \(id): is it mounted?")
        }
        seen.withLock { $0 = clocks.uptime() }
    }
}
