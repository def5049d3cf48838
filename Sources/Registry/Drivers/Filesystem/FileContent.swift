import Glibc
import Model
import Store

/// A file opened for reading.
struct FileContent: BlobContent {
    private let file: File
    let size: Int64
    let stamp: String

    init(_ file: File) throws(StoreError) {
        self.file = file
        let status = try file.status()
        size = Int64(status.st_size)
        stamp = Self.stamp(status)
    }

    var descriptor: Int32 { file.descriptor }

    var isWhole: Bool {
        do throws(StoreError) {
            return Int64(try file.status().st_size) >= size
        } catch {
            return false
        }
    }

    /// The change time moves with every write, truncation and replacement, and no program can set it back.
    static func stamp(_ status: stat) -> String {
        "\(status.st_ino):\(status.st_size):\(status.st_ctim.tv_sec).\(status.st_ctim.tv_nsec)"
    }

    func digest(_ algorithm: Digest.Algorithm) throws(StoreError) -> Digest {
        var hash = ContentHash(algorithm)
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        var offset: Int64 = 0
        while true {
            let count = try file.read(into: &buffer, at: offset)
            guard count > 0 else { return hash.digest }
            buffer.withUnsafeBytes { hash.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            offset += Int64(count)
        }
    }
}
