import ConformanceKit
import Foundation
import Testing

@Suite("the nodes of a registry are asked in turn")
struct NodeTests {
    @Test("where every node knows what the others do nobody is blamed, and each node is asked")
    func faultless() throws {
        var settings = TestRun.Settings()
        settings.nodes = true
        settings.patterns = ["nodes.*", "cache.*", "delete.*", "push.chunked.*", "robust.*", "explore.*"]
        let outcomes = try TestRun.run(settings).outcomes
        for outcome in outcomes {
            #expect(
                outcome.verdict == .pass || outcome.verdict == .skip,
                "\(outcome.check.id) expected \(outcome.expected), got \(outcome.got) \(outcome.reason)")
        }
        #expect(outcomes.filter { $0.check.id.hasPrefix("nodes.") && $0.verdict == .pass }.count == 9)
    }

    @Test("without nodes their checks are skipped, and say what they need")
    func single() throws {
        var settings = TestRun.Settings()
        settings.patterns = ["nodes.*"]
        for outcome in try TestRun.run(settings).outcomes {
            #expect(outcome.verdict == .skip && outcome.reason.contains("--nodes"), "\(outcome.check.id)")
        }
    }

    @Test("checks that know nothing of nodes find what one of them keeps to itself, and the report names the node")
    func turns() throws {
        var settings = TestRun.Settings()
        (settings.nodes, settings.faults) = (true, [.nodeOwnUploads])
        settings.patterns = ["push.chunked.*"]
        let failed = try TestRun.run(settings).outcomes.filter { $0.verdict == .fail }
        #expect(!failed.isEmpty)
        #expect(failed.allSatisfy { $0.exchanges.contains { $0.line.contains(" at node ") } })
    }

    @Test("a failure's script asks the same nodes again")
    func script() throws {
        for (faults, status) in [(Set<Fault>([.nodeOldTags]), Int32(1)), ([], 0)] {
            let faulty = try StubNodes(StubRegistry(faults: FaultSet([.nodeOldTags])), 3).serve()
            defer { for node in faulty { node.stop() } }
            var target = Target(base: try TestRun.address(faulty[0]))
            target.nodes = try faulty.map(TestRun.address)
            var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: "seed1")
            plan.patterns = ["nodes.tag.moved"]
            let outcome = try #require(try Runner(plan, observer: TestRun.Silent()).run().outcomes.first)
            var script = try #require(outcome.script, "\(outcome.verdict) \(outcome.reason)")
            let asked = try StubNodes(StubRegistry(faults: FaultSet(faults)), 3).serve()
            defer { for node in asked { node.stop() } }
            for (old, new) in zip(faulty, asked) { script = script.replacing(":\(old.port)", with: ":\(new.port)") }
            let ended = try Shell.run(script, base: "http://127.0.0.1:\(asked[0].port)", seconds: 30)
            #expect(ended.status == status, "\(ended.output)")
        }
    }
}
