import ArgumentParser
import Foundation

/// `aerugo user`
struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users of the registry.",
        subcommands: [
            CreateUser.self, ListUsers.self, ShowUser.self, UpdateUser.self, DisableUser.self, EnableUser.self,
            ResetPassword.self, DeleteUser.self,
        ])
}

/// Where a new password comes from.
struct PasswordFlags: ParsableArguments {
    @Flag(help: "Ask for the password on the terminal; without this one is made and shown.")
    var password = false
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    func validate() throws {
        if password && passwordStdin { throw ValidationError("--password and --password-stdin are two ways: take one") }
    }

    /// The password, nil for one that the registry makes. Throws `ConfigurationError`.
    func read() throws(ConfigurationError) -> String? {
        if passwordStdin { return try PasswordInput.line() }
        return password ? try PasswordInput.prompt() : nil
    }
}

private struct CreateUser: APICommand {
    static let configuration = CommandConfiguration(commandName: "create", abstract: "Make a user.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var secret: PasswordFlags
    @Argument(help: "The login name, and the first part of the names of this user's repositories.")
    var name: String
    @Option(help: "An address of mail.")
    var email: String?
    @Flag(help: "May administer the registry.")
    var admin = false

    func call() throws -> APICall {
        APICall(
            .post, ["users"],
            body: ["name": name, "email": email, "admin": admin ? true : nil, "password": try secret.read()])
    }

    var output: Output { .secret("user \(name) made", member: "password", name: "password") }
}

private struct ListUsers: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the users.")

    @OptionGroup var flags: AdministrationFlags
    @Option(help: "Only those that have a word in their names which begins so.")
    var containing: String?

    func call() -> APICall { APICall(.get, ["users"], query: containing.map { [("q", $0)] } ?? []) }

    var output: Output {
        .table([
            .init("NAME", "name"), .init("EMAIL", "email"), .init("ADMIN", "admin"), .init("DISABLED", "disabled"),
            .init("CREATED", "created_at"), .init("LAST LOGIN", "last_login_at"),
        ])
    }
}

private struct ShowUser: APICommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a user.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The user's name.") var name: String

    func call() -> APICall { APICall(.get, ["users", name]) }
    var output: Output {
        .record([
            .init("name", "name"), .init("email", "email"), .init("admin", "admin"), .init("disabled", "disabled"),
            .init("created", "created_at"), .init("last login", "last_login_at"),
        ])
    }
}

private struct UpdateUser: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Change a user's e-mail address, or whether they administer the registry.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The user's name.") var name: String
    @Option(help: "The new e-mail address.") var email: String?
    @Flag(help: "Take the e-mail address away.") var noEmail = false
    @Flag(inversion: .prefixedNo, help: "Whether the user may administer the registry.") var admin: Bool?

    func validate() throws {
        if email != nil, noEmail { throw ValidationError("--email and --no-email are one or the other") }
        if email == nil, !noEmail, admin == nil {
            throw ValidationError("say what to change: --email, --no-email, --admin or --no-admin")
        }
    }

    func call() -> APICall {
        let address: (any Sendable)? = noEmail ? APICall.null : email
        return APICall(.patch, ["users", name], body: ["email": address, "admin": admin])
    }

    var output: Output { .sentence("user \(name) changed") }
}

private struct DisableUser: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "disable", abstract: "Let a user do nothing any more, from now on and with any credential.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The user's name.") var name: String

    func call() -> APICall { APICall(.patch, ["users", name], body: ["disabled": true]) }
    var output: Output { .sentence("user \(name) disabled") }
}

private struct EnableUser: APICommand {
    static let configuration = CommandConfiguration(commandName: "enable", abstract: "Take back `disable`.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The user's name.") var name: String

    func call() -> APICall { APICall(.patch, ["users", name], body: ["disabled": false]) }
    var output: Output { .sentence("user \(name) enabled") }
}

private struct ResetPassword: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "reset-password", abstract: "Give a user another password; logins by the old one end.")

    @OptionGroup var flags: AdministrationFlags
    @OptionGroup var secret: PasswordFlags
    @Argument(help: "The user's name.") var name: String

    func call() throws -> APICall {
        APICall(.put, ["users", name, "password"], body: ["password": try secret.read()])
    }

    var output: Output { .secret("password of \(name) changed", member: "password", name: "password") }
}

private struct DeleteUser: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a user who has no repositories.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The user's name.") var name: String

    func call() -> APICall { APICall(.delete, ["users", name]) }
    var output: Output { .sentence("user \(name) deleted") }
}
