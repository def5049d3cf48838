import Foundation
import Vocabulary

/// How a token is got.
enum TokenWay: Hashable, Sendable, CaseIterable {
    case get
    case post
    case refresh
}

/// What is done to a token before it is used.
enum Forgery: Hashable, Sendable, CaseIterable {
    case none
    /// The signature is cut, or exchanged for one of a key that nobody knows.
    case unsigned
    case otherAlgorithm
    case emptySecret
    case changedClaim
    case ownKey
    case ownKeyInHeader
    case keyPath
    case keyAddress
    case cut
    case nonsense
}

/// A token that is asked for some actions in some of the repositories, and then used in one of them.
struct TokenDeed: Hashable, Sendable {
    var way = TokenWay.get
    /// The repositories that it is asked for, by number; empty for a token of a login alone.
    var scopes: [Int]
    /// `pull` or `pull,push`.
    var actions = "pull,push"
    var forgery = Forgery.none
    /// Whether it is used to push; to pull a tag list else.
    var pushes = true

    /// Whether it has to work in a repository.
    func reaches(_ at: Int) -> Bool {
        forgery == .none && scopes.contains(at) && (actions.contains("push") || !pushes)
    }
}

/// Tokens, where the registry gives any: one allows what it was asked for, and no more.
extension Stage {
    func use(_ deed: TokenDeed, _ probe: Probe, _ at: Int) throws {
        guard case .password = probe.run.target.identity.proof, world.holdings[at].isMade else { return }
        let service = try probe.tokenService()
        guard let token = try token(deed, probe, service), let used = try forged(token, deed.forgery) else { return }
        let answer =
            deed.pushes
            ? try probe.with(token: used, "POST", probe.uploadsPlace(in: names[at]))
            : try probe.with(token: used, "GET", probe.tagsPlace(in: names[at]))
        if answer.status == 202, let place = probe.location(answer) {
            probe.ledger.add(.upload(place.url(on: probe.base)))
        }
        try hold(.tokens) {
            if deed.reaches(at) {
                try require(
                    answer.status < 400 || answer.status == 404 && !deed.pushes,
                    "\(answer.request): what the token was asked for (\(deed.actions))", "status \(answer.status)",
                    answer)
                return
            }
            // What anybody may read needs no token at all.
            if !deed.pushes, try probe.nobody("GET", probe.tagsPlace(in: names[at])).status == 200 { return }
            try answer.expectClientError(
                deed.forgery == .none ? "for a token of another scope" : "for a token that was tampered with")
        }
    }

    /// A token for what the deed asks; nil where the registry gives none in this way.
    private func token(_ deed: TokenDeed, _ probe: Probe, _ service: TokenService) throws -> String? {
        guard case .password(let user, let password) = probe.run.target.identity.proof else { return nil }
        let scopes = deed.scopes.map { "repository:\(names[$0]):\(deed.actions)" }
        let login = "client_id=docker&offline_token=true"
        let answer: Answer
        switch deed.way {
        case .get: answer = try probe.askToken(service, scopes: scopes, query: scopes.isEmpty ? login : "")
        case .post:
            answer = try probe.postToken(
                service,
                [
                    ("grant_type", "password"), ("client_id", "docker"), ("username", user), ("password", password),
                    ("scope", scopes.joined(separator: " ")),
                ])
            // No sentence asks for tokens by POST.
            if [400, 401, 403, 404, 405, 501].contains(answer.status) { return nil }
        case .refresh:
            let first = try probe.askToken(service, scopes: [], query: login)
            guard first.status == 200, let refresh = try first.json()["refresh_token"]?.string else { return nil }
            probe.run.masker.learn(refresh)
            answer = try probe.postToken(
                service,
                [
                    ("grant_type", "refresh_token"), ("client_id", "docker"), ("refresh_token", refresh),
                    ("scope", scopes.joined(separator: " ")),
                ])
        }
        return try hold(.tokens) { try probe.token(in: answer) }
    }

    /// The token as it is used; nil where this cannot be done to one of its kind.
    private func forged(_ token: String, _ forgery: Forgery) throws -> String? {
        if forgery == .none { return token }
        if forgery == .nonsense { return "a.b.c" }
        guard var parts = TokenParts(token) else { return nil }
        switch forgery {
        case .none, .nonsense: return token
        case .unsigned: return try parts.unsigned()
        case .otherAlgorithm: return try parts.unsigned("nOnE")
        case .emptySecret: return try parts.hmac([])
        case .changedClaim:
            parts.claims["exp"] = Int(Date().timeIntervalSince1970) + 999_999
            return try parts.withOldSignature()
        case .ownKey: return try parts.ownKey(carriesKey: false, kid: "stranger")
        case .ownKeyInHeader: return try parts.ownKey(carriesKey: true)
        case .keyPath: return try parts.ownKey(carriesKey: false, kid: "../../../dev/null")
        case .keyAddress: return try parts.ownKey(carriesKey: true, url: "http://127.0.0.1:1/keys")
        case .cut: return try parts.signingInput() + "."
        }
    }
}

extension Player {
    /// A token, got in one way or another, and used where it reaches or does not.
    mutating func token(_ at: Int) -> Act {
        let actions = dice.pick(["pull", "pull,push", "push,pull"], or: "pull")
        var deed = TokenDeed(scopes: dice.some(dice.number(0...2), of: Array(0..<homes)), actions: actions)
        deed.way = dice.pick(TokenWay.allCases, or: .get)
        deed.pushes = !dice.oneIn(3)
        if dice.oneIn(3) { deed.forgery = dice.pick(Forgery.allCases, or: .unsigned) }
        return .token(at, deed)
    }
}

extension Tour {
    /// Every way to a token, in its bounds and past them, and everything that may be done to one.
    static var tokens: [Act] {
        let ways = TokenWay.allCases.flatMap { way -> [TokenDeed] in
            [
                TokenDeed(way: way, scopes: [0]), TokenDeed(way: way, scopes: [1, 0]),
                TokenDeed(way: way, scopes: [0, 1]),
                TokenDeed(way: way, scopes: [1]), TokenDeed(way: way, scopes: []),
                TokenDeed(way: way, scopes: [0], actions: "pull"),
                TokenDeed(way: way, scopes: [0], actions: "pull", pushes: false),
                TokenDeed(way: way, scopes: [1], pushes: false),
            ]
        }
        let forgeries = Forgery.allCases.map { TokenDeed(scopes: [0], forgery: $0) }
        return begin
            + [.pushBlob(1, config, .single, .sha256), .putManifest(0, image, .tag("one"), tags: [], .none)]
            + (ways + forgeries).map { .token(0, $0) }
    }
}
