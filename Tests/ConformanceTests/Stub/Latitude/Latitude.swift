import Testing

/// What a registry, or what stands before one, may do within the rules: a switch that lies over the stub. The runner
/// must blame none of them. Each tells what allows it: a sentence of the specification or of an RFC, or that none
/// forbids it.
struct Latitude: Sendable {
    /// Answers a request before the registry sees it, or changes what the registry sees.
    typealias Arriving = @Sendable (inout StubRequest, StubRegistry) -> StubResponse?
    /// Changes an answer on its way; the request is as the client sent it.
    typealias Leaving = @Sendable (inout StubResponse, StubRequest, StubRegistry) -> Void

    /// Names the switch in messages.
    let name: String
    /// What allows it.
    let why: String
    /// How answers are written to the connection.
    var habits: WireHabits = []
    /// What the registry holds before the run.
    var content: (@Sendable (inout StubRegistry.State) -> Void)?
    var arriving: Arriving?
    var leaving: Leaving?

    init(_ name: String, _ why: String, arriving: @escaping Arriving) {
        (self.name, self.why, self.arriving) = (name, why, arriving)
    }

    init(_ name: String, _ why: String, leaving: @escaping Leaving) {
        (self.name, self.why, self.leaving) = (name, why, leaving)
    }

    init(_ name: String, _ why: String, arriving: @escaping Arriving, leaving: @escaping Leaving) {
        (self.name, self.why, self.arriving, self.leaving) = (name, why, arriving, leaving)
    }

    init(_ name: String, _ why: String, _ habits: WireHabits) {
        (self.name, self.why, self.habits) = (name, why, habits)
    }

    init(_ name: String, _ why: String, content: @escaping @Sendable (inout StubRegistry.State) -> Void) {
        (self.name, self.why, self.content) = (name, why, content)
    }

    /// Every switch.
    static let all: [Latitude] =
        paths + headers + connections + redirects + locations + names + refusals + pulls + lists + referrers + errors

    /// The switches of these names. Throws for a name that none has.
    static func named(_ names: String...) throws -> [Latitude] {
        try names.map { name in
            guard let latitude = all.first(where: { $0.name == name }) else { throw StubFailure("no latitude \(name)") }
            return latitude
        }
    }
}

extension Latitude: CustomTestStringConvertible {
    var testDescription: String { name }
}

/// How answers are written to the connection, all within RFC 9112.
struct WireHabits: OptionSet, Sendable {
    let rawValue: Int

    /// Speaks HTTP/1.0 and closes after each answer.
    static let oldVersion = WireHabits(rawValue: 1)
    /// Bodies in chunked coding, without a length.
    static let chunked = WireHabits(rawValue: 2)
    /// 103 Early Hints before an answer.
    static let earlyHints = WireHabits(rawValue: 4)
    /// The first byte comes late.
    static let late = WireHabits(rawValue: 8)
    /// Head and body in small pieces.
    static let pieces = WireHabits(rawValue: 16)
    /// Header names in lower case.
    static let lowerNames = WireHabits(rawValue: 32)
    /// Header names in upper case.
    static let upperNames = WireHabits(rawValue: 64)
    /// No reason phrase.
    static let noReason = WireHabits(rawValue: 128)
    /// Blanks round header values.
    static let blanks = WireHabits(rawValue: 256)
}
