import Crypto
import LoadKit
import Synchronization

/// As much of a registry as the load generator's clients need, in memory. It judges sizes, not bytes: ``TestServer`` keeps
/// no bodies, so that blobs are remembered as what the seed makes of them.
final class MiniRegistry: Sendable {
    private struct State {
        var blobs: [String: Set<String>] = [:]
        var manifests: [String: [String: String]] = [:]
        var uploads = 0
        /// What was made through the management API, by kind.
        var accounts: [String: Int] = [:]
        /// Sessions of the management API that were begun; the last of them is the one that counts.
        var sessions = 0
    }

    private let state = Mutex(State())
    /// Blobs are served with a wrong byte.
    let isCorrupt = Atomic<Bool>(false)
    private let known: [String: [UInt8]]
    private let images: [Image]

    /// Knows the images of seed 5 with two layers of 300 bytes, as the tests use them; nil repositories are the default.
    init(repositories: Int? = nil, namespace: String? = nil) {
        var scenario = Scenario()
        scenario.namespace = namespace
        scenario.choices = [.init(action: .client(.pull), weight: 1), .init(action: .client(.push), weight: 1)]
        scenario.images.count = 2
        scenario.images.layers = 2
        scenario.images.sizes = .fixed(300)
        scenario.images.repositories = repositories ?? scenario.images.repositories
        let plan = ContentPlan(scenario: scenario, seed: 5)
        let pulled = plan.pulledImages()
        let indices = (0..<64).map { UInt64($0) }
        images =
            pulled + indices.map(plan.pushedImage) + indices.map(plan.churnedImage)
            + indices.flatMap { index in pulled.map { plan.mountedImage(index, from: $0) } }
        var known: [String: [UInt8]] = [:]
        for image in images {
            known[image.configDigest] = Array(image.config.readableBytesView)
            known[image.digest] = Array(image.manifest.readableBytesView)
            for layer in image.layers { known[layer.digest] = layer.content.bytes() }
        }
        self.known = known
    }

    var manifestCount: Int { state.withLock { $0.manifests.values.reduce(0) { $0 + $1.count } } }
    var repositories: [String] { state.withLock { $0.manifests.keys.sorted() } }

    /// Users, organizations and repositories that the management API has.
    var accounts: [String: Int] { state.withLock { $0.accounts.filter { $0.value > 0 } } }
    var sessions: Int { state.withLock { $0.sessions } }
    /// The sessions that were begun so far count no more.
    func endSessions() { state.withLock { $0.sessions += 1 } }

    /// Who may ask a guarded one.
    static let credentials = Credentials.basic(user: "u", password: "p")

    /// The same behind tokens: each is for the scopes that it was asked for, which stand in it.
    func guarded(_ ask: TestServer.Ask) -> TestServer.Reply {
        if ask.path.hasPrefix("/token") {
            // u:p
            guard ask.authorization == "Basic dTpw" else { return .answer(401, [], "") }
            return .answer(200, [], "{\"token\":\"t\(ask.path.dropFirst(6))\",\"expires_in\":60}")
        }
        if ask.path.hasPrefix("/api/v1/") { return manage(ask) }
        guard ask.authorization?.hasPrefix("Bearer t") == true || ask.path == "/" else {
            return .answer(401, [("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\"")], "")
        }
        return reply(ask)
    }

    func reply(_ ask: TestServer.Ask) -> TestServer.Reply {
        let path = ask.path.prefix { $0 != "?" }
        if path == "/" { return .answer(200, [], "") }
        let query = ask.path.dropFirst(path.count).dropFirst()
        if path == "/v2/" || path == "/v2/_catalog" || path.hasSuffix("/tags/list") { return .answer(200, [], "{}") }
        for (mark, handle) in [("/blobs/uploads/", upload), ("/blobs/", blob), ("/manifests/", manifest)] {
            guard let range = path.firstRange(of: mark) else { continue }
            let repository = String(path[path.index(path.startIndex, offsetBy: 4)..<range.lowerBound])
            return handle(ask, repository, String(path[range.upperBound...]), String(query))
        }
        return .answer(404, [], "{}")
    }

