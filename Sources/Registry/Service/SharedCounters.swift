import Access
import Crypto
import Model
import Runtime
import Store

/// What nodes count together: requests against rates, and failed logins. Names and addresses never leave the process: keys are
/// made of them by a secret that nodes of one store have, as people type passwords where names belong.
package struct SharedCounters: Sendable {
    private let cache: any SharedCache
    private let secret: SymmetricKey

    init(_ cache: any SharedCache, secret: SymmetricKey) {
        self.cache = cache
        self.secret = secret
    }

    /// Counts a request for all nodes; nil where that cannot be done now.
    package func take(_ rule: RateRule, _ subject: RateSubject) async -> RateDecision? {
        let portion = BucketPortion(size: rule.each, capacity: rule.room)
        let level = await cache.pour(portion, into: key("rate", "\(rule.kind)", subject.text))
        return level.map { rule.decision(isAllowed: $0.isTaken, debt: $0.level) }
    }

    // MARK: logins

    /// What all nodes know of an account and an address; nothing where that cannot be had now.
    func standing(_ attempt: LoginThrottle.Subject) async -> LoginThrottle.Elsewhere {
        let counts = LoginThrottle.Count.allCases
        let keys = counts.map { block($0, attempt) } + [known(attempt)]
        guard let lives = await cache.lives(of: keys), lives.count == keys.count else { return .nothing }
        return LoginThrottle.Elsewhere(
            isKnown: lives[counts.count] > .zero, waits: Dictionary(uniqueKeysWithValues: zip(counts, lives)))
    }

    /// Tells all nodes what came of an attempt.
    func note(_ attempt: LoginThrottle.Attempt, _ outcome: LoginThrottle.Outcome, _ throttle: LoginThrottle) async {
        let subject = attempt.subject
        switch outcome {
        case .abandoned: return
        case .succeeded:
            await cache.mark([
                (count(.pair, subject), nil), (block(.pair, subject), nil), (known(subject), LoginThrottle.memory),
            ])
        case .failed:
            var marks: [(key: String, life: Duration?)] = []
            for kind in attempt.counts {
                let rule = throttle.rule(kind)
                let portion = BucketPortion(size: rule.leak, capacity: rule.leak * rule.most)
                guard let now = await cache.pour(portion, into: count(kind, subject)) else { return }
                let failures = Int((now.level / rule.leak).rounded(.up))
                if let wait = rule.wait(after: failures) { marks.append((block(kind, subject), wait)) }
            }
            await cache.mark(marks)
        }
    }

    private func count(_ count: LoginThrottle.Count, _ subject: LoginThrottle.Subject) -> String {
        key("failures", "\(count)", subject.text(of: count))
    }

    private func block(_ count: LoginThrottle.Count, _ subject: LoginThrottle.Subject) -> String {
        key("block", "\(count)", subject.text(of: count))
    }

    private func known(_ subject: LoginThrottle.Subject) -> String { key("known", "pair", subject.text(of: .pair)) }

    private func key(_ purpose: String, _ kind: String, _ text: String) -> String {
        var hash = HMAC<SHA256>(key: secret)
        for part in [purpose, kind, text] {
            // The length of each is counted, too: no two lists of parts are one text.
            hash.update(data: withUnsafeBytes(of: UInt64(part.utf8.count)) { Array($0) })
            hash.update(data: Array(part.utf8))
        }
        return "aerugo:\(purpose):" + Hex.encode(Array(hash.finalize()))
    }
}
