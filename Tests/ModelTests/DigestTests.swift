import Model
import Testing

@Suite("Digest")
struct DigestTests {
    static let sha256 = "sha256:" + String(repeating: "0123456789abcdef", count: 4)
    static let sha512 = "sha512:" + String(repeating: "0123456789abcdef", count: 8)

    @Test("a well-formed digest keeps its text and algorithm", arguments: [(sha256, "sha256"), (sha512, "sha512")])
    func wellFormed(text: String, algorithm: String) throws {
        let digest = try Digest.parse(text)
        #expect(digest.description == text)
        #expect(digest.algorithm.rawValue == algorithm)
    }

    @Test(
        "text that is no digest is refused as one",
        arguments: [
            "", ":", "sha256", "sha256:", ":abc", String(sha256.dropLast()), sha256 + "0", sha256.uppercased(),
            "sha256:" + String(repeating: "A", count: 64), "sha256:" + String(repeating: "g", count: 64),
            "sha512:" + String(repeating: "0", count: 64), "sha256:" + String(repeating: "0", count: 128),
            "sha256: " + String(repeating: "0", count: 63), "sha256:" + String(repeating: "0", count: 63) + "\n",
            "sha256:" + String(repeating: "０", count: 64), "sha256::" + String(repeating: "0", count: 63),
            "sha256:" + String(repeating: "0", count: 63) + "\0", "sha256:../../../etc/passwd",
        ])
    func malformed(text: String) {
        let error = #expect(throws: ParseError.self) { try Digest.parse(text) }
        #expect(error?.subject == .digest || error?.subject == .digestAlgorithm)
        #expect(error?.message.isEmpty == false)
    }

    @Test(
        "an algorithm that is not computed is refused by its name",
        arguments: ["sha384", "md5", "SHA256", "sha-256", "blake3", "sha256+b64", " sha256", "sha512 "])
    func otherAlgorithm(name: String) {
        let text = name + ":" + String(repeating: "0", count: 64)
        #expect(throws: ParseError.self) { try Digest.Algorithm.parse(name) }
        let error = #expect(throws: ParseError.self) { try Digest.parse(text) }
        #expect(error?.subject == .digestAlgorithm)
        #expect(error?.message.contains(name) == true)
    }

    @Test("bytes become lower-case hexadecimal")
    func fromBytes() throws {
        let digest = Digest(.sha256, bytes: (0..<32).map { UInt8($0 * 8) })
        #expect(digest.description == "sha256:0008101820283038404850586068707880889098a0a8b0b8c0c8d0d8e0e8f0f8")
        #expect(try Digest.parse(digest.description) == digest)
        #expect(Hex.encode([] as [UInt8]).isEmpty)
    }

    @Test("a message never repeats more than an excerpt of what was sent")
    func excerpt() {
        let error = #expect(throws: ParseError.self) { try Digest.parse(String(repeating: "x", count: 1 << 20)) }
        #expect((error?.message.utf8.count ?? .max) < 400)
    }
}
