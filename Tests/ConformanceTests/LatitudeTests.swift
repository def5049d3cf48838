import ConformanceKit
import Foundation
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

    /// For who mends one: AERUGO_LATITUDES names some, AERUGO_LATITUDE_GAMES the games that are played with them.
    private static let chosen: [Latitude] = {
        let names = ProcessInfo.processInfo.environment["AERUGO_LATITUDES"]?.split(separator: " ").map(String.init)
        return names.map { names in Latitude.all.filter { names.contains($0.name) } } ?? Latitude.all
    }()
    private static let games = ProcessInfo.processInfo.environment["AERUGO_LATITUDE_GAMES"]

    /// Every check of a run, but the heavy ones where the switch has nothing to do with them.
    private static func checks(_ latitude: Latitude) -> [String] {
        CheckCatalog.groups.flatMap(\.checks).map(\.id).filter {
            sizes.contains(latitude.name) || !heavy.contains($0)
        }
    }

    @Test(
        "what the rules allow is blamed by no check, whatever the registry or its proxy makes of it",
        arguments: chosen)
    func none(latitude: Latitude) throws {
        var settings = TestRun.Settings()
        (settings.latitudes, settings.deadline, settings.jobs) = ([latitude], .seconds(30), 8)
        settings.patterns = Self.checks(latitude)
        settings.games = Self.games ?? latitude.name
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
