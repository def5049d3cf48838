import Model
import Testing

@Suite("RepositoryName")
struct RepositoryNameTests {
    /// Throughout the distribution-spec, `<name>` is what this matches ("Pulling manifests").
    static let grammar = #"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"#

    @Test(
        "a name of the grammar is taken as it is",
        arguments: [
            "a", "0", "library/ubuntu", "a/b/c/d/e/f", "a.b", "a_b", "a__b", "a-b", "a-----b", "a.b_c__d-e/f.g",
            "sha256", "v2", "blobs/uploads", "manifests/tags/list", String(repeating: "a", count: 255),
            String(repeating: "a/", count: 127) + "a",
        ])
    func good(text: String) throws {
        #expect(try RepositoryName.parse(text).description == text)
    }

    @Test(
        "a name that breaks the grammar is refused",
        arguments: [
            "", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/..", "a/../b", ".a", "a.", "a..b", "_a", "a_", "a___b",
            "-a", "a-", "a-/b", "a/-b", "a.-b", "a_-b", "a-_b", "a._b", "A", "aB", "ä", "a b", " a", "a ", "a\n", "a\0",
            "a%2fb", "a\\b", "a:b", "a@b", "a~b", "a+b", "ａ", "a\u{301}", "🐳",
        ])
    func bad(text: String) {
        let error = #expect(throws: ParseError.self) { try RepositoryName.parse(text) }
        #expect(error?.subject == .repositoryName)
    }

    @Test("a name of 255 bytes is taken, of 256 it is not")
    func length() throws {
        #expect(throws: Never.self) { try RepositoryName.parse(String(repeating: "a", count: 255)) }
        #expect(throws: ParseError.self) { try RepositoryName.parse(String(repeating: "a", count: 256)) }
    }

    @Test("random names are taken exactly when the spec's expression matches", arguments: 0..<8)
    func property(seed: UInt64) throws {
        let regex = try Regex(Self.grammar)
        var random = SeededRandom(seed: seed)
        let alphabet = Array("aaz09..__--//A~")
        for _ in 0..<3000 {
            let length = Int.random(in: 0...12, using: &random)
            let text = String((0..<length).compactMap { _ in alphabet.randomElement(using: &random) })
            let isName: Bool
            do {
                _ = try RepositoryName.parse(text)
                isName = true
            } catch { isName = false }
            #expect(isName == (try regex.wholeMatch(in: text) != nil), "\(text.debugDescription)")
        }
    }

    @Test("names are ordered by bytes")
    func order() throws {
        let sorted = try ["b/a", "a/z", "a-b", "a.b", "a_b", "a", "0"].map { try RepositoryName.parse($0) }.sorted()
        #expect(sorted.map(\.description) == ["0", "a", "a-b", "a.b", "a/z", "a_b", "b/a"])
    }
}

@Suite("Tag and Reference")
struct ReferenceTests {
    @Test(
        "a tag of the grammar is taken",
        arguments: [
            "a", "_", "A", "0", "latest", "v1.2.3-rc.1_x", "__..--", String(repeating: "x", count: 128),
            String(repeating: "0123456789abcdef", count: 4),
        ])
    func goodTag(text: String) throws {
        #expect(try Tag.parse(text).description == text)
        #expect(try Reference.parse(text) == .tag(try Tag.parse(text)))
    }

    @Test(
        "a tag that breaks the grammar is refused",
        arguments: [
            "", ".", "-", ".a", "-a", "a b", "a/b", "a+b", "a@b", "ä", "a\n", "a\0", "ａ", "..", "../x",
            String(repeating: "x", count: 129),
        ])
    func badTag(text: String) {
        let error = #expect(throws: ParseError.self) { try Tag.parse(text) }
        #expect(error?.subject == .tag)
    }

    @Test("random tags are taken exactly when the spec's expression matches", arguments: 0..<4)
    func property(seed: UInt64) throws {
        let regex = try Regex("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
        var random = SeededRandom(seed: seed)
        let alphabet = Array("aZ0_.-:/ +")
        for _ in 0..<3000 {
            let length = Int.random(in: 0...8, using: &random)
            let text = String((0..<length).compactMap { _ in alphabet.randomElement(using: &random) })
            let isTag: Bool
            do {
                _ = try Tag.parse(text)
                isTag = true
            } catch { isTag = false }
            #expect(isTag == (try regex.wholeMatch(in: text) != nil), "\(text.debugDescription)")
        }
    }

    @Test("what has a colon is a digest or nothing")
    func colon() throws {
        #expect(try Reference.parse(DigestTests.sha256) == .digest(try Digest.parse(DigestTests.sha256)))
        #expect(try Reference.parse(DigestTests.sha512).description == DigestTests.sha512)
        for text in ["a:b", "latest:", ":latest", "sha256:abc"] {
            let error = #expect(throws: ParseError.self) { try Reference.parse(text) }
            #expect(error?.subject == .digest || error?.subject == .digestAlgorithm)
        }
    }
}

/// Random numbers that are the same in every run (splitmix64).
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
