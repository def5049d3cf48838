import Foundation
import HTTP
import Model
import Testing

@Suite("Whether clients of the released contract still understand this one")
struct CompatibilityTests {
    private static let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs")

    @Test("nothing that was released has changed, or the document's major version says so")
    func released() throws {
        let kept = Self.docs.appending(path: "openapi.released.json")
        if ProcessInfo.processInfo.environment["AERUGO_RELEASE_DOCUMENT"] != nil {
            try Data(OperationTable.document + [10]).write(to: kept)
        }
        let released = try JSONValue.parse(Array(Data(contentsOf: kept)), .body, noun: "the released contract")
        let current = try JSONValue.parse(OperationTable.document, .body, noun: "the contract")
        let difference = ContractDifference(from: released, to: current)
        // Told by the line, and not by the whole of both documents.
        let isTold = difference.isTold
        #expect(
            isTold,
            "clients of the released contract break: find another way, or move info.version on\n\(difference.breaking.joined(separator: "\n"))"
        )
    }

    private static let old = """
        {"info":{"version":"1.0"},"security":[{"basic":[]},{"key":[]}],"paths":{"/a":{"get":{"operationId":"a.list",
        "security":[{"basic":[]},{}],"parameters":[{"name":"n","in":"query","required":false,"schema":{"type":"integer",
        "minimum":1,"maximum":100}},{"name":"q","in":"query","required":false,"schema":{"type":"string",
        "enum":["x","y"]}}],"responses":{"200":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}},
        "404":{}}},"post":{"operationId":"a.make","requestBody":{"required":false,"content":{"application/json":{"schema":
        {"type":"object","properties":{"name":{"type":["string","null"],"maxLength":9},"size":{"type":"integer"}}}}}},
        "responses":{"201":{}}}}},"components":{"schemas":{"A":{"type":"object","required":["id"],"properties":{
        "id":{"type":"string"},"of":{"anyOf":[{"$ref":"#/components/schemas/A"},{"type":"null"}]}}}}}}
        """

    @Test(
        "what breaks a client is found, and where",
        arguments: [
            (#""post":{"operationId":"a.make""#, #""put":{"operationId":"a.make""#, "a.make: is gone"),
            (#"[{"basic":[]},{}]"#, #"[{"basic":[]}]"#, "a.list: cannot be used by nobody any more"),
            (#"[{"basic":[]},{"key":[]}]"#, #"[{"basic":[]}]"#, "a.make: cannot be used by key any more"),
            (#""name":"n""#, #""name":"m""#, "a.list: parameter query n is gone"),
            (
                #""in":"query","required":false"#, #""in":"query","required":true"#,
                "a.list: parameter query n newly has to be there"
            ),
            (#""maximum":100"#, #""maximum":99"#, "a.list: query n has a maximum of 99, not 100"),
            (#""minimum":1"#, #""minimum":2"#, "a.list: query n has a minimum of 2, not 1"),
            (#"["x","y"]"#, #"["x","z"]"#, "a.list: query q takes 'y' no more"),
            (#""404":{}"#, #""403":{}"#, "a.list: status 404 is gone"),
            (#""requestBody":{"required":false"#, #""requestBody":{"required":true"#, "a.make: newly needs a body"),
            (#"["string","null"]"#, #""string""#, "a.make: body.name is not taken as null any more"),
            (#""maxLength":9"#, #""maxLength":8"#, "a.make: body.name has a maxLength of 8, not 9"),
            (#""maxLength":9"#, #""maxLength":9,"pattern":"^a""#, "a.make: body.name has the pattern ^a"),
            (#""size":{"type":"integer"}"#, #""sizes":{"type":"integer"}"#, "a.make: body.size is gone"),
            (
                #"{"type":"object","properties":{"name""#,
                #"{"type":"object","required":["name"],"properties":{"name""#, "a.make: body.name newly has to be there"
            ),
            (
                #"{"type":"object","properties":{"name""#,
                #"{"type":"object","required":["x"],"properties":{"x":{},"name""#,
                "a.make: body.x is new and has to be there"
            ),
            (#""id":{"type":"string"}"#, #""id":{"type":["string","null"]}"#, "a.list: 200.id may be null"),
            (#""required":["id"]"#, #""required":[]"#, "a.list: 200.id may be left out"),
            (#""of":{"#, #""off":{"#, "a.list: 200.of is gone"),
        ])
    func breaking(part: String, change: String, finding: String) throws {
        #expect(try Self.difference(part, change).breaking.contains(finding))
        #expect(try !Self.difference(part, change).isTold)
        let moved = Self.old.replacing(part, with: change).replacing("\"1.0\"", with: "\"2.0\"")
        #expect(try Self.difference(to: moved).isTold)
    }

    @Test(
        "what is added breaks nobody",
        arguments: [
            (#""404":{}"#, #""404":{},"409":{}"#), (#""maximum":100"#, #""maximum":1000"#),
            (#"["x","y"]"#, #"["x","y","z"]"#), (#""id":{"type":"string"}"#, #""id":{"type":"string"},"more":{}"#),
            (#""name":{"type":["string","null"],"maxLength":9}"#, #""name":{"type":["string","null","integer"]}"#),
            (#""size":{"type":"integer"}"#, #""size":{"type":"integer"},"more":{"type":"string"}"#),
            (#"[{"basic":[]},{"key":[]}]"#, #"[{"basic":[]},{"key":[]},{"session":[]}]"#),
            (#""paths":{"#, #""paths":{"/b":{"get":{"operationId":"b"}},"#), (#""version":"1.0""#, #""version":"1.1""#),
        ])
    func additions(part: String, change: String) throws {
        #expect(try Self.difference(part, change).breaking == [])
    }

    private static func difference(_ part: String, _ change: String) throws -> ContractDifference {
        #expect(old.contains(part))
        return try difference(to: old.replacing(part, with: change))
    }

    private static func difference(to text: String) throws -> ContractDifference {
        ContractDifference(
            from: try JSONValue.parse(Array(old.utf8), .body, noun: "old"),
            to: try JSONValue.parse(Array(text.utf8), .body, noun: "new"))
    }
}
