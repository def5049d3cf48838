import ArgumentParser
import Foundation

/// `aerugo login`
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login", abstract: "Log in to a registry: the other commands go there then.",
        discussion: """
            The session is kept in ~/.config/aerugo/keyring.json, which you alone may read, and renewed as long as it is used. \
            The password is kept nowhere.
            """)

    @Argument(help: "The registry's URL, such as https://registry.example.com.")
    var url: RegistryAddress
    @Option(
        name: [.short, .customLong("user")], help: "Your name or e-mail address there; without this it is asked for.")
    var user: String?
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false
    @Option(help: "PEM file of the authorities that its certificate has to be of; without this the system's.")
    var ca: String?
    @Flag(help: "Use http to another machine, where others may read the password.")
    var plainHttp = false

    func run() async throws {
        try await ending {
            try url.check(isMeant: plainHttp)
            guard let keyring = Keyring.standard(ProcessInfo.processInfo.environment) else {
                throw ConfigurationError(description: "there is no place for the login: set HOME or AERUGO_KEYRING")
            }
            let authority = ca.map { URL(fileURLWithPath: $0).path }
            let name = try user ?? PasswordInput.shown("Name: ")
            let password = try passwordStdin ? PasswordInput.line() : PasswordInput.hidden("Password: ")
            let answer = try await WebTransport(url: url.text, authority: authority).send(
                APICall(
                    .post, ["auth", "login"], body: ["name": name, "password": password, "client": "aerugo"]))
            guard let login = KeptLogin(answer, authority: authority) else {
                throw ConfigurationError(description: answer.reason, exitCode: answer.status == 401 ? 4 : 1)
            }
            try await keyring.keep(login, for: url.text)
            print("logged in at \(url.text) as \(login.user)")
        }
    }
}

/// `aerugo logout`
struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout", abstract: "End the session at a registry, there and here.")

    @Argument(help: "The registry's URL; without it the one that was logged in to last.")
    var url: RegistryAddress?

    func run() async throws {
        try await ending {
            guard let keyring = Keyring.standard(ProcessInfo.processInfo.environment),
                let (place, login) = try keyring.login(url?.text)
            else { throw ConfigurationError.noLogin(url?.text) }
            // Here it ends in any case.
            try await keyring.forget(place)
            let answer = try await WebTransport(url: place, authority: login.authority).send(
                APICall(.post, ["auth", "logout"], body: ["refresh_token": login.refreshToken]))
            guard answer.isGood else { throw ConfigurationError(description: answer.reason, exitCode: 1) }
            print("logged out at \(place)")
        }
    }
}

/// `aerugo whoami`
struct WhoCommand: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "whoami", abstract: "Show who you are to the registry.")

    @OptionGroup var flags: AdministrationFlags

    func call() -> APICall { APICall(.get, ["auth", "me"]) }
    var output: Output {
        .record([.init("name", "name"), .init("email", "email"), .init("admin", "admin"), .init("since", "created_at")])
    }
}
