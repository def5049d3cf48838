import Foundation
import Vocabulary

/// A request as a check writes it.
package struct Request: Sendable {
    /// Whether credentials go with it.
    package enum Access: Sendable, Equatable {
        /// Those of the run, as challenged.
        case usual
        /// Those of somebody else.
        case identity(Identity)
        /// None at all, and a 401 is not answered.
        case none
    }

    /// The method.
    package var method: String
    /// Where it goes.
    package var place: Place
    /// Header lines.
    package var headers: [(String, String)] = []
    /// The body.
    package var body: Content?
    /// How the body is delimited.
    package var framing: Outgoing.Framing = .length
    /// Whose credentials go with it.
    package var access: Access = .usual
    /// Whether redirects are followed.
    package var follows = true
    /// Whether a content coding that the request accepts is taken off.
    package var decodes = false
    /// Cut the connection after so many body bytes were sent.
    package var cutUploadAfter: Int?
    /// Cut the connection after so many body bytes came.
    package var cutDownloadAfter: Int?
    /// Wait for `100 Continue`.
    package var expectContinue = false
    /// Who asks, where that is an account of the management API; its credentials stand among the headers.
    var actor: Actor?

    /// A request with a method and a place.
    package init(_ method: String, _ place: Place) {
        self.method = method
        self.place = place
    }
}

