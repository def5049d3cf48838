import Crypto
import Harness
import NIOCore

/// Each arrival sends one recording, at `pace` times its speed, with repositories and content that no other arrival has.
package struct ReplayWorkload: PushingWorkload {
    /// What is sent.
    package let plan: ReplayPlan
    /// Who sends it.
    package let client: RegistryClient
    let library: ContentLibrary
    let pace: Double
    /// What the names of its repositories begin with.
    package let prefix: String

    /// - Parameter pace: 2 sends twice as fast; what depends on an answer still waits for it.
    package init(plan: ReplayPlan, client: RegistryClient, namespace: String? = nil, seed: UInt64, pace: Double) {
        self.plan = plan
        self.client = client
        prefix = ContentPlan.prefix(namespace, seed: seed)
        self.pace = min(max(pace, 0.001), 1e6)
        library = ContentLibrary(seed: seed, compressibility: 0, sizes: plan.sizes)
    }

    /// The whole recording, with names of arrival `index`.
    package func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork {
        .flow(ReplayFlow(workload: self, index: index))
    }

    /// The recording's length at this pace.
    package var length: Duration {
        let last = plan.steps.last?.at ?? .zero
        return .nanoseconds(Int64(min(Double(last.nanoseconds) / pace, 9e18)))
    }

    /// Nothing is pushed before.
    package var prepared: [[Leftover]] { [] }

    /// A recording may push at any time.
    package var arrivalsPush: Bool { true }

    /// What clean-up deletes, each once; manifests first: a registry may keep a blob that one names.
    package func leftovers(_ index: UInt64) -> [Leftover] {
        let names = ReplayNames(self, index)
        var uploads: [Int: String] = [:]
        var found: [Leftover] = []
        for step in plan.steps {
            switch step.work {
            case .plain: continue
            case .manifest(let repository, _, let text):
                let digest = names.digest(ofManifest: text)
                found.append(.manifest(repository: names.repository(repository), digest: digest))
            case .begin(let repository, let query, let upload):
                let name = names.repository(repository)
                if let upload { uploads[upload] = name }
                guard let mounted = ReplayBuilder.query(query)["mount"] else { continue }
                found.append(.blob(repository: name, digest: names.digest(mounted)))
            case .piece(let upload, let blob, _, let isLast):
                guard isLast, let name = uploads[upload] else { continue }
                found.append(.blob(repository: name, digest: names.digest(blob)))
            }
        }
        var seen: Set<Leftover> = []
        found = found.filter { seen.insert($0).inserted }
        return found.filter(\.isManifest) + found.filter { !$0.isManifest }
    }
}

/// The names that one arrival puts for those of the recording.
struct ReplayNames {
    private let workload: ReplayWorkload
    private let index: UInt64
    private var digests: [String: String] = [:]

    init(_ workload: ReplayWorkload, _ index: UInt64) {
        self.workload = workload
        self.index = index
        for (old, length) in workload.plan.blobs where length >= BlobContent.trailerLength {
            digests[old] = workload.library.digest(of: blob(old, length))
        }
        // An index names manifests: as many rounds as manifests can be nested settle all names.
        for _ in 0..<3 {
            for (old, text) in workload.plan.manifests { digests[old] = digest(ofManifest: text) }
        }
    }

    func blob(_ old: String, _ length: Int) -> BlobContent {
        let place = old.utf8.reduce(UInt64(index)) { SeededRandom.mix($0 ^ UInt64($1)) }
        return workload.library.blob(id: place, size: length)
    }

    func repository(_ name: String) -> String { "\(workload.prefix)/a\(index)/\(name)" }

    func replaced(_ text: String) -> String {
        var text = text
        for (old, new) in digests { text.replace(old, with: new) }
        return text
    }

    func digest(_ old: String) -> String { digests[old] ?? old }

    func digest(ofManifest text: String) -> String {
        "sha256:" + Hex.text(SHA256.hash(data: Array(replaced(text).utf8)))
    }
}

