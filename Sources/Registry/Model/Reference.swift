/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}` (distribution-spec "Pulling manifests").
package struct Tag: Hashable, Sendable, CustomStringConvertible {
    /// Longest tag, in bytes.
    package static let maximumLength = 128

    private let text: String

    /// Reads a tag. Throws `ParseError(.tag)`.
    package static func parse(_ text: String) throws(ParseError) -> Tag {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= maximumLength, isWord(first),
            bytes.allSatisfy({ isWord($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else {
            throw ParseError(
                .tag,
                "'\(text.excerpt)' is not a tag: use up to \(maximumLength) letters, digits, '_', '.' and '-', "
                    + "not beginning with '.' or '-'")
        }
        return Tag(text: text)
    }

    private init(text: String) { self.text = text }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    package var description: String { text }
}

/// What names a manifest within a repository: a tag or a digest.
package enum Reference: Hashable, Sendable, CustomStringConvertible {
    case tag(Tag)
    case digest(Digest)

    /// Reads a reference: with a colon it is a digest, as no tag has one. Throws `ParseError`.
    package static func parse(_ text: String) throws(ParseError) -> Reference {
        text.utf8.contains(UInt8(ascii: ":")) ? .digest(try Digest.parse(text)) : .tag(try Tag.parse(text))
    }

    package var description: String {
        switch self {
        case .tag(let tag): tag.description
        case .digest(let digest): digest.description
        }
    }
}
