import FilesDriver
import Foundation
import Glibc
import Model
import Runtime
import Store
import Testing

@Suite("Blobs as files")
struct FileStoreTests {
    @Test("a file that something else touches has another witness")
    func witnesses() async throws {
        let scratch = try Scratch()
        let store = try FileBlobStore(directory: scratch.path)
        let key = store.newKey()
        let witness = try await write(bytes(1000), as: key, to: store)
        #expect(try await store.open(key).witness == witness)
        let path = "\(scratch.path)/\(key)"
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.write(contentsOf: Data([0xff]))
        try handle.close()
        let touched = try await store.open(key).witness
        #expect(touched != witness)
        try FileManager.default.copyItem(atPath: path, toPath: path + ".copy")
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".copy", toPath: path)
        #expect(try await store.open(key).witness != touched)
    }

    @Test("a data directory belongs to one process at a time")
    func lock() async throws {
        let scratch = try Scratch()
        var first: DataDirectory? = try DataDirectory(path: scratch.path + "/data")
        #expect(await storeError { _ = try DataDirectory(path: scratch.path + "/data") } == .conflict)
        #expect(first?.blobs == scratch.path + "/data/blobs")
        first = nil
        _ = try DataDirectory(path: scratch.path + "/data")
    }

    @Test("a directory that cannot be made is an error, not a crash")
    func noDirectory() async throws {
        #expect(await storeError { _ = try FileBlobStore(directory: "/proc/aerugo/blobs") } != nil)
        #expect(await storeError { _ = try DataDirectory(path: "/dev/null/data") } != nil)
    }

    /// What may stand where a blob's file should.
    enum Intruder: String, CaseIterable, Sendable {
        case directory, pipe, socket, link, brokenLink, device

        func stand(at path: String) throws {
            let status: Int32
            switch self {
            case .directory: status = mkdir(path, 0o700)
            case .pipe: status = mkfifo(path, 0o600)
            case .link: status = symlink("/etc/hostname", path)
            case .brokenLink: status = symlink("/nowhere/at/all", path)
            case .device: status = mknod(path, S_IFCHR | 0o600, 1 << 8 | 5)
            case .socket:
                // Bound below a short path: those of sockets are limited.
                let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
                defer { Glibc.close(descriptor) }
                var address = sockaddr_un()
                address.sun_family = sa_family_t(AF_UNIX)
                let short = "/tmp/aerugo-\(getpid())-\(UInt32.random(in: 0 ... .max))"
                withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(short.utf8)) }
                status = withUnsafePointer(to: address) { pointer in
                    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                    }
                }
                guard status == 0, rename(short, path) == 0 else { throw StoreError(.unavailable, "bind \(errno)") }
            }
            guard status == 0 else { throw StoreError(.unavailable, "\(self): \(errno)") }
        }
    }

    @Test(
        "what is no file in a blob's place is an error that may pass, and holds up nobody", arguments: Intruder.allCases
    )
    func intruders(intruder: Intruder) async throws {
        let scratch = try Scratch()
        let store = try FileBlobStore(directory: scratch.path)
        let key = store.newKey()
        if intruder == .device, geteuid() != 0 { return }
        try intruder.stand(at: "\(scratch.path)/\(key)")
        // More often than there are threads: none of them is lost.
        for _ in 0..<20 {
            #expect(await storeError { _ = try await store.open(key) } == .unavailable)
            #expect(await storeError { _ = try await store.upload(key, from: UploadState(.sha256)) } == .unavailable)
        }
        try await store.check()
    }

    @Test("a store whose directory is missing, empty or another's serves nothing until its own is there")
    func marker() async throws {
        let scratch = try Scratch()
        let (path, away) = ("\(scratch.path)/blobs", "\(scratch.path)/away")
        let first = try FileBlobStore(directory: path)
        let key = first.newKey()
        try await write(bytes(10), as: key, to: first)
        let files = FileManager.default
        // The first one runs on while things change beneath it, the second one starts with what is there.
        for situation in ["missing", "empty", "another's"] {
            try files.moveItem(atPath: path, toPath: away)
            if situation != "missing" { try files.createDirectory(atPath: path, withIntermediateDirectories: false) }
            if situation == "another's" { _ = try FileBlobStore(directory: path) }
            let second = try FileBlobStore(directory: path, id: first.id)
            for store in [first, second] {
                #expect(await storeError { try await store.check() } == .unavailable, "\(situation)")
                #expect(await storeError { _ = try await store.open(key) } == .unavailable)
                #expect(
                    await storeError { _ = try await store.upload(store.newKey(), from: UploadState(.sha256)) }
                        == .unavailable)
                #expect(await storeError { _ = try await store.remove([key]) { _, _ in } } == .unavailable)
                #expect(await storeError { _ = try await store.keys(after: nil, limit: 1) } == .unavailable)
            }
            if situation != "missing" { try files.removeItem(atPath: path) }
            try files.moveItem(atPath: away, toPath: path)
            for store in [first, second] {
                try await store.check()
                #expect(try await read(store.open(key)) == bytes(10))
            }
        }
        #expect(try FileBlobStore(directory: path).id == first.id)
    }
}
