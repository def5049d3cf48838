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
        let statements = Set(SpecStatement.byID.keys)
        #expect(statements.count == SpecStatement.all.count + SpecStatement.ofRFCs.count)
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

    @Test(
        "no MUST without a MUST: each check's level is that of a sentence it cites, or it is an opinion, which is SHOULD"
    )
    func cited() {
        for check in CheckCatalog.groups.flatMap(\.checks) {
            let cited = check.statements.compactMap { SpecStatement.byID[$0] }
            let binds = cited.contains { $0.isAbsolute }
            switch check.level {
            case .must:
                #expect(binds, "\(check.id) is a MUST and cites \(check.statements)")
                #expect(!check.isOpinion, "\(check.id) is an opinion")
            case .should:
                let words = cited.map(\.level)
                #expect(
                    words.contains { $0.hasPrefix("SHOULD") || $0 == "RECOMMENDED" } || binds,
                    "\(check.id) is a SHOULD and cites \(check.statements)")
            case .may: #expect(!check.isOpinion, "\(check.id)")
            }
        }
        let group = CheckCatalog.groups.last
        #expect(group?.checks.allSatisfy { $0.isOpinion && $0.level == .should } == true)
        #expect(CheckCatalog.groups.dropLast().allSatisfy { $0.checks.allSatisfy { !$0.isOpinion } })
    }

    @Test("every step that checks lean on is the question of checks that exist")
    func owners() {
        let checks = Set(CheckCatalog.groups.flatMap(\.checks).map(\.id))
        for (step, owners) in Step.table {
            #expect(Set(owners).isSubset(of: checks) && !owners.isEmpty, "\(step): \(owners)")
        }
    }
}
