import Access
import Model
import Runtime
import Testing

@Suite("Passwords")
struct PasswordTests {
    @Test(
        "a password has 1 to 1,024 bytes, once it is normalised, and no NUL",
        arguments: [
            ("x", true), ("", false), ("a\0b", false), ("\0", false), (" ", true), ("🐳", true),
            (String(repeating: "a", count: 1024), true), (String(repeating: "a", count: 1025), false),
            // 3 bytes each as they come, 2 in normal form.
            (String(repeating: "e\u{301}", count: 512), true), (String(repeating: "e\u{301}", count: 513), false),
            (String(repeating: "\u{1100}\u{1161}\u{11a8}", count: 341), true),
            (String(repeating: "a", count: 1 << 20), false), (String(repeating: "\u{301}", count: 1 << 20), false),
        ])
    func lengths(text: String, isGood: Bool) {
        do throws(ParseError) {
            _ = try Password.parse(text)
            #expect(isGood)
        } catch {
            #expect(!isGood)
            #expect(error.subject == .password)
        }
    }

    @Test("one text in two spellings is one password, and letters that only look alike are not")
    func normalForm() throws {
        for (one, other) in [
            ("caf\u{e9}", "cafe\u{301}"), ("\u{212b}", "A\u{30a}"), ("\u{ac01}", "\u{1100}\u{1161}\u{11a8}"),
            ("q\u{307}\u{323}", "q\u{323}\u{307}"), ("\u{1e69}", "s\u{323}\u{307}"),
        ] {
            #expect(try Password.parse(one) == Password.parse(other))
        }
        for (one, other) in [("a", "\u{430}"), ("\u{fb01}", "fi"), ("a", "A"), ("\u{ff41}", "a"), ("a", "a ")] {
            #expect(try Password.parse(one) != Password.parse(other))
        }
    }

    @Test("random text in both normal forms is one password exactly when Swift holds the texts equal", arguments: 0..<4)
    func property(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let scalars: [Unicode.Scalar] = [
            "a", "e", "\u{301}", "\u{323}", "\u{307}", "\u{e9}", "\u{1100}", "\u{1161}", "\u{11a8}", "\u{ac00}",
            "\u{fb1d}",
            "\u{5b4}", "\u{5d9}", "\u{1d15e}", "\u{958}", "\u{915}", "\u{93c}",
        ]
        for _ in 0..<2000 {
            let texts = (0..<2).map { _ in
                var text = String.UnicodeScalarView()
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    if let scalar = scalars.randomElement(using: &random) { text.append(scalar) }
                }
                return String(text)
            }
            let isSame = try Password.parse(texts[0]) == Password.parse(texts[1])
            #expect(isSame == (texts[0] == texts[1]), "\(texts.map { Array($0.unicodeScalars) })")
        }
    }

    @Test("a chosen password is not short, not the name, and no API key")
    func rules() throws {
        let rules = PasswordRules()
        for text in ["short12", "", "ééééééé", OpaqueSecret.make(.apiKey).text, "JoeSmith"] {
            let error = #expect(throws: ParseError.self) { try rules.choose(text, for: "joesmith") }
            #expect(error?.subject == .password)
        }
        for text in ["joesmith1", "éééééééé", "        "] {
            #expect(throws: Never.self) { try rules.choose(text, for: "joesmith") }
        }
        #expect(throws: Never.self) { try PasswordRules(minimumLength: 1).choose("x", for: "joe") }
        #expect(throws: ParseError.self) {
            try PasswordRules(minimumLength: 20).choose("0123456789012345678", for: "joe")
        }
    }

    @Test("a password that is made has 20 letters and digits of which none looks like another, and is like no other")
    func generated() throws {
        var seen: Set<String> = []
        for _ in 0..<1000 {
            let text = Password.generate()
            #expect(text.utf8.count == 20)
            #expect(text.allSatisfy { ($0.isLetter || $0.isNumber) && $0.isASCII && !"lIoO01".contains($0) })
            #expect(seen.insert(text).inserted)
            #expect(throws: Never.self) { try PasswordRules(minimumLength: 20).choose(text, for: "admin") }
        }
    }

    @Test("nothing that prints a password prints it")
    func silence() throws {
        let password = try Password.parse("hunter2hunter2")
        var dumped = ""
        dump([password], to: &dumped)
        #expect(!(dumped + "\(password)" + String(reflecting: password)).contains("104"))
        #expect(!(dumped + "\(password)" + String(reflecting: password)).contains("hunter"))
    }
}

@Suite("PasswordHasher")
struct PasswordHasherTests {
    private static func hasher(cost: Int = 1) throws -> PasswordHasher { try PasswordHasher(cost: cost) }

