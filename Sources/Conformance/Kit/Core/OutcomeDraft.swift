/// Makes the outcome of one check.
struct OutcomeDraft {
    let check: Check
    let group: String
    let start = ContinuousClock.now

    /// A verdict with nothing to show.
    func plain(_ verdict: Verdict, _ reason: String) -> Outcome {
        Outcome(
            check: check, group: group, verdict: verdict, reason: reason, expected: "", got: "", exchange: nil,
            exchanges: [], script: nil, duration: ContinuousClock.now - start)
    }

    /// A failure or a warning, by the check's level; a preparation that fails is a failure at any level.
    func judged(
        _ failure: CheckFailure, purpose: String?, exchanges: [Exchange], _ context: RunContext
    ) -> Outcome {
        let masker = context.masker
        let verdict: Verdict = check.level == .should && purpose == nil ? .warn : .fail
        let script = Script(
            check: check, exchanges: exchanges, failure: failure, base: context.target.base,
            insecure: context.target.trust.insecure)
        return Outcome(
            check: check, group: group, verdict: verdict, reason: purpose.map { "while preparing \($0)" } ?? "",
            expected: masker.text(failure.expected), got: masker.text(failure.got),
            exchange: failure.exchange ?? exchanges.last?.number, exchanges: exchanges,
            script: masker.text(script.text), duration: ContinuousClock.now - start)
    }

    /// No answer: the registry's failure when it hangs or drops the connection and still answers others,
    /// an error when it is not there at all.
    func broken(_ failure: TransportFailure, _ probe: Probe, _ context: RunContext) -> Outcome {
        let exchanges = probe.recorder.all
        let last = exchanges.last
        let line = last.map { "\($0.method) \($0.url)" } ?? "a request"
        guard failure.kind != .unreachable, failure.kind != .cutByRunner, probe.isTargetAlive() else {
            return plain(.error, "\(line): \(failure.detail)")
        }
        let got =
            failure.kind == .deadline
            ? "no answer within \(context.target.deadline.components.seconds) s"
            : (failure.status == 0 ? "no answer" : "status \(failure.status) without the whole body that it announces")
                + ": \(failure.detail)"
        return judged(
            CheckFailure(expected: "\(line): an answer", got: got, exchange: last?.number), purpose: nil,
            exchanges: exchanges, context)
    }
}

extension Probe {
    /// Whether `/v2/` answers anything at all on a new connection.
    func isTargetAlive() -> Bool {
        do {
            var request = Outgoing(method: "GET", url: base.origin + "/v2/")
            request.deadline = .seconds(5)
            _ = try Wire(trust: run.target.trust).perform(request)
            return true
        } catch {
            return false
        }
    }
}

/// Shell-like patterns over check ids: `*` for any run of characters, `?` for one.
package enum Glob {
    /// Whether the whole of `text` fits the pattern.
    package static func matches(_ text: String, _ pattern: String) -> Bool {
        matches(Array(text.utf8)[...], Array(pattern.utf8)[...])
    }

    private static func matches(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        if first == UInt8(ascii: "*") {
            return (text.startIndex...text.endIndex).contains { matches(text[$0...], rest) }
        }
        guard let next = text.first, first == next || first == UInt8(ascii: "?") else { return false }
        return matches(text.dropFirst(), rest)
    }
}
