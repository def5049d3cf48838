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

    /// For who mends one: AERUGO_LATITUDES names some, AERUGO_LATITUDE_GAMES the games that are played with them, and
    /// AERUGO_LATITUDES_ALONE lays each alone over a registry, to see that none hides another.
    private static let chosen: [Latitude] = {
        let names = ProcessInfo.processInfo.environment["AERUGO_LATITUDES"]?.split(separator: " ").map(String.init)
        return names.map { names in Latitude.all.filter { names.contains($0.name) } } ?? Latitude.all
    }()
    private static let isAlone = ProcessInfo.processInfo.environment["AERUGO_LATITUDES_ALONE"] != nil
    private static let games = ProcessInfo.processInfo.environment["AERUGO_LATITUDE_GAMES"]

    /// Every check of a run, but the heavy ones where the switch has nothing to do with them.
    private static func checks(_ latitudes: [Latitude]) -> [String] {
        CheckCatalog.groups.flatMap(\.checks).map(\.id).filter {
            !sizes.isDisjoint(with: latitudes.map(\.name)) || !heavy.contains($0)
        }
    }

    /// Runs everything but what moves megabytes for nothing; gives what is neither a pass nor a skip.
    private static func blames(_ latitudes: [Latitude]) throws -> [String] {
        let names = latitudes.map(\.name).joined(separator: ", ")
        var settings = TestRun.Settings()
        (settings.latitudes, settings.deadline, settings.jobs) = (latitudes, .seconds(30), 8)
        settings.patterns = checks(latitudes)
        settings.games = games ?? names
        let result = try TestRun.run(settings)
        #expect(result.count(.pass) > 0 || result.facts.pushRefusal != nil, "\(names)")
        return result.outcomes.filter { $0.verdict != .pass && $0.verdict != .skip }.map { outcome in
            "\(names): \(outcome.check.id) \(outcome.reason) expected \(outcome.expected), got \(outcome.got)"
        }
    }

    /// Switches of several kinds that lie over one registry at once: what comes of a request on its way, what lists hold,
    /// and the rest. Where all of them together are not blamed none is.
    private static let layers: [[Latitude]] = {
        let columns = [
            Latitude.headers + Latitude.connections + Latitude.redirects,
            Latitude.lists + Latitude.referrers + Latitude.names,
            Latitude.refusals + Latitude.errors + Latitude.locations, Latitude.pulls + Latitude.paths,
        ]
        return (0..<(columns.map(\.count).max() ?? 0)).map { row in
            columns.compactMap { row < $0.count ? $0[row] : nil }.filter { Set(chosen.map(\.name)).contains($0.name) }
        }.filter { !$0.isEmpty }
    }()

    @Test(
        "what the rules allow is blamed by no check, whatever the registry or its proxy makes of it",
        arguments: layers)
    func none(latitudes: [Latitude]) throws {
        if latitudes.count > 1, !Self.isAlone {
            let together = try Self.blames(latitudes)
            if together.isEmpty { return }
            // Two that are allowed may be none together: then each has to be by itself.
            print("latitude by latitude: \(together.joined(separator: "\n"))")
        }
        for latitude in latitudes {
            for blame in try Self.blames([latitude]) { Issue.record("\(blame) (\(latitude.why))") }
        }
    }

    @Test("every switch lies over a registry of the test before")
    func whole() {
        #expect(Set(Self.layers.flatMap { $0 }.map(\.name)) == Set(Self.chosen.map(\.name)))
    }

    @Test("at least eighty switches, each with a name of its own and with what allows it")
    func many() {
        #expect(Set(Latitude.all.map(\.name)).count == Latitude.all.count)
        #expect(Latitude.all.count >= 80)
        #expect(Latitude.all.allSatisfy { $0.why.count > 10 })
    }
}
