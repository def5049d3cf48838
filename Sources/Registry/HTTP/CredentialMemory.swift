import Access
import Model
import Synchronization

/// The credentials that came last on a connection, and whose they are: clients send the same ones with every request, and
/// comparing them costs less than hashing them. They are forgotten with the connection.
package final class CredentialMemory: Sendable {
    private struct State {
        var authorization: [UInt8]?
        var key: [UInt8]?
        var proof: Proof?
    }

    private let state = Mutex(State())

    /// One that remembers nothing yet.
    package init() {}

    /// Whose these credentials are, if they are the ones that came last and the proof still stands.
    func identity(of headers: Headers) -> Identity? {
        state.withLock { state in
            guard let proof = state.proof, Self.areSame(headers[bytes: "Authorization"], state.authorization),
                Self.areSame(headers[bytes: "X-API-Key"], state.key)
            else { return nil }
            if proof.stands() { return proof.identity }
            state = State()
            return nil
        }
    }

    /// Keeps whose these credentials are, in the place of those that came before; of a request without any, nothing.
    func keep(_ proof: Proof, _ headers: Headers) {
        let (authorization, key) = (headers[bytes: "Authorization"], headers[bytes: "X-API-Key"])
        guard authorization != nil || key != nil else { return }
        state.withLock {
            $0 = State(authorization: authorization.map { Array($0) }, key: key.map { Array($0) }, proof: proof)
        }
    }

    /// Compares in a time that depends on the lengths alone.
    private static func areSame(_ a: ArraySlice<UInt8>?, _ b: [UInt8]?) -> Bool {
        guard let a, let b else { return a == nil && b == nil }
        guard a.count == b.count else { return false }
        return a.withUnsafeBufferPointer { a in
            b.withUnsafeBufferPointer { b in
                var difference: UInt8 = 0
                for at in 0..<a.count { difference |= a[at] ^ b[at] }
                return difference == 0
            }
        }
    }
}

extension Application {
    /// Whose credentials a request has, where that is known without waiting. Throws `.credentialsInvalid`.
    func identityAtOnce(_ request: Request) throws(RegistryError) -> Identity? {
        if let identity = request.memory.identity(of: request.headers) { return identity }
        guard let proof = try authenticator.atOnce(request.presented) else { return nil }
        request.memory.keep(proof, request.headers)
        return proof.identity
    }
}
