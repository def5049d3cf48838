import Foundation
import Testing

/// A fault that was written down before anybody looked at what the runner asks, as somebody thought of it who has seen
/// registries fail; its lines here were written afterwards. What finds it is told by `fixtures/expected/unseen.tsv`.
struct Unseen: Sendable {
    /// Answers in the stub's stead; what it wants of the good registry it asks of `StubRegistry.core`.
    typealias Answer = @Sendable (StubRequest, Aim, StubRegistry) -> StubResponse

    let name: String
    let answer: Answer

    init(_ name: String, _ answer: @escaping Answer) { (self.name, self.answer) = (name, answer) }

    /// A fault of what is answered alone: the registry's own answer, changed.
    static func told(
        _ name: String, _ change: @escaping @Sendable (inout StubResponse, StubRequest, Aim, StubRegistry) -> Void
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            var response = stub.core(request)
            change(&response, request, aim, stub)
            return response
        }
    }

    /// A fault of how a request is read: the registry sees another one.
    static func read(_ name: String, _ change: @escaping @Sendable (inout StubRequest, Aim, StubRegistry) -> Void)
        -> Unseen
    {
        Unseen(name) { request, aim, stub in
            var changed = request
            change(&changed, aim, stub)
            return stub.core(changed)
        }
    }

    /// Every one.
    static let all: [Unseen] =
        lists + names + tags + tagAnswers + deletions + manifests + pushes + blobs + uploads
        + referrers
}

extension Unseen: CustomTestStringConvertible {
    var testDescription: String { name }
}

extension StubRequest {
    var isPull: Bool { method == "GET" || method == "HEAD" }

    /// A push of a manifest to a tag or a digest.
    func pushes(_ aim: Aim) -> Bool { method == "PUT" && aim.kind == "manifests" }

    /// The same request of another method, without its body.
    func asking(_ method: String) -> StubRequest {
        var other = self
        (other.method, other.body) = (method, [])
        return other
    }

    /// The same request of another repository or reference.
    mutating func aim(_ aim: Aim, repository: String? = nil, reference: String? = nil) {
        let tail = String(path.dropFirst("/v2/".count + aim.repository.count))
        let end = reference.map { String(tail.dropLast(aim.reference.count)) + $0 } ?? tail
        setPath("/v2/\(repository ?? aim.repository)\(end)")
    }
}

extension StubRegistry {
    /// What a fault remembers under a key.
    func noted(_ key: String) -> [String] { state.withLock { $0.marks[key] ?? [] } }

    func note(_ key: String, _ values: [String]) { state.withLock { $0.marks[key] = values } }

    func add(_ key: String, _ value: String) { state.withLock { $0.marks[key, default: []].append(value) } }

    func repository(_ name: String) -> Repository { state.withLock { $0.repositories[name] ?? Repository() } }

    func change(_ name: String, _ work: (inout Repository) -> Void) {
        state.withLock { state in
            guard var repository = state.repositories[name] else { return }
            work(&repository)
            state.repositories[name] = repository
        }
    }

    func object(_ bytes: [UInt8]) -> [String: Any] {
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
        } catch {
            return [:]
        }
    }

    /// Digests that a manifest names under a key: its `config`, `layers`, `manifests` or `subject`.
    func digests(_ bytes: [UInt8], _ key: String) -> [String] {
        let value = object(bytes)[key]
        let entries = value as? [[String: Any]] ?? [value as? [String: Any] ?? [:]]
        return entries.compactMap { $0["digest"] as? String }
    }

    /// A JSON answer with another value under a key.
    func rewrite(_ response: inout StubResponse, _ key: String, _ change: (Any?) -> Any?) {
        var whole = object(response.body)
        guard response.status == 200, !whole.isEmpty else { return }
        whole[key] = change(whole[key])
        do {
            response.body = Array(try JSONSerialization.data(withJSONObject: whole, options: [.sortedKeys]))
        } catch {
            response = StubResponse(500)
        }
    }
}
