import Access
import Crypto
import Foundation
import Model
import Testing

@Suite("Forged and confused tokens")
struct ForgeryTests {
    private let forge = Forgery()

    @Test("what the forger's tools write is the token that we write, before anything in it is changed")
    func genuine() throws {
        let text = try forge.issuer.issue(Forgery.token())
        let parts = text.split(separator: ".")
        #expect(parts[0] == Forgery.encode(forge.header))
        #expect(forge.fault(try forge.signed(Forgery.claims())) == nil)
        #expect(try forge.verifier.verify(try forge.signed(Forgery.claims()), now: Forgery.now) == Forgery.token())
    }

    @Test("another algorithm, type, key or member in the header is refused, however well it is signed")
    func headers() throws {
        let id = forge.key.id
        let kid = #""kid":"\#(id)""#
        let typ = #""typ":"aerugo-access+jwt""#
        let jwk = publicKeySet([forge.key], now: Forgery.now).dropFirst(9).dropLast(2)
        var headers = [
            "none", "None", "NONE", "nOnE", "", "HS256", "RS256", "ES384", "ES256K", "EdDSA", "es256", "ES256 ",
        ]
        .map { #"{"alg":"\#($0)",\#(kid),\#(typ)}"# }
        headers += [
            #"{\#(kid),\#(typ)}"#, #"{"alg":"ES256",\#(typ)}"#, #"{"alg":"ES256",\#(kid)}"#,
            #"{"alg":"ES256","kid":"",\#(typ)}"#, #"{"alg":"ES256","kid":null,\#(typ)}"#,
            #"{"alg":"ES256","kid":"other",\#(typ)}"#, #"{"alg":"ES256","kid":["\#(id)"],\#(typ)}"#,
            #"{"alg":"ES256","kid":"../../dev/null",\#(typ)}"#, #"{"alg":"ES256","kid":"' OR 1=1 --",\#(typ)}"#,
            #"{"alg":["ES256"],\#(kid),\#(typ)}"#, #"{"alg":null,\#(kid),\#(typ)}"#,
            #"{"alg":"ES256",\#(kid),"typ":"JWT"}"#, #"{"alg":"ES256",\#(kid),"typ":"at+jwt"}"#,
            #"{"alg":"ES256",\#(kid),"typ":"aerugo-refresh+jwt"}"#,
            #"{"alg":"ES256",\#(kid),"typ":"AERUGO-ACCESS+JWT"}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"crit":["exp"]}"#, #"{"alg":"ES256",\#(kid),\#(typ),"crit":[]}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"jwk":\#(jwk)}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"jku":"http://169.254.169.254/"}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"x5u":"http://localhost/"}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"x5c":["MII="]}"#, #"{"alg":"ES256",\#(kid),\#(typ),"b64":false}"#,
            #"{"alg":"ES256",\#(kid),\#(typ),"zip":"DEF"}"#, #"{"alg":"ES256",\#(kid),\#(typ),"cty":"JWT"}"#,
            #"{"alg":"none","alg":"ES256",\#(kid),\#(typ)}"#, #"{"alg":"ES256","alg":"none",\#(kid),\#(typ)}"#,
            #"{"alg":"ES256",\#(kid),\#(kid),\#(typ)}"#, #"{ "alg":"ES256",\#(kid),\#(typ)}"#,
            #"{\#(typ),\#(kid),"alg":"ES256"}"#, "\u{feff}" + forge.header, forge.header + "\n", "{}", "[]", "null", "",
        ]
        for header in headers {
            #expect(forge.fault(try forge.signed(header: header, Forgery.claims())) == .header, "\(header)")
            // And with no signature at all, as `none` has it.
            let bare = Forgery.encode(header) + "." + Forgery.encode(Forgery.claims()) + "."
            #expect(forge.fault(bare) == .header, "\(header)")
        }
        #expect(forge.fault(Forgery.encode(forge.header) + "." + Forgery.encode(Forgery.claims()) + ".") == .malformed)
    }

    @Test("the public key as a secret of HMAC signs nothing, in any of the forms that it is published in")
    func confusion() throws {
        let key = try forge.ours().publicKey
        let secrets = [
            Data(key.pemRepresentation.utf8), key.derRepresentation, key.rawRepresentation, key.x963Representation,
            Data(publicKeySet([forge.key], now: Forgery.now).utf8), Data(forge.key.id.utf8), Data(),
        ]
        for algorithm in ["HS256", "ES256", "none"] {
            for secret in secrets {
                let header = #"{"alg":"\#(algorithm)","kid":"\#(forge.key.id)","typ":"aerugo-access+jwt"}"#
                let text = Forgery.encode(header) + "." + Forgery.encode(Forgery.claims())
                let code = Array(
                    HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: SymmetricKey(data: secret)))
                let expected: TokenFault = algorithm == "ES256" ? .malformed : .header
                #expect(forge.fault(text + "." + Base64URL.encode(code)) == expected)
                // As long as a signature is.
                #expect(forge.fault(text + "." + Base64URL.encode(code + code)) != nil)
            }
        }
    }

