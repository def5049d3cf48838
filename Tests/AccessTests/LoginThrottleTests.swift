import Access
import Runtime
import Testing

@Suite("LoginThrottle")
struct LoginThrottleTests {
    private let clock = ManualClock()
    private let throttle: LoginThrottle

    init() { throttle = LoginThrottle(clocks: clock.clocks) }

    /// One attempt with this outcome; how long to wait where it may not begin.
    @discardableResult
    private func attempt(
        _ account: String, _ address: String, _ outcome: LoginThrottle.Outcome = .failed
    ) -> Duration? {
        switch throttle.begin(LoginThrottle.Subject(account, from: address)) {
        case .wait(let wait): return wait
        case .go(let attempt):
            throttle.end(attempt, outcome)
            return nil
        }
    }

    @Test("a few failures are free, then each doubles the wait, up to a quarter of an hour")
    func growth() {
        for _ in 0..<5 { #expect(attempt("joe", "192.0.2.1") == nil) }
        #expect(attempt("joe", "192.0.2.1") == nil)
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512] {
            let wait = attempt("joe", "192.0.2.1")
            #expect(wait == .seconds(seconds))
            clock.advance(.seconds(seconds) - .milliseconds(1))
            #expect(attempt("joe", "192.0.2.1") == .milliseconds(1))
            clock.advance(.milliseconds(1))
            #expect(attempt("joe", "192.0.2.1") == nil)
        }
        // From here on about as much is forgotten as comes.
        for _ in 0..<20 {
            let wait = attempt("joe", "192.0.2.1")
            #expect(wait == .seconds(512) || wait == .seconds(900))
            clock.advance(wait ?? .zero)
            #expect(attempt("joe", "192.0.2.1") == nil)
        }
    }

