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

    /// A failure or a warning, by the check's level: a preparation that fails weighs no more than the check itself, so
    /// that of an optional feature it is a warning.
    func judged(
        _ failure: CheckFailure, purpose: String?, exchanges: [Exchange], _ context: RunContext
    ) -> Outcome {
        let masker = context.masker
        let exchanges = exchanges.map { $0.masked(by: masker) }
        if case .probe = check.body, let reason = context.onlyOneReason(for: exchanges) { return plain(.skip, reason) }
        let isWarning = check.level == .should || (check.level == .may && (purpose != nil || !check.isBinding))
        let script = Script(
            check: check, exchanges: exchanges, failure: failure, target: context.target, masker: masker)
        let number = failure.exchange ?? exchanges.last?.number
        var outcome = Outcome(
            check: check, group: group, verdict: isWarning ? .warn : .fail,
            reason: purpose.map { "while preparing \($0)" } ?? "",
            expected: masker.text(failure.expected),
            got: masker.text(failure.got) + (failure.odds.map { " (in \($0.text))" } ?? ""), exchange: number,
            exchanges: exchanges, script: script.text, duration: ContinuousClock.now - start)
        outcome.odds = failure.odds
        outcome.shown = exchanges.first { $0.number == number }.map { "\($0.number). \($0.telling)" } ?? ""
        guard case .probe = check.body else { return outcome }
        (outcome.step, outcome.owners, outcome.purpose) = (Step(failure, exchanges), failure.owners, purpose)
        return outcome
    }

    /// A check that was not carried on, because a request of this kind would hang as others did.
    func unanswered(_ kind: String) -> Outcome {
        var outcome = plain(.error, "not tried: every \(kind) was left without an answer")
        outcome.unanswered = kind
        return outcome
    }

    /// No answer: the registry's failure when it hangs or drops the connection and still answers others,
    /// an error when it is not there at all.
    func broken(_ failure: TransportFailure, _ probe: Probe, _ context: RunContext) -> Outcome {
        let exchanges = probe.recorder.all
        let last = exchanges.last
        let line = last.map { "\($0.method) \($0.url)" } ?? "a request"
        if let failure = unusablePlace(failure, last, context), probe.isTargetAlive() {
            return judged(failure, purpose: nil, exchanges: exchanges, context)
        }
        guard failure.kind != .unreachable, failure.kind != .cutByRunner, probe.isTargetAlive() else {
            return plain(.error, context.masker.text("\(line): \(failure.detail)"))
        }
        let got =
            failure.kind == .deadline
            ? "no answer within \(last?.duration.components.seconds ?? 0) s"
            : (failure.status == 0 ? "no answer" : "status \(failure.status) without the whole body that it announces")
                + ": \(failure.detail)"
        var outcome = judged(
            CheckFailure(expected: "\(line): an answer", got: got, exchange: last?.number), purpose: nil,
            exchanges: exchanges, context)
        outcome.silence = last.map { last in
            Silence(
                kind: Step.request(last, exchanges) ?? "\(last.method) elsewhere", isHang: failure.kind == .deadline,
                status: failure.status)
        }
        return outcome
    }

    /// What the registry itself named as the place to go on, and nobody can go there; nil when it is not that.
    private func unusablePlace(
        _ failure: TransportFailure, _ last: Exchange?, _ context: RunContext
    ) -> CheckFailure? {
        guard [.unreachable, .protocolError].contains(failure.kind), failure.status == 0, let last,
            case .follow(let exchange, let header, let url, _) = last.place,
            Address(url)?.origin != context.target.base.origin
        else { return nil }
        return CheckFailure(
            expected: "\(header) of exchange \(exchange): a URL that a client can go on with",
            got: "\(header): \(url): \(failure.detail)", exchange: last.number)
    }
}

extension Probe {
    /// Whether `/v2/` answers anything at all on a new connection.
    func isTargetAlive() -> Bool {
        do {
            var request = Outgoing(method: "GET", url: base.origin + "/v2/")
            request.deadline = .seconds(5)
            _ = try run.wire(id).perform(request)
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