    @Test("a key that the forger made signs nothing, under its own id or under ours")
    func otherKey() throws {
        let other = Forgery()
        #expect(forge.fault(try other.signed(Forgery.claims())) == .header)
        #expect(forge.fault(try other.signed(header: forge.header, Forgery.claims())) == .signature)
        let curve = P384.Signing.PrivateKey()
        let text = Forgery.encode(forge.header) + "." + Forgery.encode(Forgery.claims())
        let signature = try curve.signature(for: Data(text.utf8)).rawRepresentation
        #expect(forge.fault(text + "." + Base64URL.encode(Array(signature))) == .malformed)
        #expect(TokenVerifier(Forgery.realm, []).refuses(try forge.signed(Forgery.claims())))
    }

    @Test("a signature of another length or form is refused; one with the other of the two s is as good")
    func signatures() throws {
        let text = Forgery.encode(forge.header) + "." + Forgery.encode(Forgery.claims())
        let raw = try forge.sign(text)
        let der = Array(try P256.Signing.ECDSASignature(rawRepresentation: raw).derRepresentation)
        for bytes in [der, [], Array(raw.dropLast()), raw + [0], [0] + raw, Array(raw.prefix(32)), raw + raw] {
            #expect(forge.fault(text + "." + Base64URL.encode(bytes)) == .malformed)
        }
        let zero = [UInt8](repeating: 0, count: 32)
        let full = [UInt8](repeating: 255, count: 32)
        let (r, s) = (Array(raw.prefix(32)), Array(raw.suffix(32)))
        for bytes in [zero + zero, full + full, r + zero, zero + s, r + Self.order, Self.order + s, r + full, s + r] {
            #expect(forge.fault(text + "." + Base64URL.encode(bytes)) == .signature)
        }
        #expect(forge.fault(text + "." + Base64URL.encode(r + Self.complement(s))) == nil)
    }