    @Test("the right password clears what the address did to the account")
    func success() {
        for _ in 0..<5 { attempt("joe", "192.0.2.1") }
        #expect(attempt("joe", "192.0.2.1", .succeeded) == nil)
        for _ in 0..<5 { #expect(attempt("joe", "192.0.2.1") == nil) }
    }

    @Test("what was not found out counts for nothing")
    func abandoned() {
        for _ in 0..<1000 { #expect(attempt("joe", "192.0.2.1", .abandoned) == nil) }
    }

    @Test("a client that starts with sixty-four logins at once gets in; attempts at once are no way round the wait")
    func together() {
        var running: [LoginThrottle.Attempt] = []
        for _ in 0..<64 {
            guard case .go(let attempt) = throttle.begin(LoginThrottle.Subject("joe", from: "192.0.2.1")) else {
                Issue.record("refused after \(running.count)")
                return
            }
            running.append(attempt)
        }
        #expect(attempt("joe", "192.0.2.1") == .seconds(1))
        for attempt in running { throttle.end(attempt, .succeeded) }
        #expect(attempt("joe", "192.0.2.1", .succeeded) == nil)
        // A guesser who began as many has to wait for as many.
        for _ in 0..<6 { attempt("ann", "192.0.2.2") }
        clock.advance(.seconds(1))
        guard case .go(let probe) = throttle.begin(LoginThrottle.Subject("ann", from: "192.0.2.2")) else {
            Issue.record("refused")
            return
        }
        #expect(attempt("ann", "192.0.2.2") == .seconds(1))
        throttle.end(probe, .failed)
        #expect(attempt("ann", "192.0.2.2") == .seconds(2))
    }

    @Test("one who guesses at many accounts from one address is stopped by the address, of IPv6 by its /64")
    func spraying() {
        for address in ["192.0.2.7", "2001:db8::1"] {
            let taken = (0..<1000).filter { attempt("user\($0)", address) == nil }.count
            #expect(taken == 21)
        }
        #expect(attempt("fresh", "2001:db8::ffff:1") != nil)
        #expect(attempt("fresh", "2001:db8:0:1::1") == nil)
    }

    @Test("to log in to an account of one's own gives no more guesses at others")
    func ownAccount() {
        var taken = 0
        for index in 0..<1000 {
            attempt("mallory", "192.0.2.7", .succeeded)
            if attempt("user\(index)", "192.0.2.7") == nil { taken += 1 }
        }
        #expect(taken == 21)
        #expect(attempt("mallory", "192.0.2.7", .succeeded) == nil)
    }

    @Test("many addresses that guess at one account are stopped by the account")
    func botnet() {
        let taken = (0..<1000).filter { attempt("joe", "198.51.\($0 / 200).\($0 % 200)") == nil }.count
        #expect(taken == 31)
        #expect(attempt("ann", "198.51.0.1") == nil)
    }

    @Test("names that are there and names that are not get the same answers")
    func enumeration() {
        // The throttle is never told which is which; this holds its answers to depend on nothing but what was tried.
        let other = LoginThrottle(clocks: clock.clocks)
        for index in 0..<200 {
            let one = attempt("joe", "192.0.2.\(index % 3)")
            var two: Duration?
            switch other.begin(LoginThrottle.Subject("nobody", from: "192.0.2.\(index % 3)")) {
            case .wait(let wait): two = wait
            case .go(let attempt): other.end(attempt, .failed)
            }
            #expect(one == two)
            clock.advance(.milliseconds(300 * index))
        }
    }

    @Test("whatever strangers do, an address that has logged in before logs in again", arguments: 0..<16)
    func lockout(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        attempt("joe", "192.0.2.1", .succeeded)
        var running: [LoginThrottle.Attempt] = []
        for _ in 0..<3000 {
            let address =
                Bool.random(using: &random) ? "203.0.113.\(Int.random(in: 0..<99, using: &random))" : "192.0.2.1"
            // From the owner's own address strangers guess at other accounts.
            let account = address == "192.0.2.1" ? "user\(Int.random(in: 0..<9, using: &random))" : "joe"
            if case .go(let attempt) = throttle.begin(LoginThrottle.Subject(account, from: address)) {
                running.append(attempt)
                if Bool.random(using: &random) {
                    throttle.end(running.remove(at: Int.random(in: 0..<running.count, using: &random)), .failed)
                }
            }
            clock.advance(.milliseconds(Int.random(in: 0..<20_000, using: &random)))
            if Int.random(in: 0..<10, using: &random) == 0 { #expect(attempt("joe", "192.0.2.1", .succeeded) == nil) }
        }
    }

    @Test("in the long run a guesser gets no more than the rules give", arguments: 0..<8)
    func rate(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let hours = 48
        var (elapsed, guesses) = (Duration.zero, [0, 0, 0])
        while elapsed < .seconds(hours * 3600) {
            var next = Duration.seconds(900)
            for (kind, account, address) in [
                (0, "joe", "192.0.2.1"), (1, "u\(guesses[1])", "192.0.2.2"),
                (2, "ann", "10.\(seed).\(guesses[2] / 250).\(guesses[2] % 250)"),
            ] {
                let wait = attempt(account, address)
                if wait == nil { guesses[kind] += 1 }
                next = min(next, wait ?? .zero)
            }
            // As soon as any may go on, or later.
            let pause = next + .milliseconds(Int.random(in: 1...5000, using: &random))
            clock.advance(pause)
            elapsed += pause
        }
        // The ladder of waits has eleven steps.
        #expect(guesses[0] <= 5 + 11 + hours * 4)
        #expect(guesses[1] <= 20 + 11 + hours * 60)
        #expect(guesses[2] <= 30 + 11 + hours * 12)
        // And it is not locked for ever either.
        #expect(guesses.allSatisfy { $0 > hours })
    }

    @Test(
        "what others have counted is waited for, a quarter of an hour at most; who is known answers for the own pair alone"
    )
    func elsewhere() {
        let joe = LoginThrottle.Subject("joe", from: "192.0.2.1")
        func wait(_ isKnown: Bool, _ waits: [LoginThrottle.Count: Duration]) -> Duration? {
            guard case .wait(let wait) = throttle.begin(joe, LoginThrottle.Elsewhere(isKnown: isKnown, waits: waits))
            else { return nil }
            return wait
        }
        #expect(wait(false, [.pair: .seconds(3)]) == .seconds(3))
        #expect(wait(false, [.address: .seconds(5), .pair: .seconds(3)]) == .seconds(5))
        #expect(wait(false, [.stranger: .seconds(1_000_000)]) == .seconds(900))
        #expect(wait(true, [.pair: .seconds(3), .stranger: .seconds(9)]) == .seconds(3))
        #expect(wait(true, [.address: .seconds(5), .stranger: .seconds(9)]) == nil)
        #expect(wait(false, [.pair: .zero, .address: .seconds(-1)]) == nil)
        // What strangers have done here does not count either for an address that others know.
        for index in 0..<40 { attempt("joe", "198.51.100.\(index)") }
        #expect(attempt("joe", "192.0.2.9") != nil)
        let known = LoginThrottle.Elsewhere(isKnown: true, waits: [:])
        guard case .go(let attempt) = throttle.begin(LoginThrottle.Subject("joe", from: "192.0.2.9"), known) else {
            Issue.record("refused")
            return
        }
        #expect(attempt.counts == [.pair])
    }

    @Test("the memory of a throttle is bounded")
    func memory() {
        var table = GenerationTable<Int, Int>(capacity: 100)
        var isSound = true
        for key in 0..<10_000 {
            table[key] = key
            // To look at one is to use it: two come into the young generation in each turn.
            let used = max(0, key - 20)
            isSound = isSound && table.count <= 101 && table[used] == used && table[-1] == nil
        }
        #expect(isSound)
        table[9999] = nil
        #expect(table[9999] == nil)
        #expect(table[0] == nil)
    }
}

@Suite("AddressBlock")
struct AddressBlockTests {
    @Test(
        "what is one client is one block",
        arguments: [
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("[::ffff:192.0.2.1]", "192.0.2.1", true), ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8::1", "2001:0DB8:0:0:ffff:ffff:ffff:ffff", true), ("2001:db8::1", "2001:db8:0:1::1", false),
            ("fe80::1%eth0", "fe80::2", true), ("[2001:db8::1]", "2001:db8::1", true), ("::1", "127.0.0.1", false),
            ("", "unix:", true), ("", "192.0.2.1", false), ("192.0.2.1 ", "", true), ("192.0.2", "0.0.0.0", false),
            (String(repeating: "1", count: 1 << 20), "", true),
        ])
    func blocks(one: String, other: String, isSame: Bool) {
        #expect((AddressBlock(one) == AddressBlock(other)) == isSame)
    }
}
