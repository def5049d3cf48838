import Access
import Model
import Service

/// Answers to pulls of small manifests, ready to be sent and found by the target as it comes, without reading it.
///
/// Whether the caller may have it is asked anew for every request; it is sent only while its repository is at the state
/// that it was made at.
final class PreparedAnswers: Sendable {
    /// Longest manifest that is kept: one that goes out with the answer's head, and is not counted as one that waits.
    static let largest = AnswerMemory.small

    /// A manifest as it is answered, whatever the caller accepts.
    final class Entry: Weighted {
        let name: RepositoryName
        let state: RepositoryState
        let pulls: PullCount
        let lines: HeaderLines
        let body: [UInt8]

        init(
            _ name: RepositoryName, _ state: RepositoryState, _ pulls: PullCount, _ lines: HeaderLines, _ body: [UInt8]
        ) {
            self.name = name
            self.state = state
            self.pulls = pulls
            self.lines = lines
            self.body = body
        }

        package var weight: Int { body.count + lines.bytes.count + 400 }
    }

    private let entries = GenerationCache<String, Entry>(capacity: 4 << 20)

    /// The answer to requests of this target, if there is one; it has to be asked whether it still holds.
    subscript(target: String) -> Entry? { entries[target] }

    /// Keeps an answer for requests of this target.
    func insert(_ entry: Entry, for target: String) { entries.insert(entry, for: target) }
}

extension Application {
    /// The answer that was prepared, where the caller may have it and nothing has changed since; nil: go the long way.
    /// Throws `.unauthorized` for credentials that are known to be wrong.
    func prepared(_ request: Request) throws(RegistryError) -> Response? {
        guard request.method == .get || request.method == .head, !rates.limits(.read),
            let entry = answers[request.target],
            registry.isServing, !Conditions.areMade(request),
            let identity = try identityAtOnce(request)
        else { return nil }
        let caller = Caller(identity, request.sender)
        guard case .allowed(let grant)? = authorizer.atOnce(.pull, on: entry.name, caller),
            try registry.manifests.state(grant) == entry.state
        else { return nil }
        request.findings.note(pulls)
        request.findings.note(identity.principal)
        if request.method == .get { entry.pulls.note() }
        return Response(200, entry.lines, .bytes(entry.body))
    }
}

extension Call {
    /// Keeps an answer for the next request of the same target. One that hangs on what the caller accepts, or that is to be
    /// counted while it waits, is none for all.
    func prepare(
        _ lines: HeaderLines, _ manifest: StoredManifest, at state: RepositoryState?, counting pulls: PullCount
    ) {
        guard let state, case .repository(let name, _) = access, request.path.utf8.count == request.target.utf8.count,
            manifest.bytes.count <= PreparedAnswers.largest, !manifest.isSubstitute, manifest.defaultImage == nil
        else { return }
        answers.insert(PreparedAnswers.Entry(name, state, pulls, lines, manifest.bytes), for: request.target)
    }
}
