import ArgumentParser
import Foundation

/// A registry's URL, without a path.
struct RegistryAddress: ExpressibleByArgument, Sendable {
    /// As it is kept: `https://registry.example.com`.
    let text: String
    /// Whether what is sent there can be read on the way: `http` to another machine.
    let isExposed: Bool

    /// Reads `https://HOST[:PORT]`, `http://…`, or `HOST[:PORT]`, which is meant as https, but on this machine as http.
    init?(argument: String) {
        let text = argument.contains("://") ? argument : Self.scheme(argument) + "://" + argument
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            ["http", "https"].contains(scheme), let host = parts.host?.lowercased(), !host.isEmpty,
            parts.user == nil, parts.password == nil, parts.query == nil, parts.fragment == nil,
            ["", "/"].contains(parts.path), (1...65_535).contains(parts.port ?? 443)
        else { return nil }
        let standard = scheme == "https" ? 443 : 80
        let port = parts.port == standard ? "" : parts.port.map { ":\($0)" } ?? ""
        self.text = "\(scheme)://\(host)\(port)"
        isExposed = scheme == "http" && !Self.isLocal(host)
    }

    private static func scheme(_ authority: String) -> String {
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return isLocal(String(host)) ? "http" : "https"
    }

    private static func isLocal(_ host: String) -> Bool {
        host == "localhost" || host == "[::1]" || host == "::1"
            || host.wholeMatch(of: /127(\.[0-9]{1,3}){3}/) != nil
    }

    /// Throws `ConfigurationError` where what is sent could be read on the way and nobody has said that this is meant.
    func check(isMeant: Bool) throws(ConfigurationError) {
        guard isExposed, !isMeant else { return }
        throw ConfigurationError(
            description: "\(text) would send passwords in the clear: take https, or say --plain-http if that is meant")
    }
}

/// Which registry a command is about that needs no login.
struct AddressFlags: CommandFlags {
    @Argument(help: "The registry's URL, such as https://registry.example.com.")
    var url: RegistryAddress
    @Option(help: "PEM file of the authorities that its certificate has to be of; without this the system's.")
    var ca: String?
    @Flag(help: "Use http to another machine, where others may read what is sent.")
    var plainHttp = false
    @Flag(help: "Print the API's answer as it came.")
    var json = false

    /// A way to the registry without a login. Throws `ConfigurationError`.
    func transport() throws(ConfigurationError) -> WebTransport {
        try url.check(isMeant: plainHttp)
        return WebTransport(url: url.text, authority: ca)
    }

    func withTransport(_ body: (any APITransport) async throws -> Void) async throws {
        try await body(try transport())
    }
}
