import Foundation
import Synchronization

/// What a run is to do.
package struct RunPlan: Sendable {
    /// Where and how.
    package var target: Target
    /// Groups in order.
    package var groups: [CheckGroup]
    /// Id patterns with `*` and `?`; empty for all.
    package var patterns: [String] = []
    /// The laxest level that is tried.
    package var level: Level = .may
    /// How many checks run at once.
    package var jobs = 1
    /// Everything random comes from it; it is also part of the repositories' names.
    package var seed: String
    /// Leave what was made.
    package var keep = false
    /// Also what moves gigabytes.
    package var large = false
    /// A folder that gets every check's exchanges.
    package var trace: String?
    /// How much is played.
    package var play = PlayPlan()

    /// A plan with the usual settings.
    package init(target: Target, groups: [CheckGroup], seed: String) {
        (self.target, self.groups, self.seed) = (target, groups, seed)
    }

    /// How many checks run at once: one by one where all of them share a repository.
    package var width: Int { target.onlyRepository == nil || target.given != nil ? jobs : 1 }

    /// The checks that are selected, each with its group's title.
    package var selection: [(group: String, check: Check)] {
        groups.flatMap { group in group.checks.map { (group.title, $0) } }.filter { _, check in
            check.level <= level && (patterns.isEmpty || patterns.contains { Glob.matches(check.id, $0) })
        }
    }
}

/// What a run tells while it goes on.
package protocol RunObserver: Sendable {
    /// A check ended. Called from any thread, one at a time.
    func ended(_ outcome: Outcome, done: Int, of total: Int)
}

/// All that is known after a run.
package struct RunResult: Sendable {
    /// One outcome a selected check, in the order of the selection.
    package let outcomes: [Outcome]
    /// How long it all took.
    package let duration: Duration
    /// Things made that could not be deleted.
    package let leftovers: Int
    /// Whether it was interrupted.
    package let interrupted: Bool
    /// What the registry said about itself before the run.
    package let facts: TargetFacts
    /// The secrets that must not be written.
    package let masker: Masker

    /// How many outcomes have this verdict.
    package func count(_ verdict: Verdict) -> Int { outcomes.count { $0.verdict == verdict } }
}

