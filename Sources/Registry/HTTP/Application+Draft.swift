import Access
import Metrics
import Model
import Service

/// An answer before anybody has seen it: made at once of what is in memory, or how it will be made.
enum Draft {
    case response(Response)
    case failure(RegistryError)
    case work(@Sendable () async -> Response)
}

/// That a request was counted, which it is once however often its answer is drafted.
struct Admission {
    let rate: RateDecision?
}

extension Application {
    /// The answer to a request, or the work that makes it.
    package enum Answer {
        case ready(Response)
        case pending(@Sendable () async -> Response)
    }

    /// Answers what is in memory at once; where others may have changed it meanwhile, once they were asked. Never throws: errors
    /// are answers.
    package func answer(to request: Request) -> Answer {
        if let preflight = preflight(request) { return .ready(done(preflight, request)) }
        var admission: Admission?
        guard let guess = registry.guess() else {
            switch draft(request, &admission) {
            case .response(let response): return .ready(done(response, request))
            case .failure(let error): return .ready(failed(error, request))
            case .work(let work): return .pending(work)
            }
        }
        let draft = VersionGuess.$current.withValue(guess) { self.draft(request, &admission) }
        return .pending { [self, admission] in await settle(draft, guess, request, admission) }
    }

    /// The answer as it is drafted, if what it was drafted by is true; else anew, by what is true now.
    private func settle(
        _ first: Draft, _ guess: VersionGuess, _ request: Request, _ admission: Admission?
    ) async -> Response {
        var (draft, admission, tries) = (first, admission, 0)
        while guess.isOpen {
            do throws(RegistryError) {
                if try await registry.settle(guess) { break }
            } catch {
                return failed(error, request)
            }
            tries += 1
            // Under a storm of changes it goes by what was asked for alone, and for the rest the long way.
            if tries == 3 { guess.stopGuessing() }
            draft = VersionGuess.$current.withValue(guess) { self.draft(request, &admission) }
        }
        switch draft {
        case .response(let response): return done(response, request)
        case .failure(let error): return failed(error, request)
        case .work(let work):
            guess.stopGuessing()
            return await VersionGuess.$current.withValue(guess) { await work() }
        }
    }

    private func draft(_ request: Request, _ admission: inout Admission?) -> Draft {
        do throws(RegistryError) {
            if let response = try prepared(request) { return .response(response) }
            let (operation, parameters) = try find(request)
            guard let call = try callAtOnce(request, operation, parameters) else {
                return .work { [self, admission] in
                    await carryOut(request) { () throws(RegistryError) in
                        let call = try await RequestStages.time(.auth) { () throws(RegistryError) in
                            try await self.call(request, operation, parameters)
                        }
                        return try await handle(call, operation, admission)
                    }
                }
            }
            if isCountedElsewhere(operation), admission == nil {
                return .work { [self] in
                    await carryOut(request) { () throws(RegistryError) in
                        let rate = try await admitCountingElsewhere(operation, call)
                        if let response = try operation.atOnce?(call)?.telling(rate) { return response }
                        return try await handle(call, operation, Admission(rate: rate))
                    }
                }
            }
            let rate = try admit(operation, call, &admission)
            if let response = try operation.atOnce?(call)?.telling(rate) {
                if let held = heldNow(response, request) { return .response(held) }
                return .work { [self] in await carryOut(request) { () throws(RegistryError) in response } }
            }
            return .work { [self] in
                await carryOut(request) { () throws(RegistryError) in
                    try await handle(call, operation, Admission(rate: rate))
                }
            }
        } catch {
            return .failure(error)
        }
    }

    private func handle(
        _ call: Call, _ operation: Operation, _ admission: Admission?
    ) async throws(RegistryError) -> Response {
        let rate: RateDecision?
        if let admission { rate = admission.rate } else { rate = try await admitCountingElsewhere(operation, call) }
        // What is answered at once where it can be changes nothing: what its request has heard holds to its end.
        if operation.atOnce == nil { VersionGuess.current?.end() }
        return try await operation.handler(call).telling(rate)
    }

    private func admit(
        _ operation: Operation, _ call: Call, _ admission: inout Admission?
    ) throws(RegistryError) -> RateDecision? {
        if let admission { return admission.rate }
        let rate = try admit(operation, call)
        admission = Admission(rate: rate)
        return rate
    }
}
