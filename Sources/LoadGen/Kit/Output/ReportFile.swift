import FoundationEssentials
import Glibc
import Harness

/// A file that cannot be read or written.
package struct FileError: Error, CustomStringConvertible {
    /// Which file, and why.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Reports on disk.
package enum ReportFile {
    /// A run's report as JSON, keys sorted. Never throws for a report of this program.
    package static func json(_ report: some Encodable) throws(FileError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(report), as: UTF8.self) + "\n"
        } catch {
            throw FileError("the report cannot be written as JSON: \(error)")
        }
    }

    /// Reads a run's report. Throws when the file is missing or something else.
    package static func read(_ path: String) throws(FileError) -> RunReport {
        try decode(RunReport.self, try bytes(path), path)
    }

    /// Reads any JSON. Throws with the path of what does not fit.
    package static func decode<Value: Decodable>(
        _ type: Value.Type, _ bytes: [UInt8], _ path: String
    ) throws(FileError) -> Value {
        if type is any Versioned.Type, let version = format(bytes), version != RunReport.format {
            throw FileError(
                "'\(path)' has version \(version), this program knows \(RunReport.format): use the one that wrote it")
        }
        let value: Value
        do {
            value = try JSONDecoder().decode(type, from: Data(bytes))
        } catch {
            let reason = (error as? DecodingError)?.reason ?? "\(error)"
            throw FileError("'\(path)' is no report of aerugo-load of this kind: \(reason)")
        }
        guard (value as? any Bounded)?.isWithinBounds ?? true else {
            throw FileError("'\(path)' is no report of aerugo-load: a number in it is out of bounds")
        }
        return value
    }

    /// The version that the file tells, if it is one that tells any.
    private static func format(_ bytes: [UInt8]) -> Int? {
        struct Format: Decodable { let version: Int }
        do {
            return try JSONDecoder().decode(Format.self, from: Data(bytes)).version
        } catch {
            // What else is wrong with it is told by whoever reads it whole.
            return nil
        }
    }

    /// All bytes of a file, at most 1 GiB.
    package static func bytes(_ path: String) throws(FileError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError("'\(path)' cannot be read: \(reason())") }
        defer { close(descriptor) }
        var all: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while all.count < 1 << 30 {
            let count = Glibc.read(descriptor, &part, part.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileError("'\(path)' cannot be read: \(reason())") }
            if count == 0 { return all }
            all.append(contentsOf: part[..<count])
        }
        throw FileError("'\(path)' is larger than 1 GiB")
    }

    /// Writes a file whole or not at all: beside it first, synced, then renamed. A device or a pipe is written to as it
    /// is, and `-` is standard output. Throws for a full disk among others.
    package static func write(_ text: String, to path: String) throws(FileError) {
        guard path != "-" else { return try writeOut(text) }
        var information = stat()
        let isSpecial = stat(path, &information) == 0 && ![S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT)
        let temporary = isSpecial ? path : path + ".part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError("'\(path)' cannot be written: \(reason())") }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw abandon(path, temporary, descriptor, isSpecial) }
            written += count
        }
        guard isSpecial || fsync(descriptor) == 0 else { throw abandon(path, temporary, descriptor, isSpecial) }
        guard close(descriptor) == 0, isSpecial || rename(temporary, path) == 0 else {
            throw abandon(path, temporary, nil, isSpecial)
        }
    }

    private static func writeOut(_ text: String) throws(FileError) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw FileError("standard output cannot be written: \(reason())") }
            rest = rest.dropFirst(count)
        }
    }

    /// Tries whether a file could be written there, and leaves none. Throws what ``write(_:to:)`` would.
    package static func tryWriting(_ path: String) throws(FileError) {
        guard path != "-" else { return }
        var information = stat()
        let exists = stat(path, &information) == 0
        guard !exists || information.st_mode & S_IFMT != S_IFDIR else {
            throw FileError("'\(path)' cannot be written: it is a directory")
        }
        guard !exists || information.st_mode & S_IFMT == S_IFREG else { return }
        let temporary = path + ".part"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw FileError("'\(path)' cannot be written: \(reason())") }
        close(descriptor)
        unlink(temporary)
    }

    private static func abandon(
        _ path: String, _ temporary: String, _ descriptor: Int32?, _ isSpecial: Bool
    ) -> FileError {
        let error = FileError("'\(path)' cannot be written: \(reason())")
        if let descriptor { close(descriptor) }
        if !isSpecial { unlink(temporary) }
        return error
    }

    private static func reason() -> String { String(cString: strerror(errno)) }
}