/// What a check works with: requests, fresh repositories, seeded content, and a record of all that passed.
/// Used by one thread; `parallel` makes one for each of its threads.
package final class Probe {
    /// What the run's checks share.
    package let run: RunContext
    /// The check's id.
    package let id: String
    let wire: Wire
    let recorder: Recorder
    let ledger: Ledger
    let lane: String
    private var made = 0
    /// What answers named as the place to go on, for requests of our own bytes.
    var places: [Place] = []
    /// What answers of the management API gave, for scripts to take from there.
    var borrowed: [Borrowed] = []
    /// The node that all requests are for, from 0; nil is whose turn it is.
    private var pinned: Int?
    /// Whose turn it is for bytes of our own.
    private var rawTurns: NodeTurns
    /// Whether it removes what was made: that goes on when the run is interrupted.
    var isCleaning = false

    /// Prepares a check; sends nothing.
    package init(run: RunContext, id: String) throws {
        self.run = run
        self.id = id
        wire = try run.wire(id)
        recorder = Recorder()
        ledger = Ledger()
        lane = ""
        rawTurns = NodeTurns(run.nodes, beginning: id)
    }

    private init(lane: Int, of probe: Probe) throws {
        run = probe.run
        id = probe.id
        self.lane = "\(probe.lane)/\(lane)"
        wire = try run.wire(id + self.lane)
        recorder = probe.recorder
        ledger = probe.ledger
        (pinned, rawTurns) = (probe.pinned, NodeTurns(run.nodes, beginning: id + self.lane))
    }

    /// Sends what `work` sends to one node of a registry that has several, from 0.
    @discardableResult
    package func at<Result>(_ node: Int, _ work: () throws -> Result) rethrows -> Result {
        let former = pinned
        pinned = node
        defer { pinned = former }
        return try work()
    }

    /// The node for bytes of our own; nil where there is but the registry's address.
    func nodeOfRawBytes() -> Int? { pinned ?? rawTurns.take() }

    /// A probe for another thread of the same check, with a connection of its own.
    func beside(_ number: Int) throws -> Probe { try Probe(lane: number, of: self) }

    /// The registry's address.
    package var base: Address { run.target.base }

    /// The check's own repository, made by its first push.
    package var repository: String { repository("") }

    /// Another repository of the check's own.
    package func repository(_ suffix: String) -> String {
        let slug = id.replacingOccurrences(of: ".", with: "-")
        // What an earlier check left behind in the one repository must not be in the others of this one.
        if let only = run.target.onlyRepository {
            return suffix.isEmpty ? only : "\(only)/\(run.seed)/\(slug)-\(suffix)"
        }
        return "\(run.target.prefix)/\(run.seed)\(run.isFlat ? "-" : "/")\(slug)" + (suffix.isEmpty ? "" : "-" + suffix)
    }

    /// Whether the repository holds nothing but what the check pushed.
    package var isRepositoryFresh: Bool { run.target.onlyRepository == nil }

    /// A tag that no other check pushes: of use to a check that needs it not to be there.
    package var ownTag: String {
        isRepositoryFresh ? "latest" : "latest-\(run.seed)-" + id.replacingOccurrences(of: ".", with: "-")
    }

    /// Bytes that nobody else has, the same ones whenever the run has the same seed.
    package func random(_ count: Int) throws -> Content {
        made += 1
        return try Content.random(count, seed: "\(run.seed)/\(id)\(lane)/\(made)")
    }

    /// A short word that nobody else has.
    package func word(_ prefix: String = "w") throws -> String {
        prefix + Hex.encode(try random(5).bytes)
    }

    /// Sends a request and gives the answer, redirects followed and challenges answered.
    /// Throws `TransportFailure` when there is none and `Interrupted` when the run was.
    @discardableResult
    package func send(_ request: Request) throws -> Answer {
        var request = request
        var redirect: Headers?
        for hops in 0... {
            var answer = try sendOnce(request)
            answer.redirect = redirect
            guard hops < 5, request.follows, let next = redirected(request, answer) else { return answer }
            (request, redirect) = (next, answer.headers)
        }
        throw Interrupted()
    }

    private func redirected(_ request: Request, _ answer: Answer) -> Request? {
        guard [301, 302, 303, 307, 308].contains(answer.status), let location = answer.headers["Location"] else {
            return nil
        }
        let reads = request.method == "GET" || request.method == "HEAD"
        guard reads || answer.status >= 307, let from = Address(answer.url) else { return nil }
        var next = request
        next.place = .follow(
            exchange: answer.exchange, header: "Location", url: from.resolving(location), query: "")
        return next
    }

    private func sendOnce(_ request: Request) throws -> Answer {
        if run.isInterrupted, !isCleaning { throw Interrupted() }
        var outgoing = Outgoing(method: request.method, url: request.place.url(on: base))
        outgoing.headers = Headers(request.headers)
        outgoing.body = request.body
        outgoing.framing = request.framing
        outgoing.cutUploadAfter = request.cutUploadAfter
        outgoing.cutDownloadAfter = request.cutDownloadAfter
        outgoing.expectContinue = request.expectContinue
        outgoing.decodes = request.decodes
        outgoing.node = pinned
        try waitForList(outgoing)
        defer { if request.method != "GET", request.method != "HEAD" { ledger.noteWrite() } }
        let kind = Step.kind(request, url: outgoing.url) ?? "\(request.method) elsewhere"
        guard
            let wait = run.hangs.wait(kind, usual: run.target.deadline, isAsked: Step.isAsked(kind, by: id))
        else { throw Unanswered(kind: kind) }
        outgoing.deadline = wait.deadline
        let start = ContinuousClock.now
        do {
            let incoming = try performAuthorized(&outgoing, request)
            run.hangs.answered(kind)
            let exchange = record(request, outgoing, incoming, nil, start)
            let path = Address(outgoing.url)?.target ?? outgoing.url
            return Answer(
                exchange: exchange.number, request: run.masker.text("\(request.method) \(path)" + form(request)),
                url: outgoing.url,
                status: incoming.status, headers: incoming.headers, body: incoming.body,
                sawContinue: incoming.sawContinue)
        } catch let failure as TransportFailure {
            _ = record(request, outgoing, nil, failure, start)
            guard failure.kind == .deadline else { throw failure }
            run.hangs.hung(kind, after: wait.deadline, isTold: wait.isTold && !id.hasPrefix("preflight"))
            if wait.isTold { throw failure }
            throw Unanswered(kind: kind)
        }
    }

    /// What tells a request from others of its kind: the conditions and ranges that a check chose.
    private func form(_ request: Request) -> String {
        let telling = request.headers.filter { name, _ in name.hasPrefix("If-") || name.hasSuffix("Range") }
        return telling.isEmpty ? "" : " (" + telling.map { "\($0.0): \($0.1)" }.joined(separator: ", ") + ")"
    }

    func performAuthorized(_ outgoing: inout Outgoing, _ request: Request) throws -> Incoming {
        let identity: Identity
        switch request.access {
        case .usual: identity = run.target.identity
        case .identity(let other): identity = other
        case .none: return try patiently(outgoing)
        }
        guard let address = Address(outgoing.url), address.origin == base.origin,
            outgoing.headers["Authorization"] == nil
        else { return try patiently(outgoing) }
        let plain = outgoing
        if let value = run.authorizer.known(identity, method: outgoing.method, path: address.target) {
            outgoing.headers.add("Authorization", value)
        }
        let first = try patiently(outgoing)
        guard first.status == 401 else { return first }
        let value = try run.authorizer.answer(
            identity, to: first.headers, method: outgoing.method, path: address.target, with: wire)
        guard let value, value != outgoing.headers["Authorization"] else { return first }
        outgoing = plain
        outgoing.headers.add("Authorization", value)
        return try patiently(outgoing)
    }

    /// Sends a request again as often as `Patience` has it while the registry asks for that.
    private func patiently(_ outgoing: Outgoing) throws -> Incoming {
        for attempt in 1... {
            let incoming = try wire.perform(outgoing)
            guard Patience.asks(incoming.status, incoming.headers) else { return incoming }
            try Patience.wait(attempt, incoming.status, incoming.headers, run)
        }
        throw Interrupted()
    }

    private func record(
        _ request: Request, _ outgoing: Outgoing, _ incoming: Incoming?, _ failure: TransportFailure?,
        _ start: ContinuousClock.Instant
    ) -> Exchange {
        let masker = run.masker
        let exchange = recorder.add { number in
            var exchange = Exchange(
                number: number, method: outgoing.method, url: masker.text(outgoing.url),
                headers: masker.headers(outgoing.headers), place: request.place, body: outgoing.body,
                bodyText: Exchange.preview(outgoing.body, masker), framing: outgoing.framing, raw: nil, rawTarget: nil,
                response: incoming.map { Probe.response($0, masker, isKept: request.actor != nil) },
                failure: failure.map { "\($0.kind): \($0.detail)" }, duration: ContinuousClock.now - start)
            exchange.node = wire.node
            describe(&exchange, request, outgoing, incoming)
            return exchange
        }
        run.standing.look(at: exchange, of: id, recorder)
        return exchange
    }

    /// An answer as it is recorded: the body of an error is kept whole, and of any answer where `isKept`.
    static func response(_ incoming: Incoming, _ masker: Masker, isKept: Bool = false) -> Exchange.Response {
        let isText =
            !incoming.body.contains { $0 < 9 } && String(validating: incoming.body.prefix(2_000), as: UTF8.self) != nil
        let sample = isText ? masker.text(String(decoding: incoming.body.prefix(2_000), as: UTF8.self)) : ""
        let keeps = (isKept || incoming.status >= 400) && incoming.body.count <= 65_536
        return Exchange.Response(
            status: incoming.status, headers: masker.headers(incoming.headers), bodyCount: incoming.body.count,
            bodyDigest: Digests.sha256(incoming.body), sample: sample, json: keeps ? incoming.body : nil)
    }
}
