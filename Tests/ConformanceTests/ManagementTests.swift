import ConformanceKit
import Foundation
import Testing

@Suite("the management API is covered")
struct ManagementTests {
    static func document() throws -> APIDocument {
        let bytes = Array(try Data(contentsOf: TestRun.file("docs/openapi.json")))
        return try #require(APIDocument(bytes))
    }

    @Test("every status of every operation of docs/openapi.json is provoked by a check, or exempt for a reason")
    func covered() throws {
        let coverage = ManagementCoverage(try Self.document())
        #expect(coverage.gaps.isEmpty, "\(coverage.gaps.map { "\($0.operation) \($0.status)" })")
        #expect(coverage.text.contains("0 are neither"))
        let told = Set(try Self.document().operations.map(\.id))
        for provocation in coverage.provoked.keys where told.contains(provocation.operation) {
            #expect(
                coverage.all.contains(provocation) || [414, 431, 501].contains(provocation.status),
                "the document has no \(provocation.operation) \(provocation.status)")
            #expect(coverage.exemption(provocation) == nil, "\(provocation) is exempt and provoked")
        }
    }

    @Test("its schemas say nothing that the runner cannot hold an answer against")
    func words() throws {
        #expect(try Self.document().unread.isEmpty)
    }

    @Test("checks have ids of their own, and each cites what it is by")
    func ids() {
        let checks = ManagementCatalog.groups.flatMap(\.checks)
        let all = checks + CheckCatalog.groups.flatMap(\.checks)
        #expect(Set(all.map(\.id)).count == all.count)
        for check in checks {
            #expect(check.section.hasPrefix("openapi") || check.section.hasPrefix("roles.md"), "\(check.id)")
            #expect(check.id.wholeMatch(of: /[A-Za-z0-9]+([.-][A-Za-z0-9]+)*/) != nil, "\(check.id)")
            #expect(!check.gist.isEmpty)
        }
    }

    @Test("a status that a document adds is a gap until a check provokes it")
    func gap() throws {
        let text = """
            {"openapi":"3.1.1","info":{"title":"Aerugo"},"paths":{"/api/v1/users":{"get":{"operationId":"users.list",
            "responses":{"200":{"description":"x"},"418":{"description":"x"}}}}}}
            """
        let document = try #require(APIDocument(Array(text.utf8)))
        #expect(ManagementCoverage(document).gaps == [Provocation("users.list", 418)])
        #expect(ManagementCoverage(document).text.contains("NOTHING PROVOKES IT"))
    }
}