/// Runs checks on threads of their own and collects what came out.
package final class Runner: Sendable {
    private let plan: RunPlan
    /// What the checks share; tests and signal handlers reach in.
    package let context: RunContext
    private let observer: any RunObserver
    private let explorer: Explorer
    private let state: Mutex<State>

    private struct State {
        var outcomes: [Int: Outcome] = [:]
        /// Those that are told only when it is known whose failure they are.
        var open: Set<Int> = []
        /// Checks that were not selected, and were run to see whose failure it is: those that did not pass.
        var added: [Outcome] = []
        var told = 0
    }

    /// Prepares a run; sends nothing.
    package init(_ plan: RunPlan, observer: any RunObserver) {
        self.plan = plan
        self.observer = observer
        let standing = plan.selection.map(\.check).filter { if case .standing = $0.body { true } else { false } }
        context = RunContext(target: plan.target, seed: plan.seed, keep: plan.keep, standing: standing)
        explorer = Explorer(context: context, plan: plan.play)
        state = Mutex(State())
    }

    /// Runs everything. Throws `TargetProblem` when the target cannot be used at all.
    package func run() throws -> RunResult {
        let start = ContinuousClock.now
        let facts = try context.preflight()
        let isWhole = plan.patterns.isEmpty && plan.level == .may
        context.drive(try ManagementPreflight(context: context).prepare(isWhole: isWhole))
        let selection = plan.selection
        let isAlone: (Int) -> Bool = { selection[$0].check.needs.contains(.alone) }
        let isProbe: (Int) -> Bool = { if case .probe = selection[$0].check.body { true } else { false } }
        let isPlayed: (Int) -> Bool = { if case .played = selection[$0].check.body { true } else { false } }
        let probes = selection.indices.filter(isProbe)
        func run(_ numbers: [Int], width: Int) {
            Threads.run(numbers.count, width: width) { index in
                let number = numbers[index]
                self.finish(number, self.outcome(selection[number], facts), of: selection.count)
            }
        }
        run(probes.filter { !isAlone($0) }, width: plan.width)
        run(probes.filter(isAlone), width: 1)
        blame(selection.count, facts)
        if selection.indices.contains(where: isPlayed) { play(facts) }
        // What was played, and the rules that look at every exchange, are told when all is done.
        run(selection.indices.filter { !isProbe($0) }, width: 1)
        if !plan.keep { context.removeAccounts() }
        let outcomes = state.withLock { state in selection.indices.compactMap { state.outcomes[$0] } + state.added }
        return RunResult(
            outcomes: outcomes, duration: ContinuousClock.now - start, leftovers: context.leftovers,
            interrupted: context.isInterrupted, facts: facts, masker: context.masker)
    }

    private func finish(_ number: Int, _ outcome: Outcome, of total: Int) {
        state.withLock { state in
            state.outcomes[number] = outcome
            if Blame.isOpen(outcome) {
                state.open.insert(number)
            } else {
                state.told += 1
                observer.ended(outcome, done: state.told, of: total)
            }
        }
    }

    /// Decides whose failures those are that other checks may have to do with. Where what a check leans on was not
    /// selected it is tried for that, and told when it did not pass.
    private func blame(_ total: Int, _ facts: TargetFacts) {
        let (first, open) = state.withLock { ($0.outcomes, $0.open.sorted()) }
        var outcomes = Dictionary(uniqueKeysWithValues: first.values.map { ($0.check.id, $0) })
        let all = plan.groups.flatMap { group in group.checks.map { (group: group.title, check: $0) } }
        var added: [String] = []
        for _ in 0..<4 {
            let asked = outcomes.values.filter { $0.purpose != nil && [.fail, .warn].contains($0.verdict) }
                .flatMap(Blame.owners).filter { outcomes[$0] == nil }
            guard !asked.isEmpty else { break }
            for owner in all where asked.contains(owner.check.id) {
                outcomes[owner.check.id] = outcome(owner, facts)
                added.append(owner.check.id)
            }
        }
        let places = Dictionary(uniqueKeysWithValues: all.enumerated().map { ($1.check.id, $0) })
        let blame = Blame(outcomes: outcomes, places: places)
        state.withLock { state in
            state.added = added.sorted().compactMap { outcomes[$0].map(blame.decided) }
                .filter { ![.pass, .skip].contains($0.verdict) }
            for number in open {
                guard let outcome = state.outcomes[number].map(blame.decided) else { continue }
                state.outcomes[number] = outcome
                state.told += 1
                observer.ended(outcome, done: state.told, of: total)
            }
        }
    }

    private func outcome(_ selected: (group: String, check: Check), _ facts: TargetFacts) -> Outcome {
        let (group, check) = selected
        let draft = OutcomeDraft(check: check, group: group)
        if context.isInterrupted { return draft.plain(.error, "interrupted before it ran") }
        if let refusal = facts.credentialsRefusal { return draft.plain(.error, refusal) }
        if let reason = unmet(check.needs, facts) { return draft.plain(.skip, reason) }
        switch check.body {
        case .standing: return standing(draft)
        case .played(let rule): return played(draft, rule)
        case .probe(let body): return tried(draft, body)
        }
    }

    private func unmet(_ needs: Set<Need>, _ facts: TargetFacts) -> String? {
        if plan.target.given == nil, needs.contains(.given) { return "needs --read-only with a tag or digest" }
        if needs.contains(.push) || needs.contains(.secondIdentity) {
            if plan.target.given != nil { return "pushes, and the run is read-only" }
            if let refusal = facts.pushRefusal { return "the registry accepts no push here: \(refusal)" }
        }
        if needs.contains(.management), context.management == nil { return "needs --management and --admin NAME" }
        if needs.contains(.nodes), plan.target.nodes.count < 2 { return "needs --nodes with two or more" }
        if needs.contains(.large), !plan.large { return "moves gigabytes: --large runs it" }
        if needs.contains(.credentials) || needs.contains(.identity) {
            if plan.target.identity.proof == .anonymous { return "needs credentials: --user and --password" }
            if !needs.contains(.identity), !facts.asksForCredentials {
                return "the registry asks for no credentials (see auth.asked)"
            }
        }
        if needs.contains(.secondIdentity), plan.target.others.isEmpty {
            return "needs a second identity: --identity NAME=USER:PASS"
        }
        if needs.contains(.secondIdentity), context.strangers.isEmpty {
            return context.noStrangerReason ?? "needs a second identity, beside one of the run's own"
        }
        return nil
    }

    /// Plays, where the registry lets repositories be made.
    private func play(_ facts: TargetFacts) {
        guard facts.credentialsRefusal == nil, unmet([.push], facts) == nil, plan.target.onlyRepository == nil else {
            return
        }
        explorer.run(width: plan.width)
    }

    private func played(_ draft: OutcomeDraft, _ rule: PlayRule) -> Outcome {
        if plan.target.onlyRepository != nil { return draft.plain(.skip, "plays in repositories of its own") }
        let finding = explorer.book.finding(rule)
        // Whether a game comes upon it or not, which may be by chance: the same registry has the same verdict.
        if explorer.book.problem == nil || finding != nil, let other = culprit(rule) {
            var outcome = draft.plain(.blocked, "what is found is the failure of \(other)")
            (outcome.blocker, outcome.odds) = (other, finding?.failure.odds)
            return outcome
        }
        if let finding {
            let told = finding.failure
            var failure = CheckFailure(
                expected: told.expected, got: "\(told.got) (\(finding.story))", exchange: told.exchange,
                assertion: told.assertion)
            failure.odds = told.odds
            return draft.judged(failure, purpose: nil, exchanges: finding.exchanges, context)
        }
        if let problem = explorer.book.problem { return draft.plain(.error, problem) }
        return explorer.book.applied(rule) == 0
            ? draft.plain(.skip, "nothing that was played showed anything that the rule is about")
            : draft.plain(.pass, "")
    }

    /// A listed check that asks the same and failed.
    private func culprit(_ rule: PlayRule) -> String? {
        state.withLock { state in
            state.outcomes.sorted { $0.key < $1.key }.map(\.value).first { outcome in
                [.fail, .warn].contains(outcome.verdict) && rule.same.contains { Glob.matches(outcome.check.id, $0) }
            }?.check.id
        }
    }

    private func standing(_ draft: OutcomeDraft) -> Outcome {
        let (applied, breach) = context.standing.finding(draft.check.id)
        if let breach {
            let failure = CheckFailure(
                expected: breach.expected, got: breach.got + " (first seen in \(breach.origin))",
                exchange: breach.exchange.number, assertion: breach.assertion)
            return draft.judged(failure, purpose: nil, exchanges: breach.earlier + [breach.exchange], context)
        }
        return applied == 0
            ? draft.plain(.skip, "no exchange of this run showed anything that the rule is about")
            : draft.plain(.pass, "")
    }

    private func tried(_ draft: OutcomeDraft, _ body: @Sendable (Probe) throws -> Void) -> Outcome {
        do {
            let probe = try Probe(run: context, id: draft.check.id)
            let outcome = attempt(draft, probe, body)
            if !context.keep { Cleaner(probe).clean() }
            if let folder = plan.trace {
                try Trace.write(probe.recorder.all, of: draft.check, in: folder, context.masker)
            }
            return outcome
        } catch {
            return draft.plain(.error, context.masker.text("the runner failed: \(error)"))
        }
    }

    private func attempt(_ draft: OutcomeDraft, _ probe: Probe, _ body: @Sendable (Probe) throws -> Void) -> Outcome {
        do {
            try body(probe)
            return draft.plain(.pass, "")
        } catch let failure as CheckFailure {
            return draft.judged(failure, purpose: nil, exchanges: probe.recorder.all, context)
        } catch let setup as SetupFailure {
            return draft.judged(setup.failure, purpose: setup.purpose, exchanges: probe.recorder.all, context)
        } catch let skip as Skip {
            return draft.plain(.skip, context.masker.text(skip.reason))
        } catch let unanswered as Unanswered {
            return draft.unanswered(unanswered.kind)
        } catch is Interrupted {
            return draft.plain(.error, "interrupted")
        } catch let failure as TransportFailure {
            return draft.broken(failure, probe, context)
        } catch let failure as RunnerFailure {
            return draft.plain(.error, context.masker.text(failure.description))
        } catch {
            return draft.plain(.error, context.masker.text("the runner failed: \(error)"))
        }
    }
}
