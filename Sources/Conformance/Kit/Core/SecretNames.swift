/// Which names of headers, parameters and fields carry secrets, and what in free text looks like one.
enum SecretNames {
    /// Names that hold one of these anywhere carry a secret.
    private static let fragments = [
        "token", "secret", "passw", "credential", "signature", "apikey", "accesskey", "hmac", "jwt", "session",
        "cookie",
    ].map { Array($0.utf8) }
    /// Names of which one word is one of these carry a secret: `access_key`, `X-Auth`, `privateKey`, but no `author`.
    private static let words: Set<String> = [
        "key", "keys", "keyid", "auth", "authorization", "pass", "pwd", "sig", "awsaccesskeyid", "skoid",
    ]
    /// Whole names that carry a secret.
    private static let whole: Set<String> = ["_state", "state", "ticket", "otp", "policy", "se", "sp", "verify", "sid"]

    /// Whether what stands behind this name is a secret.
    static func holds(_ name: String) -> Bool {
        let lower = name.lowercased()
        if whole.contains(lower) { return true }
        // Said of tokens, not one itself; and names of the registry API that hold no secret.
        if ["token_type", "www-authenticate", "proxy-authenticate"].contains(lower) { return false }
        let bytes = Array(lower.utf8)
        return fragments.contains { bytes.holds($0) } || split(name).contains { words.contains($0) }
    }

    /// The words of `access_key`, `X-Auth-Token`, `sessionToken`, in lower case.
    private static func split(_ name: String) -> [String] {
        var found: [String] = [""]
        var wasLower = false
        for letter in name.unicodeScalars {
            let isUpper = ("A"..."Z").contains(letter)
            if letter == "_" || letter == "-" || letter == "." || (isUpper && wasLower) { found.append("") }
            wasLower = !isUpper
            if letter != "_", letter != "-", letter != "." {
                found[found.count - 1].unicodeScalars.append(letter)
            }
        }
        return found.map { $0.lowercased() }
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
