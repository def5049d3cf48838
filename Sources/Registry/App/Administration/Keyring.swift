import Foundation
import Glibc

/// A session at a registry, as `aerugo login` has begun it.
struct KeptLogin: Codable, Sendable {
    var user: String
    /// What requests carry, until `expiresAt`.
    var accessToken: String
    /// Gets the next session, once.
    var refreshToken: String
    /// Seconds since 1970.
    var expiresAt: Int64
    /// PEM file of the authorities that the registry's certificate has to be of; nil for the system's.
    var authority: String?
}

/// The logins of whoever runs the commands, by the registries' URLs: a file that its owner alone may read.
struct Keyring: Sendable {
    /// What is in the file.
    private struct Content: Codable {
        /// The registry that was logged in to last.
        var current: String?
        var logins: [String: KeptLogin] = [:]
    }

    let path: String

    /// How long to wait for another command that changes the file.
    private static let patience = Duration.seconds(30)

    /// The file that the environment names, or the usual one: `AERUGO_KEYRING`, `aerugo/keyring.json` in the folder of
    /// configurations. Nil where there is no such folder.
    static func standard(_ environment: [String: String]) -> Keyring? {
        if let path = environment["AERUGO_KEYRING"], !path.isEmpty { return Keyring(path: path) }
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") {
            return Keyring(path: "\(folder)/aerugo/keyring.json")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return Keyring(path: "\(home)/.config/aerugo/keyring.json")
    }

    /// The login at a registry, or the last one; nil when there is none. Throws `ConfigurationError` for a file that others may
    /// read, or that is none of these.
    func login(_ url: String?) throws(ConfigurationError) -> (url: String, login: KeptLogin)? {
        let content = try read()
        guard let url = url ?? content.current, let login = content.logins[url] else { return nil }
        return (url, login)
    }

    /// Keeps a login, which is the current one then. Throws `ConfigurationError`.
    func keep(_ login: KeptLogin, for url: String) async throws(ConfigurationError) {
        try await changing { (content: inout Content) throws(ConfigurationError) in
            content.logins[url] = login
            content.current = url
        }
    }

    /// Takes a login out. Throws `ConfigurationError`.
    func forget(_ url: String) async throws(ConfigurationError) {
        try await changing { (content: inout Content) throws(ConfigurationError) in
            content.logins[url] = nil
            if content.current == url { content.current = nil }
        }
    }

    /// The login that comes after `old`: what another command has kept meanwhile, or what `renewal` gives. One at a time: a
    /// refresh token is good once. Throws `ConfigurationError`, and what `renewal` throws.
    func renewed(
        _ old: KeptLogin, of url: String,
        by renewal: @Sendable (KeptLogin) async throws(ConfigurationError) -> KeptLogin
    ) async throws(ConfigurationError) -> KeptLogin {
        try await changing { (content: inout Content) async throws(ConfigurationError) -> KeptLogin in
            guard let kept = content.logins[url] else { throw .noLogin(url) }
            guard kept.accessToken == old.accessToken else { return kept }
            let next = try await renewal(kept)
            content.logins[url] = next
            return next
        }
    }

    private func changing<Value>(
        _ change: (inout Content) async throws(ConfigurationError) -> Value
    ) async throws(ConfigurationError) -> Value {
        let lock = try await locked()
        defer { close(lock) }
        var content = try read()
        let value = try await change(&content)
        try write(content)
        return value
    }

    /// A descriptor of the file beside it that is locked as long as it is open.
    private func locked() async throws(ConfigurationError) -> Int32 {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw fault("cannot be made: \(error.localizedDescription)")
        }
        let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw fault("cannot be locked: \(String(cString: strerror(errno)))") }
        let end = ContinuousClock.now + Self.patience
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR, ContinuousClock.now < end else {
                close(lock)
                throw fault("is in use by another command")
            }
            do {
                try await Task.sleep(for: .milliseconds(20))
            } catch {
                close(lock)
                throw fault("was not waited for")
            }
        }
        return lock
    }

    private func read() throws(ConfigurationError) -> Content {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return Content() }
            throw fault("cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw fault("is no file") }
        guard status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
            throw fault("may be read by others than you: chmod 600 it, and log in again")
        }
        guard status.st_size < 1 << 20 else { throw fault("is too long") }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        do {
            return try JSONDecoder().decode(Content.self, from: Data(bytes.prefix(max(0, count))))
        } catch {
            throw fault("is damaged: delete it, and log in again")
        }
    }

    /// Whole or not at all.
    private func write(_ content: Content) throws(ConfigurationError) {
        let coder = JSONEncoder()
        coder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let bytes: [UInt8]
        do {
            bytes = Array(try coder.encode(content))
        } catch {
            throw fault("cannot be written: \(error)")
        }
        let part = "\(path).\(getpid()).part"
        unlink(part)
        let descriptor = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw fault("cannot be written: \(String(cString: strerror(errno)))") }
        let isWhole = Glibc.write(descriptor, bytes, bytes.count) == bytes.count && fsync(descriptor) == 0
        close(descriptor)
        guard isWhole, rename(part, path) == 0 else {
            let cause = String(cString: strerror(errno))
            unlink(part)
            throw fault("cannot be written: \(cause)")
        }
    }

    private func fault(_ what: String) -> ConfigurationError {
        ConfigurationError(description: "the keyring \(path) \(what)", exitCode: 1)
    }
}

extension ConfigurationError {
    /// Nobody is logged in there, or not any more.
    static func noLogin(_ url: String?) -> ConfigurationError {
        ConfigurationError(
            description: "you are not logged in\(url.map { " at \($0)" } ?? ""): aerugo login \(url ?? "URL")",
            exitCode: 4)
    }
}
