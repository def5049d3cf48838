import Model

/// Who knows one token is the system, and nobody else is anybody: for what programs of an operator read.
package struct BearerAuthenticator: Authenticator {
    private let expected: [UInt8]
    private static let system = Proof(Identity(.system)) { true }
    private static let nobody = Proof(.anonymous) { true }

    /// One that knows this token, which is not empty.
    package init(token: String) { expected = Array("Bearer \(token)".utf8) }

    /// Takes a time that depends on the lengths alone. Throws `.credentialsInvalid`.
    package func atOnce(_ presented: @autoclosure () -> Presented) throws(RegistryError) -> Proof? {
        let presented = presented()
        guard !presented.isEmpty else { return Self.nobody }
        let text = Array((presented.authorization ?? "").utf8)
        guard text.count == expected.count else { throw Self.wrong }
        let difference = zip(text, expected).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) }
        guard difference == 0 else { throw Self.wrong }
        return Self.system
    }

    package func identify(_ presented: Presented, from sender: Sender) async throws(RegistryError) -> Identity {
        try atOnce(presented)?.identity ?? .anonymous
    }

    private static let wrong = RegistryError(.credentialsInvalid, "the token is wrong")
}
