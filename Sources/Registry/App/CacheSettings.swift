import Foundation
import Logging
import RedisDriver

extension RedisSettings {
    /// How Redis is reached; nil where none is named. Throws `ConfigurationError`, which never has a password in it.
    static func of(_ settings: Settings) throws -> RedisSettings? {
        let (url, host) = (settings.string("redis.url"), settings.string("redis.host"))
        guard !url.isEmpty || !host.isEmpty else {
            let orphan = ["port", "database", "user", "password-file"].map { "redis.\($0)" }
                .first { !settings.string($0).isEmpty }
            if let orphan {
                throw ConfigurationError(
                    description: "\(orphan) says something of a Redis that is not named: set redis.url or redis.host")
            }
            return nil
        }
        var redis = RedisSettings()
        if !url.isEmpty { try redis.read(url) }
        if !host.isEmpty { redis.host = host }
        if !settings.string("redis.port").isEmpty { redis.port = try settings.number("redis.port", in: 1...65_535) }
        if !settings.string("redis.database").isEmpty {
            redis.database = try settings.number("redis.database", in: 0...1_000_000)
        }
        let user = settings.string("redis.user")
        if !user.isEmpty { redis.user = user }
        if let password = try settings.secret("redis.password-file") { redis.password = password }
        guard redis.user.isEmpty || !redis.password.isEmpty else {
            throw settings.wrong("redis.password-file", "there where a user is named")
        }
        redis.connectTime = .milliseconds(try settings.number("redis.connect-timeout", in: 1...60_000))
        redis.commandTime = .milliseconds(try settings.number("redis.timeout", in: 1...10_000))
        redis.largestValue = try settings.number("redis.value-limit", in: 0...64 << 20)
        return redis
    }

    /// Takes what `redis://[user[:password]@]host[:port][/database]` says.
    private mutating func read(_ url: String) throws {
        let parts = URLComponents(string: url)
        guard parts?.scheme != "rediss" else {
            throw ConfigurationError(
                description:
                    "redis.url cannot be used: TLS to Redis is not spoken here, name this end of a tunnel instead")
        }
        let path = parts?.path.drop { $0 == "/" } ?? ""
        guard let parts, parts.scheme == "redis", let host = parts.host, !host.isEmpty, parts.query == nil,
            path.isEmpty || Int(path).map({ (0...1_000_000).contains($0) }) == true,
            parts.port.map({ (1...65_535).contains($0) }) != false
        else {
            throw ConfigurationError(
                description: "redis.url cannot be used: it is not a URL such as redis://user@host:6379/0")
        }
        self.host = host.trimmingCharacters(in: ["[", "]"])
        port = parts.port ?? port
        database = Int(path) ?? database
        user = parts.user ?? ""
        password = parts.password ?? ""
    }

    /// Tells an operator of who could listen.
    func warn(_ log: Logger) {
        guard isExposed else { return }
        log.warning(
            "manifests and Redis's password cross a network in the clear: put a tunnel with TLS between, and name its end here",
            metadata: ["redis": "\(description)"])
    }
}
