import ConformanceKit
import Foundation
import Testing

@Suite("a failure comes with a script that shows it again")
struct ScriptTests {
    /// Runs a script against a base; gives its exit code and what it said.
    private func run(_ script: String, base: String) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-c", script]
        process.environment = ProcessInfo.processInfo.environment.merging(["BASE": base]) { $1 }
        let pipe = Pipe()
        (process.standardOutput, process.standardError) = (pipe, pipe)
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, output)
    }

    @Test(
        "the script exits 1 against the faulty registry and 0 against a good one",
        arguments: [
            (Fault.blobDigestMissing, "pull.blob.digest-header"), (.outOfOrderTaken, "push.chunked.out-of-order"),
            (.blobCut, "pull.blob.medium"), (.patchNoRange, "push.chunked.range-header"),
            (.manifestGet203, "pull.manifest.by-tag"), (.headManifestLength, "exists.manifest.length"),
            (.mountSaysButDoesNot, "mount.visible"), (.hostNotNeeded, "robust.no-host"),
            (.uploadPost200, "push.upload.begin"), (.noSubjectHeader, "referrers.subject-header"),
            (.manifestReencoded, "push.bytes.whitespace"), (.anySizeTaken, "push.size.limit"),
        ])
    func scripts(fault: Fault, check: String) throws {
        var settings = TestRun.Settings()
        (settings.faults, settings.patterns) = ([fault], [check])
        try TestRun.withStub(settings) { _, server in
            let base = try TestRun.address(server)
            var plan = RunPlan(target: Target(base: base), groups: CheckCatalog.groups, seed: "script1")
            plan.patterns = [check]
            let result = try Runner(plan, observer: TestRun.Silent()).run()
            let script = try #require(result.outcomes.first?.script, "\(check) did not fail")
            let bad = try run(script, base: base.origin)
            #expect(bad.status == 1, "\(bad.output)\n\(script)")
            try TestRun.withStub(TestRun.Settings()) { _, server in
                let good = try run(script, base: try TestRun.address(server).origin)
                // The script of a raw exchange names its address, which BASE does not change.
                if !check.hasPrefix("robust.") { #expect(good.status == 0, "\(good.output)") }
            }
        }
    }
}
