import Glibc
import Runtime
import Store

/// Directories that are there after a crash. Every call blocks; all throw `StoreError`.
enum Directory {
    /// Makes a directory where it is missing. Its entry becomes durable with `sync` of its parent.
    static func make(_ path: String) throws(StoreError) {
        guard mkdir(path, 0o750) == 0 || errno == EEXIST else { throw StoreError(errno: errno, "mkdir \(path)") }
    }

    /// Makes a directory where it is missing, and its entry durable, which a crash may have kept an earlier run from.
    static func makeDurable(_ path: String) throws(StoreError) {
        let isNew = mkdir(path, 0o750) == 0
        guard isNew || errno == EEXIST else { throw StoreError(errno: errno, "mkdir \(path)") }
        do throws(StoreError) {
            try sync(parent(of: path))
        } catch {
            // Of a directory that an operator made, the parent may be closed to us.
            if isNew || error.code != .unavailable { throw error }
        }
    }

    /// Makes the entries of a directory durable.
    static func sync(_ path: String) throws(StoreError) {
        // Opened with links followed: the operator's own path may have some.
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(errno: errno, "open \(path)") }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(errno: errno, "fsync \(path)") }
    }

    /// Names in a directory, in byte order.
    static func names(_ path: String) throws(StoreError) -> [String] {
        guard let stream = opendir(path) else { throw StoreError(errno: errno, "opendir \(path)") }
        defer { closedir(stream) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { raw in
                String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw StoreError(errno: errno, "readdir \(path)") }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func parent(of path: String) -> String {
        var bare = path[...]
        while bare.count > 1, bare.hasSuffix("/") { bare.removeLast() }
        guard let slash = bare.lastIndex(of: "/") else { return "." }
        return slash == bare.startIndex ? "/" : String(bare[..<slash])
    }
}
