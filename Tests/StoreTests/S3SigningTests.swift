import Crypto
import Model
import S3Driver
import Testing

/// Requests and signatures that AWS has published: of its test suite for version 4, and of the documentation of S3.
@Suite("S3: signatures")
struct S3SigningTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let method: String
        let path: String
        var query: [(name: String, value: String)] = []
        var headers: [(name: String, value: String)] = []
        var body = ""
        let signature: String
    }

    private static func hash(_ text: String) -> String { Hex.encode(Array(SHA256.hash(data: Array(text.utf8)))) }

    static let suite = [
        Vector(
            testDescription: "get-vanilla", method: "GET", path: "/",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        Vector(
            testDescription: "get-vanilla-query-order-key-case", method: "GET", path: "/",
            query: [("Param2", "value2"), ("Param1", "value1")],
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
        Vector(
            testDescription: "get-vanilla-empty-query-key", method: "GET", path: "/", query: [("Param1", "value1")],
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"),
        Vector(
            testDescription: "post-vanilla", method: "POST", path: "/",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        Vector(
            testDescription: "get-utf8", method: "GET", path: "/%E1%88%B4",
            signature: "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
        Vector(
            testDescription: "get-header-value-trim", method: "GET", path: "/",
            headers: [("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"),
        Vector(
            testDescription: "post-x-www-form-urlencoded", method: "POST", path: "/",
            headers: [("content-type", "application/x-www-form-urlencoded")], body: "Param1=value1",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"),
    ]

    @Test("AWS's test suite", arguments: suite)
    func testSuite(vector: Vector) throws {
        let signer = RequestSigner(region: "us-east-1", service: "service")
        let moment = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))
        let headers =
            vector.headers + [("host", "example.amazonaws.com"), ("x-amz-date", RequestSigner.date(moment))]
        let told = signer.authorization(
            vector.method, vector.path, vector.query, headers: headers, bodyHash: Self.hash(vector.body), at: moment,
            by: S3Credentials(
                accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"))
        let names = headers.map(\.name).sorted().joined(separator: ";")
        #expect(
            told == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
                + "SignedHeaders=\(names), Signature=\(vector.signature)")
    }

    static let ofS3 = [
        Vector(
            testDescription: "GET object", method: "GET", path: "/test.txt", headers: [("range", "bytes=0-9")],
            signature: "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        Vector(
            testDescription: "PUT object", method: "PUT", path: "/test%24file.text",
            headers: [
                ("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ], body: "Welcome to Amazon S3.",
            signature: "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"),
        Vector(
            testDescription: "GET bucket lifecycle", method: "GET", path: "/", query: [("lifecycle", "")],
            signature: "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        Vector(
            testDescription: "list objects", method: "GET", path: "/", query: [("prefix", "J"), ("max-keys", "2")],
            signature: "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ]

    private static let exampleKeys = S3Credentials(
        accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    private static let exampleHost = "examplebucket.s3.amazonaws.com"

    @Test("the examples in the documentation of S3", arguments: ofS3)
    func documented(vector: Vector) throws {
        let moment = try #require(Timestamp(rfc3339: "2013-05-24T00:00:00Z"))
        let bodyHash = Self.hash(vector.body)
        let headers =
            vector.headers + [
                ("host", Self.exampleHost), ("x-amz-date", RequestSigner.date(moment)),
                ("x-amz-content-sha256", bodyHash),
            ]
        let told = RequestSigner(region: "us-east-1").authorization(
            vector.method, vector.path, vector.query, headers: headers, bodyHash: bodyHash, at: moment,
            by: Self.exampleKeys)
        #expect(told.hasSuffix("Signature=\(vector.signature)"), "\(told)")
    }

    @Test("a presigned URL, as in the documentation of S3")
    func presigned() throws {
        let moment = try #require(Timestamp(rfc3339: "2013-05-24T00:00:00Z"))
        let query = RequestSigner(region: "us-east-1").presignedQuery(
            "GET", host: Self.exampleHost, path: "/test.txt", lasting: 86_400, at: moment, by: Self.exampleKeys)
        #expect(
            query
                == "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3"
                + "%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
                + "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404")
    }

    @Test("a signature is of its day, its keys and its session")
    func dayKeys() throws {
        let signer = RequestSigner(region: "us-east-1")
        let first = try #require(Timestamp(rfc3339: "2013-05-24T23:59:59Z"))
        let other = S3Credentials(accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "other", sessionToken: "a/b")
        var seen: Set<String> = []
        for moment in [first, first + .seconds(1)] {
            for keys in [Self.exampleKeys, other] {
                let query = signer.presignedQuery(
                    "GET", host: "h", path: "/k", lasting: 60, at: moment, by: keys)
                #expect(query.contains("X-Amz-Security-Token=a%2Fb") == (keys == other))
                seen.insert(query)
                // In whatever order they are asked for.
                let again = RequestSigner(region: "us-east-1").presignedQuery(
                    "GET", host: "h", path: "/k", lasting: 60, at: moment, by: keys)
                #expect(again == query)
            }
        }
        #expect(seen.count == 4)
    }

    @Test("credentials show no secret, however they are printed")
    func secrets() {
        let keys = S3Credentials(accessKeyID: "AKID", secretAccessKey: "the-secret", sessionToken: "the-token")
        var dumped = ""
        dump(keys, to: &dumped)
        for text in ["\(keys)", String(reflecting: keys), dumped] {
            #expect(!text.contains("the-secret") && !text.contains("the-token"), "\(text)")
        }
    }
}

@Suite("S3: XML")
struct S3XMLTests {
    @Test("elements, text and entities are read, whatever stands around them")
    func reads() throws {
        let root = try XMLElement(
            document: Array(
                """
                \u{feff}<?xml version="1.0" encoding="UTF-8"?>
                <!-- a > comment --><s3:List xmlns="http://s3.amazonaws.com/doc/" a='<">'>
                <Key>a&amp;b&lt;&#65;&#x42;</Key><Key/><Key><![CDATA[<raw>&amp;]]></Key><In><Deep>x</Deep></In></s3:List>
                """.utf8))
        #expect(root.name == "List")
        #expect(root.all("Key").map(\.text) == ["a&b<AB", "", "<raw>&amp;"])
        #expect(root["In"] == "")
        #expect(root.descendant("Deep")?.text == "x")
        #expect(root["none"] == nil)
    }

    @Test(
        "what is no XML is an error, and nothing expands",
        arguments: [
            "", "text", "<a>", "<a></b>", "<a/>more", "<a", "<a b=\"", "<a>&nope;</a>", "<a>&", "<a>&#xd800;</a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", "<a><!-- </a>", "<a></a", "< a/>", "<a /b>",
            String(repeating: "<a>", count: 100_000),
        ])
    func refuses(text: String) {
        #expect(throws: (any Error).self) { try XMLElement(document: Array(text.utf8)) }
    }

    @Test("no bytes crash the reader")
    func mutations() {
        let whole = Array("<?xml version=\"1.0\"?><A x='y'><B>t&amp;u</B><!-- c --><C><![CDATA[d]]></C></A>".utf8)
        for at in whole.indices {
            for byte in [UInt8(0), 0x3c, 0x3e, 0x26, 0x22, 0x2f, 0x5d, 0xff] {
                var bad = whole
                bad[at] = byte
                for document in [bad, Array(bad[..<at])] {
                    do { _ = try XMLElement(document: document) } catch {}
                }
            }
        }
    }
}
