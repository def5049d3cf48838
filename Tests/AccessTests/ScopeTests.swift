import Access
import Model
import Testing

@Suite("ScopeRequest")
struct ScopeTests {
    private static func name(_ text: String) throws -> RepositoryName { try RepositoryName.parse(text) }

    private static func repository(_ text: String, _ rights: Set<Right>) throws -> ScopeRequest {
        .repository(try name(text), rights)
    }

    @Test(
        "scopes as clients send them are read",
        arguments: [
            ("repository:a/b:pull", "a/b", [.pull]),
            ("repository:a/b:push,pull", "a/b", [.pull, .push]),
            ("repository:a/b:pull,push", "a/b", [.pull, .push]),
            ("repository(plugin):a/b:pull", "a/b", [.pull]),
            ("repository(image):a/b:pull", "a/b", [.pull]),
            ("repository:a/b:*", "a/b", [.pull, .push, .delete]),
            ("repository:a/b:delete", "a/b", [.delete]),
            ("repository:a--b/c---d:pull", "a--b/c---d", [.pull]),
            ("repository:a/b:", "a/b", []),
            ("repository:a/b:,,pull,", "a/b", [.pull]),
            ("repository:a/b:PULL,admin,administer,catalog,base,push", "a/b", [.push]),
        ] as [(String, String, Set<Right>)])
    func repositories(text: String, name: String, rights: Set<Right>) throws {
        #expect(try ScopeRequest.parse([text]) == [Self.repository(name, rights)])
    }

    @Test("the catalogue is asked for in the registry's words")
    func catalog() throws {
        #expect(try ScopeRequest.parse(["registry:catalog:*"]) == [.catalog])
        #expect(try ScopeRequest.parse(["registry:catalog:pull,*"]) == [.catalog])
    }

    @Test(
        "what is unknown or no scope at all is kept as it came, and grants nothing",
        arguments: [
            "*", ":", "::", ":::", "repository", "repository:", "repository:a/b", "repository::pull", "a/b:pull",
            "repository:A/B:pull", "repository:../a:pull", "repository:a/b/:pull", "repository:localhost:5000/a:pull",
            "repository:a%2fb:pull", "repository:a_%:pull", "Repository:a/b:pull", "repository(:a/b:pull",
            "(repository):a/b:pull", "repository)(x):a/b:pull",
            "registry:catalog:pull", "registry:other:*", "registry:catalog", "user:joe:*", "repository:a/b\0:pull",
            "repository:a/b:pull:c:d",
        ])
    func other(text: String) throws {
        #expect(try ScopeRequest.parse([text]) == [.other(text)])
        #expect(TokenScope(granted: [.other(text)]) == TokenScope(registry: [.base]))
    }

    @Test("several scopes, in one parameter or in many, are all kept: two in, two out")
    func several() throws {
        let expected = [
            try Self.repository("a/b", [.pull, .push]), .other("x:y:z"), try Self.repository("c/d", [.pull]), .catalog,
        ]
        let texts = ["repository:a/b:pull,push", "x:y:z", "repository:c/d:pull", "registry:catalog:*"]
        #expect(try ScopeRequest.parse(texts) == expected)
        #expect(try ScopeRequest.parse([texts.joined(separator: " ")]) == expected)
        #expect(
            try ScopeRequest.parse(["", "  ", texts[0] + "  " + texts[1], texts[2], " " + texts[3] + " "]) == expected)
        #expect(try ScopeRequest.parse([]).isEmpty)
    }

    @Test("what is asked of one repository twice comes together")
    func merged() throws {
        let parsed = try ScopeRequest.parse([
            "repository:a/b:pull", "repository:c/d:push", "repository:a/b:push repository:a/b:pull", "x", "x",
        ])
        #expect(
            parsed == [try Self.repository("a/b", [.pull, .push]), try Self.repository("c/d", [.push]), .other("x")])
    }

    @Test("more scopes, or longer ones, than a client has use for are refused")
    func bounds() throws {
        let texts = (0..<65).map { "repository:a/r\($0):pull" }
        #expect(try ScopeRequest.parse(Array(texts.dropLast())).count == 64)
        #expect(try ScopeRequest.parse([texts.dropLast().joined(separator: " ")]).count == 64)
        for parameters in [
            texts, [texts.joined(separator: " ")], [String(repeating: "x ", count: 1 << 20)],
            Array(repeating: "x x x", count: 22), ["x:" + String(repeating: "y", count: 510) + ":z"],
        ] {
            let error = #expect(throws: ParseError.self) { try ScopeRequest.parse(parameters) }
            #expect(error?.subject == .scope)
            #expect((error?.message.utf8.count ?? 0) < 300)
        }
        let longest = String(repeating: "a", count: 255)
        #expect(
            try ScopeRequest.parse(["repository:\(longest):pull,push,delete"]) == [
                Self.repository(longest, [.pull, .push, .delete])
            ])
    }

    @Test("a challenge asks for one scope of exactly three parts, which reads back as itself")
    func challenges() throws {
        let name = try Self.name("a/b")
        #expect(ScopeRequest.wanted(.pull, on: name)?.description == "repository:a/b:pull")
        #expect(ScopeRequest.wanted(.push, on: name)?.description == "repository:a/b:pull,push")
        #expect(ScopeRequest.wanted(.delete, on: name)?.description == "repository:a/b:delete")
        #expect(ScopeRequest.wanted(.catalog, on: nil)?.description == "registry:catalog:*")
        #expect(ScopeRequest.wanted(.base, on: nil) == nil)
        for right in Right.allCases {
            for place in [name, nil] {
                guard let wanted = ScopeRequest.wanted(right, on: place) else { continue }
                #expect(wanted.description.split(separator: ":").count == 3)
                #expect(!wanted.description.contains(" "))
                #expect(try ScopeRequest.parse([wanted.description]) == [wanted])
            }
        }
    }

    @Test("random text is read without a trap, and never as more than it names", arguments: 0..<8)
    func property(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let parts = [
            "repository", "registry", "catalog", ":", ":", ":", "a", "b/c", "pull", "push", ",", "*", "(", ")", " ",
            "é",
        ]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...9, using: &random)).compactMap { _ in parts.randomElement(using: &random)
            }.joined()
            for request in try ScopeRequest.parse([text]) {
                guard case .repository(let name, let rights) = request else { continue }
                #expect(text.contains(name.description))
                for (right, word) in [(Right.pull, "pull"), (.push, "push"), (.delete, "delete")]
                where rights.contains(right) {
                    #expect(text.contains(word) || text.contains("*"), "\(text)")
                }
                #expect(rights.isSubset(of: [.pull, .push, .delete]))
            }
        }
    }
}

@Suite("TokenScope")
struct TokenScopeTests {
    @Test("granted scopes become the access claim, sorted, without what was not granted")
    func claim() throws {
        let scope = TokenScope(
            granted: try ScopeRequest.parse([
                "repository:c/d:* repository:a/b:push,pull repository:e:", "x", "registry:catalog:*",
            ]))
        #expect(
            scope.access
                == #"[{"type":"repository","name":"a/b","actions":["pull","push"]},"#
                + #"{"type":"repository","name":"c/d","actions":["pull","push","delete"]},"#
                + #"{"type":"registry","name":"catalog","actions":["*"]}]"#)
        #expect(TokenScope(granted: []).access == "[]")
    }

    @Test("rights that no token carries are not written")
    func narrow() throws {
        let name = try RepositoryName.parse("a/b")
        #expect(TokenScope(repositories: [name: [.administer]], registry: [.base, .administer]).access == "[]")
    }
}
