import ConformanceKit
import Foundation
import Testing

@Suite("the specification is covered")
struct SpecTests {
    @Test("every statement that binds a registry is tried by a check, and no exempt one is")
    func covered() {
        for statement in SpecStatement.all {
            let checks = statement.checks(in: CheckCatalog.groups)
            if statement.exemption == nil {
                #expect(!checks.isEmpty, "nothing tries \(statement.id)")
            } else {
                #expect(checks.isEmpty, "\(statement.id) is exempt and tried")
            }
        }
    }

    @Test("the table holds every sentence of the specification that asks for something")
    func complete() throws {
        let text = try String(
            contentsOf: TestRun.file("fixtures/expected/distribution-spec-statements.tsv"), encoding: .utf8)
        let asked = text.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        let known = SpecStatement.all.map { [$0.fingerprint, $0.section] }
        #expect(asked == known)
    }

    @Test("checks name statements that exist, and have ids of their own")
    func names() {
        let statements = Set(SpecStatement.all.map(\.id))
        #expect(statements.count == SpecStatement.all.count)
        let checks = CheckCatalog.groups.flatMap(\.checks)
        for check in checks {
            #expect(Set(check.statements).isSubset(of: statements), "\(check.id): \(check.statements)")
            #expect(!check.section.isEmpty && !check.gist.isEmpty)
            #expect(check.id.wholeMatch(of: /[a-z0-9]+([.-][a-z0-9]+)*/) != nil, "\(check.id)")
        }
        #expect(Set(checks.map(\.id)).count == checks.count)
    }

    @Test("a MUST of the specification that is missed fails: it is tried by at least one check at that level")
    func levels() {
        let checks = Dictionary(uniqueKeysWithValues: CheckCatalog.groups.flatMap(\.checks).map { ($0.id, $0.level) })
        // These two say what a client sends; that a registry refuses anything else is for RFC 9110 to recommend.
        let ofClients: Set = ["chunk-range-form", "put-whole-digest"]
        for statement in SpecStatement.all
        where statement.exemption == nil && statement.level.hasPrefix("MUST") && !ofClients.contains(statement.id) {
            let levels = statement.checks(in: CheckCatalog.groups).compactMap { checks[$0] }
            #expect(levels.contains(.must), "\(statement.id)")
        }
    }
}
