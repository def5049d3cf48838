import Model
import Runtime
import Store

/// What an operator may set of the collection.
package struct CollectionRules: Sendable, Equatable {
    /// Whether it runs in the background.
    package var isOn = true
    /// How long a blob stays that nothing refers to, from when it came or what referred to it went. Whoever asks for it, with
    /// whatever answer says that it is there, can count on it for half as long.
    package var grace: Duration = .seconds(86_400)
    /// How long a manifest stays without a tag, an index that names it or a subject that is there; nil for ever.
    package var untagged: Duration?

    /// The defaults.
    package init() {}

    /// Between two looks, the first of which marks what the second takes away.
    var half: Duration { grace / 2 }
}

/// What becomes of something that is reviewed.
enum ReviewVerdict: Equatable {
    /// It is needed, or no more there: nothing is to be looked at.
    case drop
    /// It stays at least so long behind what was last heard of it; nil for as long as nothing is heard.
    case postpone(Duration?)
    /// Nothing refers to it: it goes with the next look, unless somebody asks for it before.
    case mark
    /// It goes now.
    case collect
}

extension Review {
    /// Whether it is time to look, by a clock that shows `now`.
    func isDue(_ rules: CollectionRules, _ now: Timestamp) -> Bool {
        lookAt.map { $0 + rules.half <= now } ?? false
    }

    /// What becomes of it. An index holds what it names, a subject its referrers; one whose subject never came is untagged
    /// like any other, as is one whose subject went.
    func verdict(_ rules: CollectionRules, _ now: Timestamp) -> ReviewVerdict {
        guard let manifest else {
            if blob == nil || isNamed { return .drop }
            return isMarked ? .collect : .mark
        }
        if isNamed || manifest.isTagged || manifest.hasSubject { return .drop }
        guard let untagged = rules.untagged else { return .postpone(nil) }
        if since + untagged > now { return .postpone(max(.zero, untagged - rules.half)) }
        return isMarked ? .collect : .mark
    }

    /// The earliest moment at which it goes; nil where it stays.
    func end(_ rules: CollectionRules, _ now: Timestamp) -> Timestamp? {
        guard let lookAt else { return nil }
        switch verdict(rules, now) {
        case .drop, .postpone(nil): return nil
        case .postpone: return since + (rules.untagged ?? .zero) + rules.half
        case .mark: return lookAt + rules.grace
        case .collect: return lookAt + rules.half
        }
    }
}
