import Foundation
import Synchronization

/// Answers challenges as clients do: Basic credentials, or a token from the realm that a Bearer challenge names.
package final class Authorizer: Sendable {
    private struct Key: Hashable {
        let identity: String
        let realm: String
        let scope: String
    }

    private struct State {
        var tokens: [Key: String] = [:]
        var challenges: [String: Challenge] = [:]
    }

    private let hangs = HangBook()

    private let state = Mutex(State())
    private let target: Target
    private let masker: Masker

    /// Learns the secrets of all identities, so that none is ever written.
    package init(target: Target, masker: Masker) {
        self.target = target
        self.masker = masker
        for identity in [target.identity] + target.others {
            switch identity.proof {
            case .anonymous: break
            case .token(let token): masker.learn(token)
            case .password(let user, let password):
                masker.learn(password)
                masker.learn("\(user):\(password)")
            }
        }
    }

    /// The `Authorization` value to send at once: what the same kind of request was challenged for before.
    package func known(_ identity: Identity, method: String, path: String) -> String? {
        switch identity.proof {
        case .anonymous, .password:
            if state.withLock({ $0.challenges.isEmpty }) { return nil }
            let challenge = state.withLock { $0.challenges[Authorizer.kind(identity, method, path)] }
            return challenge.flatMap { answer(identity, $0) }
        case .token(let token):
            return "Bearer " + token
        }
    }

    /// The `Authorization` value that answers a 401, or nil when there is no new one to offer.
    package func answer(
        _ identity: Identity, to headers: Headers, method: String, path: String, with wire: Wire
    ) throws(TransportFailure) -> String? {
        guard let challenge = Challenge(headers)?.toMount(path) else { return nil }
        state.withLock { $0.challenges[Authorizer.kind(identity, method, path)] = challenge }
        if challenge.scheme == "basic" { return identity.basic }
        guard challenge.scheme == "bearer", case let realm? = challenge.parameters["realm"] else { return nil }
        if case .token = identity.proof { return nil }
        let token = try fetch(identity, challenge, realm, wire)
        guard let token else { return nil }
        masker.learn(token)
        state.withLock { $0.tokens[Authorizer.key(identity, challenge)] = token }
        return "Bearer " + token
    }

    private func answer(_ identity: Identity, _ challenge: Challenge) -> String? {
        if challenge.scheme == "basic" { return identity.basic }
        return state.withLock { $0.tokens[Authorizer.key(identity, challenge)] }.map { "Bearer " + $0 }
    }

    private func fetch(
        _ identity: Identity, _ challenge: Challenge, _ realm: String, _ wire: Wire
    ) throws(TransportFailure) -> String? {
        var query = [String]()
        if let service = challenge.parameters["service"] { query.append("service=" + queryEscaped(service)) }
        for scope in (challenge.parameters["scope"] ?? "").split(separator: " ") {
            query.append("scope=" + queryEscaped(String(scope)))
        }
        var request = Outgoing(
            method: "GET", url: Address.adding(query.joined(separator: "&"), to: target.base.resolving(realm)))
        guard let wait = hangs.wait(realm, usual: target.deadline, isAsked: false) else { return nil }
        request.deadline = wait.deadline
        if let basic = identity.basic { request.headers.add("Authorization", basic) }
        let answer: Incoming
        do {
            answer = try wire.perform(request)
        } catch {
            if error.kind == .deadline { hangs.hung(realm, after: wait.deadline, isTold: false) }
            // A token service that cannot be reached gives no token: the 401 is the answer then.
            if [.unreachable, .protocolError].contains(error.kind) { return nil }
            throw error
        }
        hangs.answered(realm)
        guard answer.status == 200 else { return nil }
        guard case let body? = JSON(parsing: answer.body) else { return nil }
        return body["token"]?.string ?? body["access_token"]?.string
    }

    private static func key(_ identity: Identity, _ challenge: Challenge) -> Key {
        let parameters = challenge.parameters
        return Key(
            identity: identity.name, realm: (parameters["realm"] ?? "") + " " + (parameters["service"] ?? ""),
            scope: parameters["scope"] ?? "")
    }

    /// Requests that are challenged alike: same identity, same repository, reading, writing or deleting.
    private static func kind(_ identity: Identity, _ method: String, _ path: String) -> String {
        let plain = path.prefix { $0 != "?" }
        var repository = String(plain)
        for mark in ["/manifests/", "/blobs/", "/tags/", "/referrers/"] {
            if let range = plain.range(of: mark) { repository = String(plain[..<range.lowerBound]) }
        }
        let verb = method == "HEAD" ? "GET" : ["POST", "PUT", "PATCH"].contains(method) ? "PUSH" : method
        let mount = path.contains("mount=") ? path : ""
        return "\(identity.name) \(verb) \(repository) \(mount)"
    }
}