    /// The order of the group of P-256.
    private static let order: [UInt8] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7,
        0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ]

    /// The order minus s.
    private static func complement(_ s: [UInt8]) -> [UInt8] {
        var out = order
        var borrow = 0
        for place in (0..<32).reversed() {
            let difference = Int(order[place]) - Int(s[place]) - borrow
            out[place] = UInt8(truncatingIfNeeded: difference)
            borrow = difference < 0 ? 1 : 0
        }
        return out
    }

    @Test("cut anywhere, or with any byte changed, left out or put in, a token is refused")
    func bytes() throws {
        let scope = TokenScope(granted: try ScopeRequest.parse(["repository:a/b:pull"]))
        let text = Array(try forge.issuer.issue(Forgery.token(scope: scope)).utf8)
        let verifier = forge.verifier
        for place in text.indices {
            #expect(verifier.refuses(text[..<place]), "cut at \(place)")
            var other = text
            for change in [text[place] ^ 1, text[place] ^ 0x20, text[place] ^ 0x80, UInt8(ascii: "."), 0]
            where change != text[place] {
                other[place] = change
                #expect(verifier.refuses(other), "\(change) at \(place)")
            }
            other = text
            other.remove(at: place)
            #expect(verifier.refuses(other), "without \(place)")
            other = text
            other.insert(text[place], at: place)
            #expect(verifier.refuses(other), "twice \(place)")
        }
    }

    @Test("blanks, padding, the other alphabet, more or fewer parts are refused")
    func forms() throws {
        let text = try forge.signed(Forgery.claims())
        let parts = text.split(separator: ".").map(String.init)
        for other in [
            "", ".", "..", "...", "....", " " + text, text + " ", text + "\n", "\t" + text, text + "\0", text + ".",
            "." + text,
            parts.joined(separator: ".."), parts[0] + "." + parts[1], text + "=", text + "==",
            parts.joined(separator: "=."),
            parts.joined(separator: ". "), "Bearer " + text, text + "." + parts[2], "\"\(text)\"", text.uppercased(),
            text + "," + text, parts.joined(separator: "。"), "\u{feff}" + text,
        ] {
            #expect(forge.fault(other) != nil, "\(other)")
        }
    }

    @Test("a megabyte is refused by its length, also when it is signed well")
    func size() throws {
        let blank = Forgery.claims(and: String(repeating: " ", count: 1 << 20))
        #expect(forge.fault(try forge.signed(blank)) == .malformed)
        for byte in ["a", ".", "é"] { #expect(forge.fault(String(repeating: byte, count: 1 << 20)) == .malformed) }
        // Nearly as long as may be, and nested deeply.
        let deep = String(repeating: "[", count: 2500)
        #expect(forge.fault(try forge.signed(Forgery.claims(and: #","x":"# + deep))) == .claims)
    }

    @Test("claims of another type, or missing, or twice there, are refused; unknown ones are passed over")
    func claims() throws {
        var bad: [String] = [
            "", "[]", "null", "{}", "\"x\"", "{", Forgery.claims() + "x", Forgery.claims() + Forgery.claims(),
            "\u{feff}" + Forgery.claims(),
            Forgery.claims(and: ","), Forgery.claims(and: #","aud":"registry.example""#),
            Forgery.claims(and: #","sub":"1""#),
            Forgery.claims(and: #","exp":1800003600"#), Forgery.claims(and: #","s\u0075b":"1""#),
            Forgery.claims(and: #","Sub":"1""#),
            Forgery.claims(and: #","x":1,"x":1"#), Forgery.claims(and: #","access":[]"#),
        ]
        for name in ["iss", "aud", "exp", "nbf", "iat", "ms", "jti", "cred", "access"] {
            for value in [nil, "null", "{}", "[]", "true", "1.5", "\"\"", "[[]]", "-1", "1e3", "99999999999999999999"]
                as [String?]
            {
                // Empty texts and lists are claims of their type.
                let isSound =
                    (name == "access" && value == "[]") || (["iss", "aud", "cred"].contains(name) && value == "\"\"")
                if !isSound { bad.append(Forgery.claims([name: value])) }
            }
        }
        for value in [
            "key", "key:", "key:x", "password", "password:", "password:x", "admin", "key:1:2", "login:", "none",
            "Password",
        ] {
            bad.append(Forgery.claims(["cred": "\"\(value)\""]))
        }
        for value in [
            "null", "42", "\"\"", "\"0\"", "\"-1\"", "\"042\"", "\"+42\"", "\"admin\"", "[\"42\"]",
            "\"99999999999999999999\"",
        ] {
            bad.append(Forgery.claims(["sub": value]))
        }
        for text in bad { #expect(forge.fault(try forge.signed(text)) == .claims, "\(text)") }
        #expect(forge.fault(try forge.signed(Forgery.claims(and: #","x":{"exp":1,"aud":[]},"EXTRA":null"#))) == nil)
    }

    @Test("a token for somebody else, or by somebody else, is refused")
    func realms() throws {
        for audience in [
            #""other""#, #""""#, #""REGISTRY.EXAMPLE""#, #""registry.example ""#, #""registry.example.evil""#,
        ] {
            #expect(forge.fault(try forge.signed(Forgery.claims(["aud": audience]))) == .audience)
        }
        for audience in ["[]", #"["registry.example"]"#, #"["other","registry.example"]"#] {
            #expect(forge.fault(try forge.signed(Forgery.claims(["aud": audience]))) == .claims)
        }
        for issuer in [#""https://other.example""#, #""""#, #""https://registry.example/""#] {
            #expect(forge.fault(try forge.signed(Forgery.claims(["iss": issuer]))) == .issuer)
        }
    }

    @Test("the clocks may be a minute and a half apart, and no more")
    func time() throws {
        let text = try forge.signed(Forgery.claims())
        for (offset, fault) in [
            (0, nil), (-89_000, nil), (-90_000, nil), (-90_001, .early), (-1 << 40, .early), (3_600_000 - 124, nil),
            (3_600_000 + 89_876, nil), (3_600_000 + 89_877, .expired), (1 << 50, .expired),
        ] as [(Int64, TokenFault?)] {
            #expect(forge.fault(text, now: Forgery.now + .milliseconds(offset)) == fault, "\(offset)")
        }
        for now in [Int64.min, .max] { #expect(forge.fault(text, now: Timestamp(milliseconds: now)) != nil) }
    }

    @Test("a life that ends before it begins, or is longer than we ever give, is refused")
    func lives() throws {
        for (changes, fault) in [
            (["exp": "1799999998"], .claims), (["exp": "1800086402"], .claims), (["exp": "253402300799"], .claims),
            (["exp": "253402300800"], .claims), (["exp": "9223372036854775807"], .claims), (["iat": "0"], .claims),
            (["nbf": "1800000100"], .early), (["nbf": "0"], nil), (["exp": "1800086400"], nil),
            (["ms": "1000"], .claims),
            (["iat": "1800000091", "exp": "1800003000"], .early),
        ] as [([String: String], TokenFault?)] {
            #expect(forge.fault(try forge.signed(Forgery.claims(changes))) == fault, "\(changes)")
        }
    }

    @Test("an access claim grants what it names, and what it does not know grants nothing")
    func access() throws {
        func scope(_ access: String) throws -> TokenScope {
            try forge.verifier.verify(try forge.signed(Forgery.claims(["access": access])), now: Forgery.now).scope
        }
        let name = try RepositoryName.parse("a/b")
        let none = TokenScope(registry: [.base])
        #expect(
            try scope(#"[{"type":"repository","name":"a/b","actions":["pull","fly"]}]"#)
                == TokenScope(repositories: [name: [.pull]], registry: [.base]))
        #expect(
            try scope(#"[{"actions":["*"],"name":"a/b","type":"repository","x":[1]}]"#)
                == TokenScope(repositories: [name: [.pull, .push, .delete]], registry: [.base]))
        #expect(
            try scope(#"[{"type":"registry","name":"catalog","actions":["*"]}]"#)
                == TokenScope(registry: [.base, .catalog]))
        for access in [
            #"[{}]"#, #"[{"type":"repository(plugin)","name":"a/b","actions":["pull"]}]"#,
            #"[{"type":"x","name":"*","actions":["*"]}]"#, #"[{"type":"registry","name":"other","actions":["*"]}]"#,
            #"[{"type":"registry","name":"catalog","actions":["pull"]}]"#,
            #"[{"type":"repository","name":"a/b","actions":[]}]"#,
        ] {
            #expect(try scope(access) == none, "\(access)")
        }
        for access in [
            #"[{"type":"repository","name":"A","actions":["pull"]}]"#, #"[1]"#, #"{"type":"repository"}"#,
            #"[{"type":"repository","name":"a/b","actions":"pull"}]"#,
            #"[{"type":"repository","name":["a/b"],"actions":[]}]"#,
            #"[{"type":"repository","name":"a/b","name":"c/d","actions":["pull"]}]"#,
            #"[{"type":"repository","name":"*","actions":["pull"]}]"#,
        ] {
            #expect(forge.fault(try forge.signed(Forgery.claims(["access": access]))) == .claims, "\(access)")
        }
    }
}

extension TokenVerifier {
    fileprivate func refuses(_ text: String) -> Bool {
        do throws(TokenFault) {
            _ = try verify(text, now: Forgery.now)
            return false
        } catch {
            return true
        }
    }

    fileprivate func refuses(_ bytes: some Collection<UInt8>) -> Bool {
        refuses(String(decoding: bytes, as: UTF8.self))
    }
}