/// The steps of a recording, for one arrival.
struct ReplayFlow: Flow {
    let workload: ReplayWorkload
    let index: UInt64

    func run(_ session: Session) async throws(Failure) {
        let names = ReplayNames(workload, index)
        let began = MonotonicClock.now()
        var uploads: [Int: String] = [:]
        for step in workload.plan.steps {
            let due = began + Nanoseconds(Double(step.at.nanoseconds) / workload.pace)
            let now = MonotonicClock.now()
            if due > now { await session.pause(.nanoseconds(Int64(due - now))) }
            try await send(step, names, &uploads, session)
        }
    }

    private func send(
        _ step: ReplayStep, _ names: ReplayNames, _ uploads: inout [Int: String], _ session: Session
    ) async throws(Failure) {
        var call = RegistryClient.Call(
            operation: step.operation, method: step.method, path: "/v2/", scope: "", fields: step.fields,
            accepts: Array(Set([step.status, 200, 206].filter { step.status != 404 || $0 == 404 })))
        var place: Int?
        switch step.work {
        case .plain(let repository, let rest):
            guard !repository.isEmpty else { break }
            let name = names.repository(repository)
            call.path = "/v2/\(name)" + names.replaced(rest)
            call.scope = "repository:\(name):pull" + (step.method == "DELETE" ? ",delete" : "")
            call.accepts = step.status == 404 ? [404] : [200, 202, 206]
        case .begin(let repository, let query, let upload):
            let name = names.repository(repository)
            place = upload
            call.path = "/v2/\(name)/blobs/uploads/" + start(query, names)
            let source = ReplayBuilder.query(query)["from"].map { " repository:\(names.repository($0)):pull" } ?? ""
            call.scope = "repository:\(name):pull,push" + source
            call.accepts = [201, 202]
        case .piece(let upload, let old, let range, let isLast):
            // A mount that the registry took needs no upload.
            guard let path = uploads[upload] else { return }
            place = upload
            call.path = isLast ? Address.adding("digest=" + queryEscaped(names.digest(old)), to: path) : path
            call.scope = Location.uploadScope(path)
            call.body = body(old, range, names, isChunked: step.isChunked)
            call.accepts = isLast ? [201] : [202]
        case .manifest(let repository, let tag, let text):
            let name = names.repository(repository)
            call.path = "/v2/\(name)/manifests/" + (tag ?? names.digest(ofManifest: text))
            call.scope = "repository:\(name):pull,push"
            call.body = .bytes(ByteBuffer(string: names.replaced(text)))
            call.accepts = [201]
        }
        let answer = try await workload.client.send(call, session)
        guard let place else { return }
        guard answer.status == 202 else { return session.uploads.ended(uploads[place] ?? "") }
        let next = try workload.client.place(answer, call.path)
        session.uploads.goesOn(at: next, after: uploads[place])
        uploads[place] = next
    }

    /// The query of an upload's beginning with this arrival's digests and repositories.
    private func start(_ query: String, _ names: ReplayNames) -> String {
        var parts: [String] = []
        let parameters = ReplayBuilder.query(query)
        if let digest = parameters["mount"] { parts.append("mount=" + queryEscaped(names.digest(digest))) }
        if let source = parameters["from"] { parts.append("from=" + queryEscaped(names.repository(source))) }
        return parts.isEmpty ? "" : "?" + parts.joined(separator: "&")
    }

    private func body(_ old: String, _ range: Range<Int>, _ names: ReplayNames, isChunked: Bool) -> Request.Body {
        guard !range.isEmpty else { return .none }
        guard let length = workload.plan.blobs[old], length >= BlobContent.trailerLength else {
            let text = Array((workload.plan.texts[old] ?? "").utf8)
            return .bytes(ByteBuffer(bytes: text[range.clamped(to: 0..<text.count)]))
        }
        return .content(names.blob(old, length), range, isChunked: isChunked)
    }
}
