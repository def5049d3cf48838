import ConformanceKit
import Foundation
import Synchronization

/// Runs checks against a stub and gives what came out.
enum TestRun {
    /// Collects nothing: the result has it all.
    struct Silent: RunObserver {
        func ended(_ outcome: Outcome, done: Int, of total: Int) {}
    }

    static let alice = Identity(
        name: "alice", proof: .password(user: StubAccounts.alice.name, password: StubAccounts.alice.password))
    static let bob = Identity(
        name: "bob", proof: .password(user: StubAccounts.bob.name, password: StubAccounts.bob.password))

    /// What a run is to be; nothing but the stub is ever spoken to.
    struct Settings: Sendable {
        var faults: Set<Fault> = []
        var latitudes: [Latitude] = []
        var unseen: Unseen?
        var patterns: [String] = []
        var accounts = false
        var jobs = 2
        var seed = "seed1"
        var keep = false
        var given = false
        /// Alice has a token and no password.
        var token = false
        /// The registry has three nodes, which are asked in turn.
        var nodes = false
        /// With `--large`, of small chunks.
        var large = false
        var deadline: Duration = .seconds(5)
        /// What is played.
        var games = "games"
        var steps = 20
    }

    static func run(_ settings: Settings) throws -> RunResult {
        try TestRun.withStub(settings) { stub, server in
            var target = Target(base: try address(server))
            let nodes = settings.nodes ? try StubNodes(stub, 3).serve() : []
            defer { for node in nodes { node.stop() } }
            target.nodes = try nodes.map(address)
            target.deadline = settings.deadline
            if settings.accounts {
                target.identity = alice
                target.others = [bob]
            }
            if settings.token, let accounts = stub.accounts {
                target.identity = Identity(name: "alice", proof: .token(accounts.pass()))
            }
            target.largePart = 300_000
            if settings.given { target.given = try seed(stub, server) }
            var plan = RunPlan(target: target, groups: CheckCatalog.groups, seed: settings.seed)
            (plan.patterns, plan.jobs, plan.keep) = (settings.patterns, settings.jobs, settings.keep)
            (plan.large, plan.play.steps, plan.play.seed) = (settings.large, settings.steps, settings.games)
            return try Runner(plan, observer: Silent()).run()
        }
    }

    static func withStub<Result>(
        _ settings: Settings, _ work: (StubRegistry, StubServer) throws -> Result
    ) throws -> Result {
        let stub = StubRegistry(
            faults: FaultSet(settings.faults), latitudes: settings.latitudes, unseen: settings.unseen,
            accounts: settings.accounts ? StubAccounts() : nil)
        let server = try stub.serve()
        defer { server.stop() }
        return try work(stub, server)
    }

    static func address(_ server: StubServer) throws -> Address {
        guard let address = Address("http://127.0.0.1:\(server.port)") else { throw StubFailure("no address") }
        return address
    }

    /// Content for a read-only run, put there behind the API's back.
    private static func seed(_ stub: StubRegistry, _ server: StubServer) throws -> Target.Given {
        let config = Array("{\"os\":\"linux\"}".utf8)
        let digest = Digests.sha256(config)
        let descriptor =
            "{\"mediaType\":\"application/vnd.oci.image.config.v1+json\",\"digest\":\"\(digest)\",\"size\":\(config.count)}"
        let type = "application/vnd.oci.image.manifest.v1+json"
        let manifest = Array(
            "{\"schemaVersion\":2,\"mediaType\":\"\(type)\",\"config\":\(descriptor),\"layers\":[\(descriptor)]}".utf8)
        let name = Digests.sha256(manifest)
        stub.state.withLock { state in
            var repository = StubRegistry.Repository()
            repository.blobs[digest] = config
            repository.manifests[name] = StubRegistry.StubManifest(bytes: manifest, type: type)
            repository.tags["stable"] = name
            state.repositories["library/given"] = repository
        }
        return Target.Given(repository: "library/given", tags: ["stable"], digests: [name])
    }

    /// A file of the repository.
    static func file(_ path: String) -> URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent(path)
    }
}
