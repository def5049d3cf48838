import Runtime
import Synchronization

/// Tries what the settings name. Each probe says what it finds, and has a bounded time for it.
enum Doctor {
    /// What is found; in the order of the probes.
    typealias Probe = @Sendable () async -> [Finding]

    /// Longest time of a probe.
    static let patience = Duration.seconds(20)

    /// Reads the settings and looks at all there is.
    static func examine(_ read: () throws -> Settings) async -> [Finding] {
        let (settings, plan): (Settings, Plan)
        do {
            settings = try read()
            plan = try Plan(settings)
        } catch {
            return [
                .failed("settings", "\(error)", "Correct it: `aerugo config --explain` says what each setting means.")
            ]
        }
        let server = ServerState.find(plan)
        let probes: [(name: String, probe: Probe)] = [
            ("settings", { [.ok("settings", "all can be used")] }),
            ("server", { [server.finding] }),
            ("listen", { ListenProbe.listen(plan, server) }),
            ("data directory", { FileProbes.dataDirectory(plan) }),
            ("files with secrets", { FileProbes.secrets(settings) }),
            ("disk", { FileProbes.disk(plan) }),
            ("open files", { FileProbes.descriptors(plan) }),
            ("certificate", { FileProbes.certificate(plan) }),
            ("database", { await StoreProbes.stores(plan, server) }),
            ("Redis", { await StoreProbes.redis(plan) }),
            ("mail", { await StoreProbes.mail(plan) }),
        ]
        return await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, probe) in probes.enumerated() {
                group.addTask { (index, await bounded(probe.name, probe.probe)) }
            }
            var findings = [[Finding]](repeating: [], count: probes.count)
            for await (index, found) in group { findings[index] = found }
            return findings.flatMap(\.self)
        }
    }

    /// What a probe finds, or that it does not come to an end. One that hangs is left behind, as the program ends soon.
    private static func bounded(_ name: String, _ probe: @escaping Probe) async -> [Finding] {
        let (outcomes, told) = AsyncStream<[Finding]>.makeStream()
        let work = Task { told.yield(await probe()) }
        let limit = Task {
            try await Task.sleep(for: patience)
            told.yield([
                .failed(
                    name, "does not answer within \(patience)", "Look whether it hangs, or cannot be reached from here."
                )
            ])
        }
        defer {
            work.cancel()
            limit.cancel()
        }
        for await outcome in outcomes { return outcome }
        return []
    }
}
