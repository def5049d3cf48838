import ArgumentParser

/// `aerugo account`
struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account", abstract: "Your own account: registering, password, e-mail address.",
        subcommands: [
            Register.self, ConfirmRegistration.self, ChangePassword.self, RequestReset.self, ConfirmReset.self,
            ChangeAddress.self, ConfirmAddress.self,
        ])
}

/// Where passwords and codes that are there already come from. None of them stands on a command line, where others may see it.
struct SecretFlags: ParsableArguments {
    @Flag(help: "Read what would be asked for from standard input, a line each.")
    var stdin = false

    /// Throws `ConfigurationError` where there is none.
    func read(_ question: String) throws(ConfigurationError) -> String {
        try stdin ? PasswordInput.line() : PasswordInput.hidden(question)
    }

    /// A new password, which a terminal asks for twice. Throws `ConfigurationError`.
    func choose() throws(ConfigurationError) -> String {
        try stdin ? PasswordInput.line() : PasswordInput.prompt()
    }
}

private struct Register: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "register", abstract: "Become a user of a registry that takes registrations.")

    @OptionGroup var flags: AddressFlags
    @OptionGroup var secret: SecretFlags
    @Argument(help: "The login name, and the first part of the names of your repositories.") var name: String
    @Option(help: "Your address of mail; a code is sent there where the registry sends mail.") var email: String?

    func call() throws -> APICall {
        APICall(
            .post, ["auth", "register"], body: ["name": name, "email": email, "password": try secret.choose()])
    }

    var output: Output {
        .outcome([
            201: "user \(name) made: aerugo login \(flags.url.text)",
            202: "a code is on its way to the address: aerugo account confirm \(flags.url.text)",
        ])
    }
}

private struct ConfirmRegistration: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm", abstract: "Confirm the address of a registration by the code that was sent to it.")

    @OptionGroup var flags: AddressFlags
    @OptionGroup var secret: SecretFlags

    func call() throws -> APICall {
        APICall(.post, ["auth", "register", "confirm"], body: ["token": try secret.read("Code: ")])
    }

    var output: Output { .sentence("the user is made: aerugo login \(flags.url.text)") }
}

private struct ChangePassword: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "password", abstract: "Change your password; all that came of the old one ends, this session too.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var secret: SecretFlags

    func call() throws -> APICall {
        APICall(
            .put, ["auth", "password"],
            body: ["current": try secret.read("Current password: "), "password": try secret.choose()])
    }

    var output: Output { .sentence("the password is changed: log in again") }
}

private struct RequestReset: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "reset", abstract: "Have a code for a new password sent to a user's address.")

    @OptionGroup var flags: AddressFlags
    @Argument(help: "The user's name or e-mail address.") var user: String

    func call() -> APICall { APICall(.post, ["auth", "password-reset"], body: ["user": user]) }
    var output: Output {
        .sentence(
            "if there is such a user with an address, a code is on its way: aerugo account confirm-reset \(flags.url.text)"
        )
    }
}

private struct ConfirmReset: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-reset", abstract: "Set a new password by the code that was sent.")

    @OptionGroup var flags: AddressFlags
    @OptionGroup var secret: SecretFlags

    func call() throws -> APICall {
        APICall(
            .post, ["auth", "password-reset", "confirm"],
            body: ["token": try secret.read("Code: "), "password": try secret.choose()])
    }

    var output: Output { .sentence("the password is changed: aerugo login \(flags.url.text)") }
}

private struct ChangeAddress: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "email", abstract: "Change your e-mail address, for which your password is asked.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var secret: SecretFlags
    @Argument(help: "The new address; without it yours is taken away.") var address: String?

    func call() throws -> APICall {
        APICall(
            .put, ["auth", "email"],
            body: ["password": try secret.read("Password: "), "email": address ?? APICall.null])
    }

    var output: Output {
        .outcome([
            200: address.map { "your address is \($0)" } ?? "you have no address any more",
            202: "a code is on its way to the new address: aerugo account confirm-email URL",
        ])
    }
}

private struct ConfirmAddress: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm-email", abstract: "Confirm your new e-mail address by the code that was sent to it.")

    @OptionGroup var flags: AddressFlags
    @OptionGroup var secret: SecretFlags

    func call() throws -> APICall {
        APICall(.post, ["auth", "email", "confirm"], body: ["token": try secret.read("Code: ")])
    }

    var output: Output { .sentence("your address is confirmed") }
}
