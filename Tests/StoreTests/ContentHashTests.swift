import Model
import Store
import Testing

@Suite("ContentHash")
struct ContentHashTests {
    /// FIPS 180-4 examples, and the empty message.
    @Test(
        "known messages have their known digests",
        arguments: [
            (Digest.Algorithm.sha256, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (.sha256, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                .sha256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
            ),
            (
                .sha512, "",
                "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"
            ),
            (
                .sha512, "abc",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
            ),
        ])
    func known(algorithm: Digest.Algorithm, message: String, hex: String) {
        #expect(ContentHash.digest(algorithm, of: Array(message.utf8)).description == "\(algorithm):\(hex)")
    }

    @Test("a million times 'a', saved and taken up again after every piece")
    func million() throws {
        for (algorithm, hex) in [
            (Digest.Algorithm.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
            (
                .sha512,
                "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b"
            ),
        ] {
            var hash = ContentHash(algorithm)
            let piece = [UInt8](repeating: UInt8(ascii: "a"), count: 9_973)
            var left = 1_000_000
            while left > 0 {
                let count = min(left, piece.count)
                piece[..<count].withUnsafeBytes { hash.update($0) }
                left -= count
                hash = try #require(ContentHash(algorithm, state: hash.state))
            }
            #expect(hash.digest.description == "\(algorithm):\(hex)")
        }
    }

    @Test("the state can be saved at every offset within a block", arguments: Digest.Algorithm.allCases)
    func everyOffset(algorithm: Digest.Algorithm) throws {
        let content = bytes(400)
        let whole = ContentHash.digest(algorithm, of: content)
        for cut in 0...300 {
            var first = ContentHash(algorithm)
            content[..<cut].withUnsafeBytes { first.update($0) }
            var second = try #require(ContentHash(algorithm, state: first.state))
            #expect(second.algorithm == algorithm)
            #expect(second.digest == ContentHash.digest(algorithm, of: Array(content[..<cut])))
            content[cut...].withUnsafeBytes { second.update($0) }
            #expect(second.digest == whole, "saved at \(cut)")
        }
    }

    @Test("asking for the digest does not end the hash, and copies are independent")
    func values() {
        var hash = ContentHash(.sha256)
        Array("ab".utf8).withUnsafeBytes { hash.update($0) }
        let copy = hash
        _ = hash.digest
        Array("c".utf8).withUnsafeBytes { hash.update($0) }
        #expect(hash.digest == sha256(Array("abc".utf8)))
        #expect(copy.digest == sha256(Array("ab".utf8)))
        [UInt8]().withUnsafeBytes { hash.update($0) }
        #expect(hash.digest == sha256(Array("abc".utf8)))
    }

    @Test("a state of another algorithm, cut short or filled with nonsense is refused")
    func badStates() {
        let (short, long) = (ContentHash(.sha256).state, ContentHash(.sha512).state)
        #expect(ContentHash(.sha512, state: short) == nil)
        #expect(ContentHash(.sha256, state: long) == nil)
        #expect(ContentHash(.sha256, state: []) == nil)
        #expect(ContentHash(.sha256, state: short.dropLast()) == nil)
        #expect(ContentHash(.sha256, state: short + [0]) == nil)
        #expect(ContentHash(.sha256, state: [UInt8](repeating: 0xff, count: short.count)) == nil)
        #expect(ContentHash(.sha512, state: [UInt8](repeating: 0xff, count: long.count)) == nil)
    }
}
