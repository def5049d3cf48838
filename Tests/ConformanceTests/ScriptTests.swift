import ConformanceKit
import Testing

@Suite("a failure comes with a script that shows it again")
struct ScriptTests {
    @Test(
        "the script exits 1 against the faulty registry and 0 against a good one",
        arguments: [
            (Fault.blobDigestMissing, "pull.blob.digest-header"), (.outOfOrderTaken, "push.chunked.out-of-order"),
            (.blobCut, "pull.blob.small"), (.patchNoRange, "push.chunked.range-header"),
            (.manifestGet203, "pull.manifest.by-tag"), (.headManifestLength, "exists.manifest.length"),
            (.mountSaysButDoesNot, "mount.visible"), (.hostNotNeeded, "robust.no-host"),
            (.uploadPost200, "push.upload.begin"), (.noSubjectHeader, "referrers.subject-header"),
            (.manifestReencoded, "push.bytes.whitespace"), (.anySizeTaken, "push.size.limit"),
            (.blobDeleteDoesNothing, "delete.blob.gone"), (.ifNoneMatchNever, "conditional.blob.if-none-match"),
            (.blobsEverywhere, "isolation.blob.never-made"), (.deletedTagsListed, "delete.tag.not-listed"),
            (.bodyShorterThanTold, "pull.blob.small"),
            (.oddChunkIs500, "robust.chunk-size"), (.linkSkips, "tags.link.prefixes"),
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
            let sends = script.split(separator: "\n").filter { !$0.hasPrefix("#") && !$0.hasPrefix("if ") }
            #expect(!sends.contains { $0.contains(Masker.mask) }, "what a script sends is no mask\n\(script)")
            let bad = try Shell.run(script, base: base.origin, seconds: 20)
            #expect(bad.status == 1, "\(bad.output)\n\(script)")
            try TestRun.withStub(TestRun.Settings()) { _, server in
                let good = try Shell.run(script, base: try TestRun.address(server).origin, seconds: 20)
                #expect(good.status == 0, "\(good.output)\n\(script)")
            }
        }
    }

    @Test(
        "the script of a rule over all exchanges sends what showed the breach",
        arguments: [
            (Fault.errorCodeOwn, "errors.code-known", "pull.blob.*"), (.errorFormatOwn, "errors.format", "pull.blob.*"),
            (.errorCodeForm, "errors.code-form", "pull.blob.*"), (.errorMessageNumber, "errors.message", "pull.blob.*"),
            (.noAllow, "errors.method-allow", "methods.*"), (.allowLies, "errors.method-allow", "methods.*"),
            (.warningsOther, "warnings.form", "pull.blob.*"), (.warningsHuge, "warnings.size", "pull.blob.*"),
            (.twoTypes, "headers.once", "pull.manifest.*"), (.noContentLength, "http.no-content", "push.cancel.*"),
            (.twoLengthsTold, "http.two-lengths", "pull.manifest.*"), (.nameIs500, "errors.never-server", "names.*"),
            (.tooManyAtTimes, "errors.retry-after", "tags.list"),
        ])
    func standing(fault: Fault, check: String, traffic: String) throws {
        var settings = TestRun.Settings()
        settings.faults = [fault]
        try TestRun.withStub(settings) { _, server in
            let base = try TestRun.address(server)
            var plan = RunPlan(target: Target(base: base), groups: CheckCatalog.groups, seed: "standing1")
            plan.patterns = [check, traffic]
            let result = try Runner(plan, observer: TestRun.Silent()).run()
            let outcome = try #require(result.outcomes.first { $0.check.id == check })
            let script = try #require(outcome.script, "\(check) did not fail: \(outcome.verdict) \(outcome.reason)")
            let bad = try Shell.run(script, base: base.origin, seconds: 20)
            #expect(bad.status == 1, "\(bad.output)\n\(script)")
            try TestRun.withStub(TestRun.Settings()) { _, server in
                let good = try Shell.run(script, base: try TestRun.address(server).origin, seconds: 20)
                #expect(good.status == 0, "\(good.output)\n\(script)")
            }
        }
    }
}
