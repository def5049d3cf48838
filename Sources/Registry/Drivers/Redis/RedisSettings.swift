/// How Redis is reached, and how long that may take.
package struct RedisSettings: Sendable {
    /// A name or address, or the path of a socket, which begins with a slash.
    package var host = "127.0.0.1"
    package var port = 6379
    /// The number of the database that is selected.
    package var database = 0
    /// Empty for the default one.
    package var user = ""
    /// Empty for none.
    package var password = ""
    /// How long a connection may take until it can be used. No request waits for it.
    package var connectTime: Duration = .seconds(1)
    /// How long an answer may take, or the answers to all that is asked at once.
    package var commandTime: Duration = .milliseconds(100)
    /// Most bytes of a value.
    package var largestValue = 256 << 10

    /// The server of this machine.
    package init() {}

    /// For logs: never has a password in it.
    package var description: String {
        let place = isSocket ? host : host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        return database == 0 ? place : "\(place)/\(database)"
    }

    var isSocket: Bool { host.hasPrefix("/") }

    /// Whether passwords and content may cross a network that anybody could listen to.
    package var isExposed: Bool { !isSocket && !["localhost", "127.0.0.1", "::1"].contains(host) }
}
