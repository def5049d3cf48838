import Foundation

extension Settings {
    /// The password in the file that a setting names: its first line; nil where it names none. Throws `ConfigurationError`, which
    /// never has the password in it.
    func secret(_ key: String) throws -> String? {
        let file = string(key)
        guard !file.isEmpty else { return nil }
        let text: String
        do {
            text = try String(contentsOfFile: file, encoding: .utf8)
        } catch {
            throw ConfigurationError(description: "cannot read \(key) '\(file)': \(error.localizedDescription)")
        }
        let secret = String(text.prefix { !$0.isNewline })
        guard !secret.isEmpty else {
            throw ConfigurationError(description: "\(key) '\(file)' is empty: put the password into it")
        }
        return secret
    }
}
