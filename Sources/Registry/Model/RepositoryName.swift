/// A repository's name within the registry (distribution-spec "Pulling manifests", `<name>`).
package struct RepositoryName: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Longest name taken, in bytes: clients limit host, `/` and name together to this.
    package static let maximumLength = 255

    private let text: String

    /// Reads a name: components of `[a-z0-9]+` joined by `.`, `_`, `__` or dashes, joined by `/`.
    /// Throws `ParseError(.repositoryName)`.
    package static func parse(_ text: String) throws(ParseError) -> RepositoryName {
        guard text.utf8.count <= maximumLength else {
            throw ParseError(.repositoryName, "the repository name has over \(maximumLength) characters")
        }
        guard isName(text.utf8) else {
            throw ParseError(
                .repositoryName,
                "'\(text.excerpt)' is not a repository name: use lower-case letters and digits, "
                    + "separated by '.', '_', '__', dashes or '/'")
        }
        return RepositoryName(text: text)
    }

    private init(text: String) { self.text = text }

    /// The grammar as a machine that reads each byte once; `run` counts the separators since the last letter or digit.
    static func isName(_ bytes: String.UTF8View) -> Bool {
        var separator: UInt8 = UInt8(ascii: "/")
        var run = 1
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                run = 0
            case UInt8(ascii: "-"):
                guard run == 0 || separator == byte else { return false }
                (separator, run) = (byte, run + 1)
            case UInt8(ascii: "_"):
                guard run == 0 || (separator == byte && run == 1) else { return false }
                (separator, run) = (byte, run + 1)
            case UInt8(ascii: "."), UInt8(ascii: "/"):
                guard run == 0 else { return false }
                (separator, run) = (byte, 1)
            default:
                return false
            }
        }
        return run == 0
    }

    package static func < (a: RepositoryName, b: RepositoryName) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }

    package var description: String { text }
}
