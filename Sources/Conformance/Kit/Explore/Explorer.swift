import Synchronization

/// Plays games against a registry: each in repositories of its own, from a seed of its own.
final class Explorer: Sendable {
    private let context: RunContext
    private let plan: PlayPlan
    let book = PlayBook()
    private let learned = Mutex(Habits())

    /// Changes a game has.
    private static let length = 40
    /// Deviations after which a game tells nothing more.
    private static let patience = 12

    init(context: RunContext, plan: PlayPlan) {
        (self.context, self.plan) = (context, plan)
    }

    /// Learns what the registry chooses, then plays, `width` games at once.
    func run(width: Int) {
        let end = plan.duration.map { ContinuousClock.now + $0 }
        open(Opening.steps)
        // The fixed games have numbers of their own, below zero.
        Threads.run(Tour.stations.count, width: width) { self.play(game: -1 - $0, steps: Tour.stations[$0]) }
        var first = 1
        var left = plan.steps
        while !context.isInterrupted, book.problem == nil {
            let count = end == nil ? (left + Explorer.length - 1) / Explorer.length : width
            let (total, start) = (left, first)
            Threads.run(count, width: width) { number in
                let share = end == nil ? min(Explorer.length, total - number * Explorer.length) : Explorer.length
                self.play(game: start + number, count: share, until: end)
            }
            first += count
            left = 0
            guard let end, ContinuousClock.now < end else { break }
        }
    }

    // MARK: A game

    private func stage(_ name: String, _ seed: String) throws -> Stage {
        let probe = try Probe(run: context, id: "explore." + name)
        let names = ["a", "ab", "a-b", "never"].map { probe.repository($0) }
        return Stage(
            seats: [probe, try probe.beside(1), try probe.beside(2)], names: names,
            cast: Cast(seed: "\(context.seed)/explore/\(seed)"), habits: learned.withLock { $0 })
    }

    /// Plays a fixed list of steps; what was learned in it is what the games begin with.
    private func open(_ steps: [Move]) {
        withStage(0) { stage in
            var history: [Move] = []
            for step in steps { try take(step, stage, &history, 0, isFirst: true) }
            learned.withLock { $0 = stage.habits }
        }
    }

    /// Plays a fixed game.
    private func play(game: Int, steps: [Move]) {
        withStage(game) { stage in
            var history: [Move] = []
            var deviations = 0
            for step in steps where deviations < 3 * Explorer.patience {
                if try !take(step, stage, &history, game, isFirst: deviations == 0) { deviations += 1 }
            }
        }
    }

    /// Plays a game of random changes, each followed by questions.
    private func play(game: Int, count: Int, until end: ContinuousClock.Instant?) {
        withStage(game) { stage in
            let seed = "\(plan.seed)/game \(game)"
            var player = Player(seed: seed, homes: stage.names.count - 1, seats: stage.seats.count)
            var oracle = Oracle(seed: seed, stranger: stage.names.count - 1, seats: stage.seats.count)
            var history: [Move] = []
            var deviations = 0
            for _ in 0..<count where deviations < Explorer.patience {
                if let end, ContinuousClock.now > end { break }
                let change = player.next(stage.world)
                var isFine = try take(change, stage, &history, game, isFirst: deviations == 0)
                if isFine {
                    for question in oracle.questions(after: change, stage.world) {
                        let isHeld = try take(question, stage, &history, game, isFirst: deviations == 0)
                        isFine = isFine && isHeld
                    }
                }
                if !isFine { deviations += 1 }
                book.add(applied: [:], steps: 1)
            }
        }
    }

    private func withStage(_ game: Int, _ work: (Stage) throws -> Void) {
        do {
            let stage = try stage(game < 0 ? "t\(-game)" : "g\(game)", "game \(game)")
            defer {
                book.add(applied: stage.applied, steps: 0)
                if !context.keep { Cleaner(stage.seats[0]).clean() }
            }
            try work(stage)
        } catch is Interrupted {
            book.note("interrupted")
        } catch {
            book.note(context.masker.text("\(error)"))
        }
    }

