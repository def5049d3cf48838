import Glibc

/// Where a new password comes from: a person, who types it twice without its being shown, or standard input.
enum PasswordInput {
    /// The first line of standard input. Throws `ConfigurationError` for none.
    static func line() throws(ConfigurationError) -> String {
        guard let line = readLine(strippingNewline: true), !line.isEmpty else {
            throw ConfigurationError(description: "there is no password on standard input")
        }
        return line
    }

    /// One that is there already, such as the current password: asked for once, without being shown. Throws
    /// `ConfigurationError` without a terminal.
    static func hidden(_ question: String) throws(ConfigurationError) -> String {
        try answer(question, isShown: false)
    }

    /// What is no secret, such as a name. Throws `ConfigurationError` without a terminal.
    static func shown(_ question: String) throws(ConfigurationError) -> String {
        try answer(question, isShown: true)
    }

    private static func answer(_ question: String, isShown: Bool) throws(ConfigurationError) -> String {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw ConfigurationError(
                description: "there is no terminal to ask on: see --help for how to say it on standard input")
        }
        defer { close(terminal) }
        guard let text = ask(question, terminal, isShown: isShown) else {
            throw ConfigurationError(description: "nothing was typed")
        }
        return text
    }

    /// Asks for it twice on the terminal. Throws `ConfigurationError` without one, or when the two differ.
    static func prompt() throws(ConfigurationError) -> String {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else {
            throw ConfigurationError(
                description:
                    "there is no terminal to ask for a password: use --password-stdin, or neither to get one made")
        }
        defer { close(terminal) }
        guard let first = ask("New password: ", terminal), let second = ask("Again: ", terminal) else {
            throw ConfigurationError(description: "no password was given")
        }
        guard first == second else { throw ConfigurationError(description: "the two passwords are not the same") }
        return first
    }

    /// A line, which the terminal shows if that is said; nil at its end.
    private static func ask(_ question: String, _ terminal: Int32, isShown: Bool = false) -> String? {
        var settings = termios()
        guard tcgetattr(terminal, &settings) == 0 else { return nil }
        var silent = settings
        if !isShown { silent.c_lflag &= ~tcflag_t(ECHO) }
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &settings)
            if !isShown { say("\n", terminal) }
        }
        say(question, terminal)
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while read(terminal, &byte, 1) == 1 {
            guard byte != UInt8(ascii: "\n") else {
                return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
            }
            bytes.append(byte)
        }
        return nil
    }

    private static func say(_ text: String, _ terminal: Int32) {
        _ = Array(text.utf8).withUnsafeBytes { write(terminal, $0.baseAddress, $0.count) }
    }
}
