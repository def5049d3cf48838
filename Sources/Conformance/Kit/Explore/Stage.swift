import Vocabulary

/// A registry did not do what the model says.
struct Deviation: Error, Sendable {
    /// The rule that it broke.
    let rule: PlayRule
    /// What was expected and what came.
    let failure: CheckFailure
}

/// Where a game is played: sends what acts say, judges each answer by the world as it has to be, and changes the world
/// by it. Used by one thread.
final class Stage {
    /// One for each client: the acts name them by number.
    let seats: [Probe]
    let names: [String]
    /// Who may nothing in these repositories.
    var strangers: [Identity] { seats[0].run.strangers }
    let cast: Cast
    var world: World
    var habits: Habits
    /// Rules that were applied, and how often.
    private(set) var applied: [String: Int] = [:]
    /// Where sessions go on.
    var places: [Int: Place] = [:]
    var leastChunk: [Int: Int] = [:]
    /// What an answer said of something that nobody has touched since.
    private var memory: [String: String] = [:]
    /// Ids of upload sessions, none of which may come twice.
    var sessionNames: Set<String> = []

    init(seats: [Probe], names: [String], cast: Cast, habits: Habits) {
        (self.seats, self.names, self.cast, self.habits) = (seats, names, cast, habits)
        world = World(repositories: names.count)
    }

    /// Does one step. Throws `Deviation` when the registry does what the model does not allow.
    func perform(_ step: Move) throws {
        let probe = seats[step.seat % seats.count]
        do {
            try perform(step.act, probe)
        } catch is Skip {
            // Where nothing can be asked, nothing is held: what a place behind a redirect leaves out, for example.
        } catch is Unanswered {
            // That it hangs is told already.
        } catch let failure as TransportFailure where failure.kind != .unreachable || probe.isTargetAlive() {
            applied[PlayRule.answers.id, default: 0] += 1
            let told = failure.status == 0 ? "no answer" : "status \(failure.status) without the whole body"
            throw Deviation(
                rule: .answers, failure: CheckFailure(expected: "an answer", got: "\(told): \(failure.detail)"))
        }
        applied[PlayRule.answers.id, default: 0] += 1
    }

    private func perform(_ act: Act, _ probe: Probe) throws {
        switch act {
        case .pushBlob(let at, let key, let form, let algorithm): try pushBlob(probe, at, key, form, algorithm)
        case .pushWrong(let at, let key, let wrong, let other): try pushWrong(probe, at, key, wrong, other)
        case .mount(let at, let from, let key, let escaped): try mount(probe, at, from, key, escaped)
        case .begin(let session, let at, let key, let algorithm): try begin(probe, session, at, key, algorithm)
        case .chunk(let session, let count, let form): try chunk(probe, session, count, form)
        case .finish(let session, let form): try finish(probe, session, form)
        case .cancel(let session): try cancel(probe, session)
        case .cut(let at, let key, let patch): try cut(probe, at, key, patch)
        case .putManifest(let at, let plan, let reference, let tags, let condition):
            try putManifest(probe, at, plan, reference, tags, condition)
        case .delete(let at, let victim): try delete(probe, at, victim)
        case .race(let at, let race): try run(race, probe, at)
        case .askBlob(let at, let key, let algorithm, let question): try askBlob(probe, at, key, algorithm, question)
        case .askManifest(let at, let reference, let question): try askManifest(probe, at, reference, question)
        case .blobAsManifest(let at, let key): try blobAsManifest(probe, at, key)
        case .askTags(let at, let question): try askTags(probe, at, question)
        case .askCatalog(let count, let last): try askCatalog(probe, count, behind: last)
        case .manifestAsBlob(let at, let plan): try manifestAsBlob(probe, at, plan)
        case .askReferrers(let at, let plan, let filter): try askReferrers(probe, at, plan, filter)
        case .askSession(let session): try askSession(probe, session)
        case .touchEnded(let session, let method): try touchEnded(probe, session, method)
        case .touchForeign(let session, let at, let method): try touchForeign(probe, session, at, method)
        case .odd(let at, let oddity): try ask(oddity, probe, at)
        case .near(let at, let near): try ask(near, probe, at)
        case .token(let at, let deed): try use(deed, probe, at)
        case .trespass(let at, let who, let deed): try trespass(at, who, deed)
        }
    }

