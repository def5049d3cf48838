/// Requests that are not as they should be: made by grammars, so that no list of them ends.
extension Player {
    mutating func odd(_ world: World, _ at: Int) -> Act {
        let endpoint = dice.pick(Oddity.Endpoint.allCases, or: .blob)
        let choices: [(Int, Oddity)] = [
            (2, .version(head: dice.oneIn(2))),
            (1, .route(dice.pick(["/nonsense/x", "/blobs/", "/manifests/", "/x"], or: "/x"))),
            (4, method(endpoint)), (4, digest()), (4, .tag(oddTag(), put: dice.oneIn(2))), (4, name()),
            (3, .upload(dice.pick(["GET", "PATCH", "PUT", "DELETE"], or: "GET"))), (5, .manifest(badManifest())),
            (3, .raw(dice.pick(Oddity.RawForm.allCases, or: .noHost))), (4, query()),
        ]
        return .odd(at, dice.weighted(choices.map { (weight: $0.0, choice: $0.1) }) ?? .version(head: false))
    }

    private mutating func badManifest() -> Oddity.BadManifest {
        dice.weighted([
            (4, .text), (4, .cut), (2, .empty), (3, .array), (3, .wrongTypes), (5, .wrongDigest), (4, .otherType),
            (3, .bothLists),
            (1, .huge), (1, .big),
        ]) ?? .text
    }

    private mutating func method(_ endpoint: Oddity.Endpoint) -> Oddity {
        let all: [String] =
            switch endpoint {
            case .version, .tags, .referrers: ["POST", "PUT", "PATCH", "DELETE"]
            case .blob: ["POST", "PUT", "PATCH"]
            case .manifest: ["POST", "PATCH"]
            case .uploads: ["PUT", "PATCH", "DELETE"]
            }
        return .method(dice.oneIn(12) ? "FROBNICATE" : dice.pick(all, or: "PATCH"), endpoint)
    }

    private mutating func digest() -> Oddity {
        let digits = "0123456789abcdef"
        let hex = word(from: digits, 64)
        let digest = dice.pick(
            [
                "sha256:" + String(hex.prefix(dice.number(0...63))), "sha256:" + hex + "0",
                "sha256:" + hex.uppercased() + "A",
                "sha256:" + hex.dropLast() + "g", "md9:" + hex, ":" + hex, "sha256:" + hex.dropLast(2) + "%00",
            ], or: "sha256:")
        let endpoint: Oddity.Endpoint = dice.pick([.blob, .manifest, .referrers], or: .blob)
        let method = endpoint == .referrers ? "GET" : dice.pick(["GET", "GET", "HEAD", "DELETE"], or: "GET")
        return .digest(digest, endpoint, method: method)
    }

    private mutating func word(from letters: String, _ count: Int) -> String {
        let letters = Array(letters)
        return String((0..<count).map { _ in dice.pick(letters, or: "a") })
    }

    /// A tag outside the grammar.
    private mutating func oddTag() -> String {
        let word = word(from: "abcXYZ019", dice.number(1...9))
        return dice.pick(
            [
                "." + word, "-" + word, word + "%20" + word, word + "+", word + "@", "%C3%A9" + word, word + "~",
                String(repeating: "t", count: 128) + word,
            ], or: "." + word)
    }

    /// A name at the limits of the grammar, or outside.
    private mutating func name() -> Oddity {
        let letters = "abcdefxyz0189"
        let (one, two) = (word(from: letters, dice.number(1...9)), word(from: letters, dice.number(1...9)))
        if dice.oneIn(3) {
            let joint = dice.pick(
                [".", "_", "__", "-", "---", "/", "/manifests/", "/blobs/uploads/", "/tags/list/"], or: "/")
            let good = dice.oneIn(5) ? String(repeating: "n", count: dice.number(60...140)) : one + joint + two
            return .name(good, isGood: true)
        }
        let bad = dice.pick(
            [
                one + "A", "-" + one, one + "-", "." + one, one + ".." + two, one + "___" + two, one + "._" + two,
                one + "//" + two, "../" + one, one + "%2F..%2F" + two, "%2e%2e/" + one, one + "%20", one + "%00" + two,
                one + "%5C" + two, one + "%C3%A9", "_" + one, one + "_", one + "+" + two, one + "%FF",
            ], or: "A")
        return .name(bad, isGood: false)
    }
}