    @Test("the right password is right, any other is wrong, also one that nobody can have")
    func verify() async throws {
        let hasher = try Self.hasher()
        defer { hasher.stop() }
        let hash = try await hasher.hash(try Password.parse("correct horse"))
        #expect(hash.hasPrefix("$y$"))
        #expect(try await hasher.verify("correct horse", against: hash) == .right)
        for text in [
            "correct horse ", "Correct horse", "", "correct horse\0", String(repeating: "x", count: 5000), hash,
        ] {
            #expect(try await hasher.verify(text, against: hash) == .wrong)
            #expect(try await hasher.verify(text, against: nil) == .wrong)
        }
        #expect(try await hasher.verify("correct horse", against: nil) == .wrong)
    }

    @Test("the same password has another hash each time")
    func salts() async throws {
        let hasher = try Self.hasher()
        defer { hasher.stop() }
        let password = try Password.parse("correct horse")
        let (one, other) = (try await hasher.hash(password), try await hasher.hash(password))
        #expect(one != other)
        #expect(try await hasher.verify("correct horse", against: other) == .right)
    }

    @Test("a hash that crypt made elsewhere is taken, and one of another cost is to be made anew")
    func outdated() async throws {
        let hasher = try Self.hasher(cost: 1)
        defer { hasher.stop() }
        let cheap = "$y$j75$KV9AR7K9cf3PobTL7nVPE/$jCtzmHSCBeZ3zl68NMiiCg3z97TUPfidB4xN6LJppE4"
        let dear = "$y$j9T$uVJqs95DFuKhfBiZtRvz11$kHw9pZik3Ee1BtiZSQyrmQA1RHqbi7Ow1F4g2lIRz7A"
        #expect(try await hasher.verify("hello world", against: cheap) == .right)
        #expect(try await hasher.verify("hello world", against: dear) == .outdated)
        #expect(try await hasher.verify("hello worlds", against: dear) == .wrong)
    }

    @Test("of hundreds of wrong passwords none is right")
    func manyWrong() async throws {
        let hasher = try Self.hasher(cost: 1)
        defer { hasher.stop() }
        let hash = try await hasher.hash(try Password.parse("the right one"))
        for number in 0..<400 {
            #expect(try await hasher.verify("wrong \(number)", against: hash) == .wrong, "\(number)")
        }
    }

    @Test("every byte counts, also past the 511 that crypt takes", arguments: [510, 511, 512, 513, 1024])
    func long(length: Int) async throws {
        let hasher = try Self.hasher()
        defer { hasher.stop() }
        let text = String(repeating: "a", count: length)
        let hash = try await hasher.hash(try Password.parse(text))
        #expect(try await hasher.verify(text, against: hash) == .right)
        #expect(try await hasher.verify(text.dropLast() + "b", against: hash) == .wrong)
        #expect(try await hasher.verify(String(text.dropLast()), against: hash) == .wrong)
    }

    @Test("what a keyboard composes and what it leaves apart open the same door")
    func normalForm() async throws {
        let hasher = try Self.hasher()
        defer { hasher.stop() }
        let hash = try await hasher.hash(try Password.parse("cafe\u{301} noir"))
        #expect(try await hasher.verify("caf\u{e9} noir", against: hash) == .right)
    }

    @Test(
        "a row that holds no hash is a fault of the store's, not a right password",
        arguments: ["", "*", "x", "$y$", "$1$a", "$1$a$RVV5x5MtqcLH0DhgXlgTC1"])
    func damaged(hash: String) async throws {
        let hasher = try Self.hasher()
        defer { hasher.stop() }
        let error = await #expect(throws: RegistryError.self) { try await hasher.verify("x", against: hash) }
        #expect(error?.code == .unavailable)
    }

    @Test("past its queue, a login is told to come again")
    func overload() async throws {
        let hasher = try PasswordHasher(cost: 1, capacity: 0)
        let error = await #expect(throws: RegistryError.self) { try await hasher.verify("x", against: nil) }
        #expect(error?.code == .tooManyRequests)
        #expect(error?.retryAfter != nil)
        hasher.stop()
    }

    @Test("a name that is not there takes the time of one that is")
    func timing() async throws {
        let hasher = try Self.hasher(cost: 5)
        defer { hasher.stop() }
        let hash = try await hasher.hash(try Password.parse("correct horse"))
        var known: [Duration] = []
        var unknown: [Duration] = []
        let clock = ContinuousClock()
        for _ in 0..<7 {
            known.append(try await clock.measure { _ = try await hasher.verify("wrong horse", against: hash) })
            unknown.append(try await clock.measure { _ = try await hasher.verify("wrong horse", against: nil) })
        }
        // Without the hash it would be a thousandth: a busy machine does not make up for that.
        #expect(unknown.sorted()[3] > known.sorted()[0] / 4)
    }
}
