import Access
import Model
import Runtime
import Testing

@Suite("RateLimit")
struct RateLimitTests {
    private let clock = ManualClock()
    private let joe = RateSubject.principal(PrincipalID(7))

    @Test("what is not limited says nothing", arguments: [nil, 0, -1] as [Int?])
    func off(limit: Int?) {
        var limits: [RateClass: Int] = [.write: 1]
        if let limit { limits[.read] = limit }
        let rates = RateLimit(limits, clocks: clock.clocks)
        #expect(!rates.limits(.read))
        #expect(rates.limits(.write))
        for _ in 0..<100 { #expect(rates.take(.read, joe) == nil) }
    }

    @Test("as many as the limit come at once, and then one each so often")
    func bucket() throws {
        let rates = RateLimit([.read: 6], clocks: clock.clocks)
        for taken in 1...6 {
            let decision = try #require(rates.take(.read, joe))
            #expect(decision.isAllowed)
            #expect(decision.limit == 6)
            #expect(decision.remaining == 6 - taken)
            #expect(decision.reset == .seconds(10 * taken))
            #expect(decision.retryAfter == .zero)
        }
        for _ in 0..<3 {
            let decision = try #require(rates.take(.read, joe))
            #expect(!decision.isAllowed)
            #expect(decision.remaining == 0)
            #expect(decision.reset == .seconds(60))
            #expect(decision.retryAfter == .seconds(10))
        }
        clock.advance(.seconds(10))
        #expect(rates.take(.read, joe)?.isAllowed == true)
        #expect(rates.take(.read, joe)?.isAllowed == false)
        clock.advance(.seconds(3600))
        #expect(rates.take(.read, joe)?.remaining == 5)
    }

    @Test("classes, principals and addresses are limited apart; an address of IPv6 is its /64")
    func apart() {
        let rates = RateLimit([.read: 1, .write: 1], clocks: clock.clocks)
        func isAllowed(_ kind: RateClass, _ subject: RateSubject) -> Bool? { rates.take(kind, subject)?.isAllowed }
        #expect(isAllowed(.read, joe) == true)
        #expect(isAllowed(.read, joe) == false)
        #expect(isAllowed(.write, joe) == true)
        #expect(isAllowed(.read, .principal(PrincipalID(8))) == true)
        #expect(isAllowed(.read, .address(AddressBlock("2001:db8::7"))) == true)
        #expect(isAllowed(.read, .address(AddressBlock("2001:db8::8"))) == false)
    }

    @Test(
        "in any time no more are let through than the bucket and its refill hold, and no fewer to who waits",
        arguments: 0..<16)
    func property(seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let limit = Int.random(in: 1...2000, using: &random)
        let rates = RateLimit([.token: limit], clocks: clock.clocks)
        var (elapsed, taken) = (Duration.zero, 0)
        for _ in 0..<5000 {
            let decision = try #require(rates.take(.token, joe))
            if decision.isAllowed { taken += 1 }
            #expect(decision.isAllowed == (decision.retryAfter == .zero))
            #expect((0...limit).contains(decision.remaining))
            #expect(decision.reset <= RateLimit.window)
            #expect(Double(taken) <= Double(limit) * (1 + elapsed / RateLimit.window) + 0.001)
            if !decision.isAllowed, Bool.random(using: &random) {
                clock.advance(decision.retryAfter)
                elapsed += decision.retryAfter
                #expect(rates.take(.token, joe)?.isAllowed == true)
                taken += 1
            }
            let pause = Duration.microseconds(Int.random(in: 0...120_000_000 / limit, using: &random))
            clock.advance(pause)
            elapsed += pause
        }
    }

    @Test("a token that is given back may be taken again; what is said of a bucket elsewhere is said as of one here")
    func elsewhere() throws {
        let rates = RateLimit([.read: 3], clocks: clock.clocks)
        let rule = try #require(rates.rule(.read))
        #expect(rates.rule(.write) == nil)
        for round in 1...3 {
            let decision = rates.take(.read, joe)
            #expect(decision == rule.decision(isAllowed: true, debt: rule.each * round))
        }
        #expect(rates.take(.read, joe) == rule.decision(isAllowed: false, debt: rule.room))
        rates.giveBack(.read, joe)
        #expect(rates.take(.read, joe)?.isAllowed == true)
        #expect(rates.take(.read, joe)?.isAllowed == false)
        // Whatever is told of elsewhere.
        for debt in [Duration.zero, .seconds(-9), .seconds(1_000_000), .nanoseconds(1)] {
            for isAllowed in [true, false] {
                let decision = rule.decision(isAllowed: isAllowed, debt: debt)
                #expect((0...3).contains(decision.remaining) && (.zero...rule.room).contains(decision.reset))
                #expect((decision.retryAfter == .zero) == isAllowed)
            }
        }
    }

    @Test("limits without sense do no harm")
    func extremes() {
        let rates = RateLimit([.read: .max, .write: .min], clocks: clock.clocks)
        #expect(rates.take(.read, joe)?.isAllowed == true)
        #expect(rates.take(.write, joe) == nil)
    }
}
