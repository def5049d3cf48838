/// A deviation as a game showed it.
struct Sighting: Sendable {
    let game: Int
    let deviation: Deviation
    /// What the game did before it, and what showed it.
    let steps: [Move]
    /// Whether the game had shown no other before: what comes behind one may be no more than a consequence of it.
    let isFirst: Bool
    let exchanges: [Exchange]

    /// Where it stands among those of the same rule, whatever the order in which the games were played: first those
    /// that are no consequences, the fixed games before the others.
    var rank: (Int, Int, Int) { (isFirst ? 0 : 1, game < 0 ? 0 : 1, abs(game)) }
}

/// When all games are played: which deviations show again, and by how little.
extension Explorer {
    /// Looks into what was seen, rule by rule, so that what is told follows from what was played, and not from which
    /// game was faster.
    func lookInto(width: Int) {
        let seen = book.sightings
        let end = ContinuousClock.now + .seconds(plan.duration == nil ? 20 : 120)
        Threads.run(seen.count, width: width) { number in
            do {
                try self.lookInto(seen[number], end)
            } catch is Interrupted {
                self.book.note("interrupted")
            } catch {
                self.book.note(self.context.masker.text("\(error)"))
            }
        }
    }

    private func lookInto(_ sightings: [Sighting], _ end: ContinuousClock.Instant) throws {
        var tries = 0
        for sighting in sightings {
            let (finding, replays) = try investigate(sighting, end)
            tries += replays
            if let finding { return book.add(finding, sighting.deviation.rule) }
        }
        guard let first = sightings.first, first.isFirst else { return }
        var failure = first.deviation.failure
        failure.odds = Odds(lost: 1, rounds: 1 + tries)
        book.add(
            Finding(
                game: first.game, failure: failure, exchanges: first.exchanges,
                story: "seen once in game \(first.game), and not in \(tries) replays of its \(first.steps.count) steps"),
            first.deviation.rule)
    }

    /// Makes the game that showed a deviation as short as it gets, and gives what the shortest one showed, and how often
    /// it was played again; nil where it did not show again. What several clients do at once is played more often.
    private func investigate(_ sighting: Sighting, _ end: ContinuousClock.Instant) throws -> (Finding?, Int) {
        let (steps, rule) = (sighting.steps, sighting.deviation.rule)
        let ends = min(end, ContinuousClock.now + .seconds(plan.duration == nil ? 2 : 10))
        var shortest: (failure: CheckFailure, exchanges: [Exchange])?
        var replays = 0
        func shows(_ part: [Move]) throws -> Bool {
            replays += 1
            guard let shown = try self.replay(part, sighting.game, replays, rule) else { return false }
            shortest = shown
            return true
        }
        let isRace = if case .race = steps.last?.act { true } else { false }
        let rounds = isRace ? 5 : 2
        var lost = 0
        for round in 1...rounds {
            if try shows(steps) { lost += 1 }
            if !isRace, lost == round { break }  // What shows at once, and has no race in it, shows each time.
        }
        let tried = replays
        guard lost > 0 else { return (nil, tried) }
        var shrinker = Shrinker<Move>(attempts: plan.duration == nil ? 60 : 400) { part in
            ContinuousClock.now < ends ? try shows(part) : false
        }
        var kept = steps
        for slice in Explorer.slices(steps) where slice.count < kept.count {
            shrinker.attempts -= 1
            if try shrinker.shows(slice) { kept = slice }
        }
        kept = try shrinker.shrink(kept)
        guard var told = shortest else { return (nil, tried) }
        if lost < tried { told.failure.odds = Odds(lost: 1 + lost, rounds: 1 + tried) }
        let finding = Finding(
            game: sighting.game, failure: told.failure, exchanges: told.exchanges,
            story: "\(kept.count) of \(steps.count) steps of game \(sighting.game) show it")
        return (finding, tried)
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
