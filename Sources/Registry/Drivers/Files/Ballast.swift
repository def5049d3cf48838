import Glibc
import Runtime
import Store

/// A file that holds nothing but room on the disk, to be given up for deletions.
package struct Ballast: Reserve {
    /// Bytes that are kept, and those that are given up at a time: some hundred deletions need less.
    private static let (size, step) = (Int64(2 << 20), Int64(512 << 10))

    private let path: String
    private let lane = BlockingExecutor(name: "ballast", threads: 1, capacity: 64)

    /// A reserve in the file `path`, which `refill` makes.
    package init(path: String) { self.path = path }

    package func release() async -> Bool {
        await attempt { () throws(StoreError) in
            let file = try File.regular(path, O_RDWR)
            let size = Int64(try file.status().st_size)
            guard size > 0 else { return false }
            try file.truncate(to: max(0, size - Self.step))
            return true
        }
    }

    package func refill() async {
        _ = await attempt { () throws(StoreError) in
            let file = try File.regular(path, O_RDWR | O_CREAT)
            guard Int64(try file.status().st_size) < Self.size else { return true }
            // All of it or nothing: half of what is left would only take what others are about to use.
            let code = posix_fallocate(file.descriptor, 0, off_t(Self.size))
            if code != 0 { throw StoreError(errno: code, "fallocate \(path)") }
            return true
        }
    }

    /// False for what cannot be done: there is no reserve then, which is all that anybody could be told.
    private func attempt(_ body: @Sendable @escaping () throws(StoreError) -> Bool) async -> Bool {
        do throws(StoreError) {
            return try await lane.run(body)
        } catch {
            return false
        }
    }
}