    /// As much of a management API as clients ask: everything for whoever has begun a session.
    private func manage(_ ask: TestServer.Ask) -> TestServer.Reply {
        let words = ask.path.split { $0 == "/" || $0 == "?" }.dropFirst(2).map(String.init)
        return state.withLock { state in
            if words == ["auth", "login"] {
                state.sessions += 1
                return .answer(200, [], "{\"access_token\":\"as_\(state.sessions)\",\"expires_in\":900}")
            }
            guard ask.authorization == "Bearer as_\(state.sessions)" else { return .answer(401, [], "{}") }
            switch (ask.method, words.first ?? "") {
            case ("POST", let kind):
                state.accounts[kind, default: 0] += 1
                return .answer(201, [], "{}")
            case ("DELETE", "organizations"):
                // Only with the word that its repositories may go too.
                guard words.last == "confirm=" + words[1] else { return .answer(409, [], "{}") }
                state.accounts["organizations", default: 0] -= 1
                state.accounts["repositories"] = 0
                return .answer(204, [], "")
            case ("DELETE", let kind):
                state.accounts[kind, default: 0] -= 1
                return .answer(204, [], "")
            default: return .answer(200, [], "{}")
            }
        }
    }

    private func upload(_ ask: TestServer.Ask, _ repository: String, _ id: String, _ query: String) -> TestServer.Reply
    {
        let parameters = Dictionary(
            query.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
                .filter { $0.count == 2 }.map { ($0[0], $0[1].replacing("%3A", with: ":")) },
            uniquingKeysWith: { first, _ in first })
        return state.withLock { state in
            let place = ("Location", "/v2/\(repository)/blobs/uploads/\(id.isEmpty ? "u\(state.uploads)" : id)?s=1")
            switch ask.method {
            case "POST":
                state.uploads += 1
                if let digest = parameters["mount"] {
                    state.blobs[repository, default: []].insert(digest)
                    return .answer(201, [], "")
                }
                return .answer(202, [place], "")
            case "PATCH": return .answer(202, [place], "")
            case "PUT":
                guard let digest = parameters["digest"], known[digest] != nil else { return .answer(400, [], "") }
                state.blobs[repository, default: []].insert(digest)
                return .answer(201, [], "")
            default: return .answer(204, [], "")
            }
        }
    }

    private func blob(_ ask: TestServer.Ask, _ repository: String, _ digest: String, _ query: String)
        -> TestServer.Reply
    {
        let isThere = state.withLock { $0.blobs[repository]?.contains(digest) ?? false }
        guard isThere, var bytes = known[digest] else { return .answer(404, [], "{}") }
        if ask.method == "DELETE" {
            state.withLock { _ = $0.blobs[repository]?.remove(digest) }
            return .answer(202, [], "")
        }
        if isCorrupt.load(ordering: .relaxed) { bytes[0] ^= 1 }
        return .bytes(200, bytes)
    }

    private func manifest(
        _ ask: TestServer.Ask, _ repository: String, _ reference: String, _ query: String
    ) -> TestServer.Reply {
        state.withLock { state in
            switch ask.method {
            case "PUT":
                // Images that were mounted from different ones share repository, tag and size.
                let fitting = images.filter {
                    $0.repository == repository && $0.tag == reference && ask.body == $0.manifest.readableBytes
                }
                guard !fitting.isEmpty else { return .answer(400, [], "{}") }
                let blobs = state.blobs[repository] ?? []
                let image = fitting.first { image in
                    blobs.contains(image.configDigest) && image.layers.allSatisfy { blobs.contains($0.digest) }
                }
                guard let image else { return .answer(404, [], "{}") }
                state.manifests[repository, default: [:]][reference] = image.digest
                return .answer(201, [], "")
            case "DELETE":
                let before = state.manifests[repository]?.count ?? 0
                state.manifests[repository] = state.manifests[repository]?.filter { $0.value != reference }
                return .answer((state.manifests[repository]?.count ?? 0) < before ? 202 : 404, [], "")
            default:
                guard let digest = state.manifests[repository]?[reference], let bytes = known[digest] else {
                    return .answer(404, [], "{}")
                }
                return .bytes(200, bytes)
            }
        }
    }
}
