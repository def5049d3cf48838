import Foundation
import Model
import SMTPDriver
import Service

extension SMTPServer {
    /// The server of `mail.*`; nil where no mail is sent. Throws `ConfigurationError`.
    static func of(_ settings: Settings) throws -> SMTPServer? {
        let host = settings.string("mail.server")
        guard !host.isEmpty else { return nil }
        let from: EmailAddress
        do throws(ParseError) {
            from = try EmailAddress.parse(settings.string("mail.from"))
        } catch {
            throw settings.wrong("mail.from", "the address that letters are from, such as registry@example.com")
        }
        guard let security = Security(rawValue: settings.string("mail.security")) else {
            throw settings.wrong("mail.security", "tls, starttls or none")
        }
        var server = SMTPServer(
            host: host, port: try settings.number("mail.port", in: 1...65_535), security: security, from: from)
        server.user = settings.string("mail.user")
        server.authorities = settings.string("mail.authorities")
        let file = settings.string("mail.password-file")
        guard file.isEmpty == server.user.isEmpty else {
            throw settings.wrong("mail.password-file", "there where mail.user is, and nowhere else")
        }
        guard !file.isEmpty else { return server }
        guard security != .none || ["localhost", "127.0.0.1", "::1"].contains(host) else {
            throw settings.wrong("mail.security", "tls or starttls: a password would cross the network in the clear")
        }
        do {
            let text = try String(contentsOfFile: file, encoding: .utf8)
            server.password = String(text.prefix { !$0.isNewline })
        } catch {
            throw ConfigurationError(
                description: "cannot read mail.password-file '\(file)': \(error.localizedDescription)")
        }
        return server
    }
}

extension LetterSettings {
    /// What letters say of the registry. Throws `ConfigurationError`.
    init(_ settings: Settings) throws {
        self.init()
        url = settings.string("http.url")
        link = settings.string("mail.link")
        let isWhole = link.contains("{purpose}") && link.contains("{code}")
        guard link.isEmpty || (isWhole && link.utf8.allSatisfy { (0x21...0x7e).contains($0) }) else {
            throw settings.wrong(
                "mail.link",
                "an address with {purpose} and {code} in it, such as https://ui.example.com/{purpose}#{code}")
        }
    }
}
