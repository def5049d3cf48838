import Runtime

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
        let server = await bounded(.unknown("it does not answer")) { await blocking { ServerState.find(plan) } }
        let probes = probes(settings, plan, server)
        return await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, (name, probe)) in probes.enumerated() {
                let hanging = Finding.failed(
                    name, "does not answer within \(patience)", "Look whether it hangs, or cannot be reached from here."
                )
                group.addTask { (index, await bounded([hanging], probe)) }
            }
            var findings = [[Finding]](repeating: [], count: probes.count)
            for await (index, found) in group { findings[index] = found }
            return findings.flatMap(\.self)
        }
    }

    private static func probes(
        _ settings: Settings, _ plan: Plan, _ server: ServerState
    ) -> [(name: String, probe: Probe)] {
        [
            ("settings", { [.ok("settings", "all can be used")] }),
            ("server", { [server.finding] }),
            ("listen", { await blocking { ListenProbe.listen(plan, server) } }),
            ("data directory", { await blocking { FileProbes.dataDirectory(plan) } }),
            ("files with secrets", { await blocking { FileProbes.secrets(settings) } }),
            ("disk", { await blocking { FileProbes.disk(plan) } }),
            ("open files", { FileProbes.descriptors(plan) }),
            ("certificate", { FileProbes.certificate(plan) }),
            ("database", { await StoreProbes.stores(plan, server) }),
            ("Redis", { await StoreProbes.redis(plan) }),
            ("mail", { await StoreProbes.mail(plan) }),
        ]
    }

    /// A thread for each probe: a disk or a name server that hangs holds up nothing else.
    private static let lane = BlockingExecutor(name: "doctor", threads: 8, capacity: 64)

    /// Runs `body` where it may block.
    static func blocking<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withUnsafeContinuation { continuation in
            // There is room for all that there are, eight times over.
            if !lane.enqueue({ continuation.resume(returning: body()) }) { continuation.resume(returning: body()) }
        }
    }

    /// What `body` gives; `otherwise` where that takes too long. One that hangs is left behind, as the program ends soon.
    private static func bounded<T: Sendable>(_ otherwise: T, _ body: @escaping @Sendable () async -> T) async -> T {
        let (outcomes, told) = AsyncStream<T>.makeStream()
        let work = Task { told.yield(await body()) }
        let limit = Task {
            try await Task.sleep(for: patience)
            told.yield(otherwise)
        }
        defer {
            work.cancel()
            limit.cancel()
        }
        for await outcome in outcomes { return outcome }
        return otherwise
    }
}
