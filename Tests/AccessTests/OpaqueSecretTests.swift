import Access
import Crypto
import Testing

@Suite("OpaqueSecret")
struct OpaqueSecretTests {
    private static let allKinds = OpaqueSecret.Kind.allCases

    @Test("a secret that was made is read again, and is like no other", arguments: allKinds)
    func roundTrip(kind: OpaqueSecret.Kind) throws {
        var seen: Set<String> = []
        for _ in 0..<500 {
            let secret = OpaqueSecret.make(kind)
            #expect(secret.text.utf8.count == OpaqueSecret.length)
            #expect(secret.text.hasPrefix(kind.rawValue))
            #expect(OpaqueSecret.looksLikeOne(secret.text))
            #expect(try OpaqueSecret.parse(secret.text) == secret)
            #expect(secret.hash == Array(SHA256.hash(data: Array(secret.text.utf8))))
            #expect(seen.insert(secret.text).inserted)
        }
    }

    @Test("each letter and digit comes up in each of the 43 places")
    func uniform() {
        var random = SeededRandom(seed: 1)
        var seen: [Set<Character>] = Array(repeating: [], count: 43)
        for _ in 0..<2000 {
            for (place, character) in OpaqueSecret.make(.apiKey, using: &random).text.dropFirst(3).prefix(43)
                .enumerated()
            {
                seen[place].insert(character)
            }
        }
        #expect(seen.allSatisfy { $0.count == 62 })
    }

    @Test("the form does not change: keys that were handed out stay valid")
    func fixed() throws {
        // The checksums are zlib's crc32 of what stands before them.
        for text in [
            "ak_00000000000000000000000000000000000000000002PL60u",
            "ar_zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz1s65O8",
        ] {
            #expect(try OpaqueSecret.parse(text).text == text)
        }
    }

    @Test("one letter typed wrong, left out, twice or exchanged with its neighbour is told apart from no secret at all")
    func mistyped() {
        var random = SeededRandom(seed: 2)
        let text = Array(OpaqueSecret.make(.apiKey, using: &random).text)
        for place in 3..<text.count {
            var other = text
            other[place] = text[place] == "x" ? "y" : "x"
            #expect(throws: OpaqueSecret.Fault.mistyped) { try OpaqueSecret.parse(String(other)) }
            var shorter = text
            shorter.remove(at: place)
            #expect(throws: OpaqueSecret.Fault.foreign) { try OpaqueSecret.parse(String(shorter)) }
            guard place + 1 < text.count, text[place] != text[place + 1] else { continue }
            var swapped = text
            swapped.swapAt(place, place + 1)
            #expect(throws: OpaqueSecret.Fault.mistyped) { try OpaqueSecret.parse(String(swapped)) }
        }
    }

    @Test("a secret of one kind is none of the other kind with its prefix")
    func respelled() {
        let key = OpaqueSecret.make(.apiKey)
        #expect(throws: OpaqueSecret.Fault.mistyped) { try OpaqueSecret.parse("ar_" + key.text.dropFirst(3)) }
    }

    @Test(
        "what has not the form of a secret is foreign",
        arguments: [
            "", "ak_", "hunter2", "AK_" + String(repeating: "0", count: 49), "ak_" + String(repeating: "0", count: 48),
            "ak_" + String(repeating: "0", count: 50), "ak_" + String(repeating: "-", count: 49),
            " ak_" + String(repeating: "0", count: 48), "ak_" + String(repeating: "é", count: 24) + "0",
        ])
    func foreign(text: String) {
        #expect(!OpaqueSecret.looksLikeOne(text))
        #expect(throws: OpaqueSecret.Fault.foreign) { try OpaqueSecret.parse(text) }
    }

    @Test("nothing that prints a secret prints more than its hint")
    func silence() {
        let secret = OpaqueSecret.make(.refreshToken)
        var dumped = ""
        dump(secret, to: &dumped)
        dump([secret], to: &dumped)
        for printed in ["\(secret)", String(describing: [secret]), String(reflecting: secret), dumped] {
            #expect(printed.contains(secret.hint))
            #expect(!printed.contains(secret.text.prefix(10)))
        }
        #expect(secret.hint.utf8.count == 9)
    }
}