    /// Does a step; false when the registry deviated in it. What it was about is in doubt from then on.
    @discardableResult
    private func take(_ step: Move, _ stage: Stage, _ history: inout [Move], _ game: Int, isFirst: Bool) throws -> Bool
    {
        do {
            try stage.perform(step)
            history.append(step)
            return true
        } catch let deviation as Deviation {
            stage.world.doubt(step.act)
            if book.claims(deviation.rule) {
                try investigate(deviation, history + [step], stage, game, isFirst: isFirst)
            }
            return false
        }
    }

    // MARK: A deviation

    /// Makes the game that showed a deviation as short as it gets, and keeps what the shortest one showed.
    private func investigate(
        _ deviation: Deviation, _ steps: [Move], _ stage: Stage, _ game: Int, isFirst: Bool
    ) throws {
        let end = ContinuousClock.now + .seconds(plan.duration == nil ? 2 : 10)
        var shortest: (failure: CheckFailure, exchanges: [Exchange])?
        var replays = 0
        var shrinker = Shrinker<Move>(attempts: plan.duration == nil ? 60 : 400) { part in
            guard replays < 2 || ContinuousClock.now < end else { return false }
            replays += 1
            guard let shown = try self.replay(part, game, replays, deviation.rule) else { return false }
            shortest = shown
            return true
        }
        let isAgain = try shrinker.shows(steps) ? true : try shrinker.shows(steps)
        guard isAgain else {
            // Behind an earlier deviation it may be no more than a consequence of that.
            guard isFirst else { return book.release(deviation.rule) }
            return book.add(
                Finding(
                    game: game, failure: deviation.failure, exchanges: stage.seats[0].recorder.all,
                    story: "seen once in game \(game), and not in \(replays) replays of its \(steps.count) steps"),
                deviation.rule)
        }
        var kept = steps
        for slice in Explorer.slices(steps) where slice.count < kept.count {
            shrinker.attempts -= 1
            if try shrinker.shows(slice) { kept = slice }
        }
        kept = try shrinker.shrink(kept)
        guard let shortest else { return }
        book.add(
            Finding(
                game: game, failure: shortest.failure, exchanges: shortest.exchanges,
                story: "\(kept.count) of \(steps.count) steps of game \(game) show it"),
            deviation.rule)
    }

    /// Parts that often show what the whole shows: the last step alone, what went to its repository, changes without
    /// the questions between them.
    private static func slices(_ steps: [Move]) -> [[Move]] {
        guard let last = steps.last else { return [] }
        let at = last.act.repository
        let near = steps.filter { at == nil || $0.act.repository == nil || $0.act.repository == at }
        let changes = { (steps: [Move]) in steps.dropLast().filter { !$0.act.isQuestion } + [last] }
        return [changes(steps), near, changes(near), changes(near).suffix(6), changes(near).suffix(2), [last]]
    }

    /// Plays steps again in repositories and with content of their own; gives what broke the rule in the last of them.
    private func replay(_ steps: [Move], _ game: Int, _ number: Int, _ rule: PlayRule) throws
        -> (failure: CheckFailure, exchanges: [Exchange])?
    {
        let name = "g\(abs(game))\(game < 0 ? "t" : "r")\(number)-" + rule.id.dropFirst("explore.".count)
        let stage = try stage(name, "game \(game)/replay \(number)/\(rule.id)")
        defer { if !context.keep { Cleaner(stage.seats[0]).clean() } }
        for (index, step) in steps.enumerated() {
            do {
                try stage.perform(step)
            } catch let deviation as Deviation {
                guard index == steps.count - 1, deviation.rule.id == rule.id else { return nil }
                return (deviation.failure, stage.seats[0].recorder.all)
            }
        }
        return nil
    }
}
