import Synchronization

/// One registry behind several nodes, each of which may keep what is its own to know. What a node keeps it answers once more than
/// it should, and not for so long: a test that looks late must see it as well.
final class StubNodes: Sendable {
    private struct State {
        /// By node: answers that were given, by what was asked.
        var kept: [[String: StubResponse]]
        /// By node: what a tag was pushed as, until it is asked.
        var own: [[String: String]]
        /// The node that each upload began at.
        var uploads: [String: Int] = [:]
    }

    private let registry: StubRegistry
    private let state: Mutex<State>
    private let count: Int

    init(_ registry: StubRegistry, _ count: Int) {
        self.registry = registry
        self.count = count
        state = Mutex(
            State(kept: Array(repeating: [:], count: count), own: Array(repeating: [:], count: count)))
    }

    /// Starts a server for each node, on free ports.
    func serve() throws -> [StubServer] {
        try (0..<count).map { node in try StubServer(faults: registry.faults) { self.answer($0, at: node) } }
    }

    private func answer(_ request: StubRequest, at node: Int) -> StubResponse {
        if registry.has(.nodeOwnUploads), let begun = upload(of: request), begun != node {
            return registry.error(404, "BLOB_UPLOAD_UNKNOWN")
        }
        guard request.method == "GET" || request.method == "HEAD" else { return change(request, at: node) }
        var request = request
        if registry.has(.nodeOwnTags), let digest = state.withLock({ $0.own[node].removeValue(forKey: request.path) }) {
            request.setPath(request.path.split(separator: "/").dropLast().reduce("") { "\($0)/\($1)" } + "/" + digest)
        }
        guard isKept(request.path) else { return registry.answer(request) }
        let key = [request.method, request.target, request.header("Accept"), request.header("Authorization")]
            .map { $0 ?? "" }.joined(separator: " ")
        if let old = state.withLock({ $0.kept[node].removeValue(forKey: key) }) { return old }
        let answer = registry.answer(request)
        state.withLock { $0.kept[node][key] = answer }
        return answer
    }

    /// A node knows what it changed itself.
    private func change(_ request: StubRequest, at node: Int) -> StubResponse {
        let answer = registry.answer(request)
        state.withLock { state in
            state.kept[node] = [:]
            if request.method == "POST", answer.status == 202, let place = answer["Location"] {
                state.uploads[Self.last(place)] = node
            }
            if request.method == "PUT", answer.status == 201, let digest = answer["Docker-Content-Digest"] {
                state.own[node][request.path] = digest
            }
        }
        return answer
    }

    private func upload(of request: StubRequest) -> Int? {
        request.path.contains("/blobs/uploads/") ? state.withLock { $0.uploads[Self.last(request.target)] } : nil
    }

    private static func last(_ place: String) -> String {
        String(place.prefix { $0 != "?" }.split(separator: "/").last ?? "")
    }

    private func isKept(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        guard let last = parts.last, parts.count > 3 else { return false }
        switch parts[parts.count - 2] {
        case "manifests": return registry.has(last.contains(":") ? .nodeOldManifests : .nodeOldTags)
        case "tags": return registry.has(.nodeOldLists)
        case "referrers": return registry.has(.nodeOldReferrers)
        case "uploads": return registry.has(.nodeOldUploads)
        case "blobs": return registry.has(.nodeOldBlobs)
        default: return false
        }
    }
}
