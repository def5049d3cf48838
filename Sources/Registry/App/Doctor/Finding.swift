/// What the doctor says of one thing.
struct Finding: Sendable {
    /// How it stands.
    enum State: String, Sendable {
        case ok
        /// It works, and may not for long, or not as it should.
        case warning
        case failed

        /// For people.
        var text: String { self == .failed ? "FAILED" : rawValue }
    }

    let state: State
    /// What was looked at.
    let subject: String
    /// What was seen there. Never a secret.
    let seen: String
    /// What is to be done; empty where nothing is.
    let advice: String

    static func ok(_ subject: String, _ seen: String) -> Finding {
        Finding(state: .ok, subject: subject, seen: seen, advice: "")
    }

    static func warning(_ subject: String, _ seen: String, _ advice: String) -> Finding {
        Finding(state: .warning, subject: subject, seen: seen, advice: advice)
    }

    static func failed(_ subject: String, _ seen: String, _ advice: String) -> Finding {
        Finding(state: .failed, subject: subject, seen: seen, advice: advice)
    }

    /// As a row of `Output`.
    var members: [String: String] {
        ["state": state.rawValue, "subject": subject, "seen": seen, "advice": advice]
    }
}
