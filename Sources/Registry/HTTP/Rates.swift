import Access
import Model
import Service

extension Operation.RateClass {
    /// What it is counted as; nil for what is not.
    fileprivate var limited: RateClass? {
        switch self {
        case .health: nil
        case .read: .read
        case .list: .list
        case .write: .write
        case .login: .login
        case .token: .token
        case .registration: .registration
        }
    }
}

extension Application {
    /// Whether a request has to be counted with other nodes, which takes a while.
    func isCountedElsewhere(_ operation: Operation) -> Bool {
        registry.sharing != nil && operation.rate.limited.map(rates.limits) == true
    }

    /// Lets a request in: counts it, and asks whether its caller may do that at all. Gives what is left of the caller's rate.
    /// Throws `.tooManyRequests`, and what the decision refuses.
    func admit(_ operation: Operation, _ call: Call) throws(RegistryError) -> RateDecision? {
        let rate = counted(operation, call.caller).flatMap { rates.take($0.kind, $0.subject) }
        return try admit(call, rate)
    }

    /// The same, counted with other nodes where there are any.
    func admitCountingElsewhere(_ operation: Operation, _ call: Call) async throws(RegistryError) -> RateDecision? {
        guard let (kind, subject) = counted(operation, call.caller), let rule = rates.rule(kind),
            let own = rates.take(kind, subject)
        else { return try admit(call, nil) }
        guard own.isAllowed, let all = await registry.sharing?.counters.take(rule, subject) else {
            return try admit(call, own)
        }
        if !all.isAllowed { rates.giveBack(kind, subject) }
        return try admit(call, all.isAllowed && all.remaining > own.remaining ? own : all)
    }

    private func admit(_ call: Call, _ rate: RateDecision?) throws(RegistryError) -> RateDecision? {
        if let rate, !rate.isAllowed { throw Self.tooMany(rate) }
        guard !call.request.isFromOtherSite(settings) else {
            throw RegistryError(.denied, "a page of another site may not do this")
        }
        do throws(RegistryError) {
            try call.demand()
        } catch {
            // Of a token that is too narrow the client is told to get another one: that is no refusal yet.
            if error.code == .denied { note(call) }
            throw error
        }
        return rate
    }

    /// Notes in the audit that somebody tried what they may not do.
    private func note(_ call: Call) {
        let subject = "\(call.request.method.name) \(call.request.path)".excerpt
        accounts.audit.refused(call.caller, "request", subject)
    }

    /// What a request counts as, and for whom: an account, or an address where nobody is known.
    private func counted(_ operation: Operation, _ caller: Caller) -> (kind: RateClass, subject: RateSubject)? {
        guard caller.principal != .system, let kind = operation.rate.limited, rates.limits(kind) else { return nil }
        let subject = caller.principal.account.map { RateSubject.principal($0) }
        return (kind, subject ?? .address(Access.AddressBlock(caller.address)))
    }

    private static func tooMany(_ decision: RateDecision) -> RegistryError {
        var error = RegistryError(
            .tooManyRequests, "too many requests: \(decision.limit) a minute are taken, wait before the next one",
            detail: decision.fields)
        error.retryAfter = decision.retryAfter
        return error
    }
}

/// `RateLimit-Limit`, `-Remaining` and `-Reset` (draft-ietf-httpapi-ratelimit-headers-03), the reset in whole seconds, rounded
/// up: who waits so long has waited long enough.
extension RateDecision {
    private static let names = [
        ("limit", "RateLimit-Limit"), ("remaining", "RateLimit-Remaining"), ("reset", "RateLimit-Reset"),
    ]

    fileprivate var fields: [String: String] {
        let (seconds, rest) = reset.components
        return ["limit": "\(limit)", "remaining": "\(remaining)", "reset": "\(seconds + (rest > 0 ? 1 : 0))"]
    }

    /// The fields of an error that a decision was turned into.
    static func headers(_ error: RegistryError) -> [(name: String, value: String)] { headers(error.detail) }

    fileprivate static func headers(_ fields: [String: String]) -> [(name: String, value: String)] {
        names.compactMap { key, name in fields[key].map { (name, $0) } }
    }
}

extension Response {
    /// The answer with what is left of its caller's rate, where that is limited.
    func telling(_ rate: RateDecision?) -> Response {
        guard let rate else { return self }
        var response = self
        response.headers += RateDecision.headers(rate.fields)
        return response
    }
}
