/// Which names of headers, parameters and fields carry secrets, and what in free text looks like one.
enum SecretNames {
    /// Names that hold one of these anywhere carry a secret.
    private static let fragments = [
        "token", "secret", "passw", "credential", "signature", "apikey", "accesskey", "hmac", "jwt", "session",
        "cookie",
    ].map { Array($0.utf8) }
    /// Names of which one word is one of these carry a secret: `access_key`, `X-Auth`, `privateKey`, but no `author`.
    private static let words = bytes([
        "key", "keys", "keyid", "auth", "authorization", "pass", "pwd", "sig", "awsaccesskeyid", "skoid",
    ])
    /// Whole names that carry a secret.
    private static let whole = bytes(["_state", "state", "ticket", "otp", "policy", "se", "sp", "verify", "sid"])

    /// Said of tokens, not one itself; and names of the registry API that hold no secret.
    private static let exempt = bytes(["token_type", "www-authenticate", "proxy-authenticate"])

    private static func bytes(_ names: [String]) -> Set<[UInt8]> { Set(names.map { Array($0.utf8) }) }

    /// Whether what stands behind this name is a secret.
    static func holds(_ name: String) -> Bool { holds(Array(name.utf8)[...]) }

    /// Whether what stands behind this name is a secret.
    static func holds(_ name: ArraySlice<UInt8>) -> Bool {
        let lower = name.map { isUpper($0) ? $0 | 0x20 : $0 }
        if whole.contains(lower) { return true }
        if exempt.contains(lower) { return false }
        return fragments.contains { lower.holds($0) } || hasWord(name, lower)
    }

    private static func isUpper(_ byte: UInt8) -> Bool { (65...90).contains(byte) }

    /// Whether one of the words of `access_key`, `X-Auth-Token` or `sessionToken` says so.
    private static func hasWord(_ name: ArraySlice<UInt8>, _ lower: [UInt8]) -> Bool {
        var (start, wasLower) = (0, false)
        for (index, byte) in name.enumerated() {
            let isBetween = "_-.".utf8.contains(byte) || byte > 127
            if isBetween || isUpper(byte) && wasLower {
                if words.contains(Array(lower[start..<index])) { return true }
                start = isBetween ? index + 1 : index
            }
            wasLower = !isUpper(byte)
        }
        return words.contains(Array(lower[start...]))
    }

    /// Whether a word behind `Bearer` or `Basic` is a credential, and no word of a sentence or of a challenge.
    static func isCredential(_ word: some Collection<UInt8>) -> Bool {
        let core = word.filter { $0 != UInt8(ascii: "=") }
        guard core.count >= 6 else { return false }
        let isSentence = core.dropFirst().allSatisfy { (97...122).contains($0) || $0 == 46 }
        return !isSentence || core.count >= 24
    }

    /// Whether a byte may stand in a token (RFC 9110's token68).
    static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "+"),
            UInt8(ascii: "/"), UInt8(ascii: "="):
            true
        default: false
        }
    }
}
