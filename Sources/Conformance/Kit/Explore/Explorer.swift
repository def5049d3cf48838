import Synchronization

/// Plays games against a registry: each in repositories of its own, from a seed of its own.
final class Explorer: Sendable {
    let context: RunContext
    let plan: PlayPlan
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
        if !context.isInterrupted { lookInto(width: width) }
    }

    // MARK: A game

    func stage(_ name: String, _ seed: String) throws -> Stage {
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
            var player = Player(
                seed: seed, homes: stage.names.count - 1, seats: stage.seats.count,
                strangers: stage.strangers.count,
                hasPassword: stage.seats[0].run.target.identity.basic != nil)
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
            book.add(
                Sighting(
                    game: game, deviation: deviation, steps: history + [step], isFirst: isFirst,
                    exchanges: stage.seats[0].recorder.all))
            return false
        }
    }
}
