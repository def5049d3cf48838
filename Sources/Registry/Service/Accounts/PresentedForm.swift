import Access
import Model

/// Credentials, read from the fields that they came in.
enum PresentedForm {
    case nothing
    /// RFC 7617.
    case basic(user: String, secret: String)
    case key(OpaqueSecret)
    case session(OpaqueSecret)
    /// RFC 6750.
    case bearer(String)

    /// Reads `Authorization`, or `X-API-Key` where that is not there. Throws `.credentialsInvalid`.
    init(_ presented: Presented) throws(RegistryError) {
        guard let field = presented.authorization else {
            self = try presented.key.map { (text) throws(RegistryError) in .key(try Self.key(text)) } ?? .nothing
            return
        }
        let halves = field.split(separator: " ", maxSplits: 1)
        let value = halves.count == 2 ? halves[1].filter { $0 != " " } : ""
        switch halves.first?.lowercased() {
        case "basic":
            guard let bytes = Self.decoded(value), let text = String(validating: bytes, as: UTF8.self),
                let colon = text.firstIndex(of: ":")
            else { throw RegistryError(.credentialsInvalid, "the Basic credentials are not base64 of name:password") }
            self = .basic(user: String(text[..<colon]), secret: String(text[text.index(after: colon)...]))
        case "bearer":
            guard OpaqueSecret.looksLikeOne(value) else {
                self = .bearer(value)
                return
            }
            self =
                value.hasPrefix(OpaqueSecret.Kind.session.rawValue)
                ? .session(try Self.secret(value, .session)) : .key(try Self.key(value))
        default:
            throw RegistryError(.credentialsInvalid, "Authorization must be of the scheme Basic or Bearer")
        }
    }

    static func key(_ text: String) throws(RegistryError) -> OpaqueSecret { try secret(text, .apiKey) }

    private static func secret(_ text: String, _ kind: OpaqueSecret.Kind) throws(RegistryError) -> OpaqueSecret {
        let noun = kind == .apiKey ? "API key" : "session"
        do throws(OpaqueSecret.Fault) {
            let secret = try OpaqueSecret.parse(text)
            guard secret.kind == kind else { throw .foreign }
            return secret
        } catch {
            throw RegistryError(
                .credentialsInvalid,
                error == .mistyped ? "the \(noun) is mistyped: its checksum is wrong" : "that is no \(noun)")
        }
    }

    /// Base64 (RFC 4648 section 4), with or without padding; nil for anything else.
    private static func decoded(_ text: String) -> [UInt8]? {
        let digits = text.utf8.reversed().drop { $0 == UInt8(ascii: "=") }.reversed()
        guard text.utf8.count <= 8192, text.utf8.count - digits.count <= 2, digits.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in digits {
            let value: UInt8
            switch digit {
            case 0x41...0x5a: value = digit - 0x41
            case 0x61...0x7a: value = digit - 0x61 + 26
            case 0x30...0x39: value = digit - 0x30 + 52
            case UInt8(ascii: "+"): value = 62
            case UInt8(ascii: "/"): value = 63
            default: return nil
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return bytes
    }
}
