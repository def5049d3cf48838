import ConformanceKit
import Testing

@Suite("the runner leaves latitude")
struct LatitudeTests {
    /// What moves megabytes, for switches that look at sizes or at how bytes come.
    private static let heavy: Set<String> = [
        "robust.target-huge", "robust.header-huge", "robust.header-flood", "push.size.limit",
        "push.size.four-mebibytes",
    ]
    private static let sizes: Set<String> = [
        "longTargetsRefused", "longHeadsRefused", "fourMebibytes", "http10", "chunkedBodies", "inPieces", "bare",
    ]

    /// Every check of a run, but the heavy ones where the switch has nothing to do with them.
    private static func checks(_ latitude: Latitude) -> [String] {
        CheckCatalog.groups.flatMap(\.checks).map(\.id).filter {
            sizes.contains(latitude.name) || !heavy.contains($0)
        }
    }

    @Test(
        "what the rules allow is blamed by no check, whatever the registry or its proxy makes of it",
        arguments: Latitude.all)
    func none(latitude: Latitude) throws {
        var settings = TestRun.Settings()
        (settings.latitudes, settings.deadline, settings.jobs) = ([latitude], .seconds(30), 8)
        settings.patterns = Self.checks(latitude)
        let result = try TestRun.run(settings)
        for outcome in result.outcomes {
            #expect(
                outcome.verdict == .pass || outcome.verdict == .skip,
                """
                \(latitude.name): \(outcome.check.id) \(outcome.reason) expected \(outcome.expected), \
                got \(outcome.got) (\(latitude.why))
                """)
        }
        #expect(result.count(.pass) > 0 || result.facts.pushRefusal != nil)
    }

    @Test("at least eighty switches, each with a name of its own and with what allows it")
    func many() {
        #expect(Set(Latitude.all.map(\.name)).count == Latitude.all.count)
        #expect(Latitude.all.count >= 80)
        #expect(Latitude.all.allSatisfy { $0.why.count > 10 })
    }
}