    // MARK: Judging

    /// Applies a rule: what fails in `work` is a deviation from it.
    @discardableResult
    func hold<Result>(_ rule: PlayRule, _ work: () throws -> Result) throws -> Result {
        applied[rule.id, default: 0] += 1
        do {
            return try work()
        } catch let failure as CheckFailure {
            throw Deviation(rule: rule, failure: failure)
        }
    }

    /// Learns what the registry does in a situation that the specification leaves open, or holds it to that.
    func settle(_ situation: String, _ choice: String, _ answer: Answer) throws {
        try hold(.habit) {
            guard let before = habits.differs(situation, choice) else { return }
            throw CheckFailure(
                expected: "\(answer.request): \(situation): \(before), as this registry did before",
                got: choice, exchange: answer.exchange, assertion: Int(before).map { .status([$0]) } ?? .described)
        }
    }

    /// The status must be one of these, by the rule, and the same one each time.
    func settle(_ rule: PlayRule, _ situation: String, _ answer: Answer, _ statuses: [Int]) throws {
        try hold(rule) { _ = try answer.expect(anyOf: statuses, situation) }
        try settle(situation, "\(answer.status)", answer)
    }

    /// Which of the usual headers a kind of answer has: learned, and held to.
    func settleHeaders(_ kind: String, _ answer: Answer) throws {
        let host = Address(answer.url)?.origin == seats[0].base.origin ? "" : " by a redirect"
        for name in Stage.watched {
            try settle(
                "\(name) in \(kind)\(host)", answer.headers[name] == nil ? "none" : "there", answer)
        }
    }

    private static let watched = [
        "Content-Type", "ETag", "Accept-Ranges", HeaderName.dockerContentDigest, HeaderName.dockerAPIVersion,
        "Location", "Range", HeaderName.dockerUploadUUID, "Last-Modified", "Vary", "Cache-Control",
    ]

    /// Headers of what nobody touched: as they were when it was last asked for.
    func remember(_ what: String, _ answer: Answer) throws {
        let told = ["Content-Type", "ETag", HeaderName.dockerContentDigest].map {
            "\($0): \(answer.headers.all($0).joined(separator: " and "))"
        }.joined(separator: ", ")
        guard let before = memory[what] else { return memory[what] = told }
        try hold(.stable) {
            try require(before == told, "\(answer.request): as before, \(before)", told, answer)
        }
    }

    /// An ETag in an answer that has not the whole of a thing is that of the whole.
    func expectKnownTag(_ what: String, _ answer: Answer) throws {
        // A store behind a redirect has entity tags of its own.
        guard answer.redirect == nil, let tag = answer.headers["ETag"], let before = memory[what] else { return }
        try hold(.conditional) {
            try require(
                before.contains("ETag: \(tag),"), "\(answer.request): the ETag of the 200: \(before)", tag, answer)
        }
    }

    /// What was said of a thing counts no more: somebody changed it.
    func forget(_ what: String) { memory = memory.filter { !$0.key.hasPrefix(what) } }

    /// An error code, where a JSON body tells any, must be among those that fit.
    func expectCode(_ answer: Answer, _ codes: String...) throws {
        guard (400..<500).contains(answer.status), !answer.errorCodes.isEmpty else { return }
        try hold(.errorCode) {
            try require(
                answer.errorCodes.contains(where: codes.contains),
                "\(answer.request): error code \(codes.joined(separator: " or "))",
                answer.errorCodes.joined(separator: ", "), answer)
        }
    }
}
