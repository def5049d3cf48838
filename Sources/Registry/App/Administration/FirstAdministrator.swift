import Foundation
import Glibc
import Logging
import Model
import Service

/// The administrator that the first start of a registry makes. There is no password that everybody knows: it is that of a
/// file, or one that is made and told to the terminal, never to the log.
struct FirstAdministrator {
    let name: AccountName
    /// That of `admin.password-file`; nil for one that is to be made.
    let password: String?
    let data: String

    /// Reads the settings, and the file. Throws `ConfigurationError`.
    init(_ settings: Settings) throws {
        data = settings.string("data")
        do throws(ParseError) {
            name = try AccountName.parse(settings.string("admin.name"))
        } catch {
            throw settings.wrong("admin.name", "a user's name: \(error.message)")
        }
        let file = settings.string("admin.password-file")
        guard !file.isEmpty else {
            password = nil
            return
        }
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(
                description: "cannot read admin.password-file '\(file)': \(error.localizedDescription)")
        }
        guard let line = text.split(separator: "\n", omittingEmptySubsequences: false).first, !line.isEmpty else {
            throw ConfigurationError(description: "admin.password-file '\(file)' is empty: put a password into it")
        }
        password = String(line)
    }

    /// Makes it where there is nobody who could administer the registry. Throws `ConfigurationError`, `RegistryError`.
    func make(_ accounts: Accounts, _ log: Logger) async throws {
        guard password != nil || isatty(STDOUT_FILENO) == 1 || isatty(STDERR_FILENO) == 1 else {
            return try await warn(accounts, log)
        }
        do throws(RegistryError) {
            guard let made = try await accounts.users.addFirstAdministrator(name, password: password) else { return }
            log.notice("the first administrator was made", metadata: ["name": "\(made.name)"])
            if password == nil { tell(made.password) }
        } catch {
            guard error.code == .fieldInvalid else { throw error }
            throw ConfigurationError(description: "the password in admin.password-file is not taken: \(error.message)")
        }
    }

    private func tell(_ password: String) {
        let text = """

            This registry is new, and has an administrator now. What follows is shown only here:

              name:      \(name)
              password:  \(password)

            To change it:  aerugo user reset-password \(name) --password --data \(data)


            """
        let terminal = isatty(STDOUT_FILENO) == 1 ? STDOUT_FILENO : STDERR_FILENO
        _ = Array(text.utf8).withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
    }

    /// Without a terminal nobody would ever see a password that was made here.
    private func warn(_ accounts: Accounts, _ log: Logger) async throws {
        guard try await accounts.users.isAdministratorMissing() else { return }
        log.warning(
            "there is no administrator yet, and no terminal to tell a password to: make one with the command below, or set admin.password-file",
            metadata: ["command": "aerugo user create \(name) --admin --data \(data)"])
    }
}
