import Testing

/// Lets a few tests of all these suites run at once: with all of them, each would wait for the others past its deadlines.
struct Crowd: SuiteTrait, TestTrait, TestScoping {
    /// How many may run.
    private actor Turnstile {
        private var free = 8
        private var waiting: [CheckedContinuation<Void, Never>] = []

        func enter() async {
            guard free == 0 else {
                free -= 1
                return
            }
            await withCheckedContinuation { waiting.append($0) }
        }

        func leave() {
            guard waiting.isEmpty else { return waiting.removeFirst().resume() }
            free += 1
        }
    }

    private static let turnstile = Turnstile()

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.turnstile.enter()
        do {
            try await function()
        } catch {
            await Self.turnstile.leave()
            throw error
        }
        await Self.turnstile.leave()
    }
}

extension Trait where Self == Crowd {
    /// Takes turns with the other suites that say so.
    static var takesTurns: Self { Crowd() }
}
