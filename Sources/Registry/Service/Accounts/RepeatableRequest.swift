import Access
import Crypto
import Model
import Runtime
import Store

/// A request that makes something and that its client may send again, under a key of the client's choice
/// (draft-ietf-httpapi-idempotency-key-header): the second time it gets the first answer.
///
/// The answer may have a secret in it, which is kept nowhere else. It is sealed (AES-GCM) under a key that is derived (HKDF,
/// RFC 5869) from the client's key, as is the id that its row is found by: the row alone opens nothing.
package struct RepeatableRequest: Sendable {
    /// Bytes that a client's key may have: fewer could be guessed, and what is sealed by it be opened.
    package static let keyLengths = 16...255

    let principal: PrincipalID
    let id: [UInt8]
    let fingerprint: [UInt8]
    private let seal: SymmetricKey

    /// A caller's request under the key that its client gave it. `operation`, `target` and `body` tell it from another one.
    package init(key: String, _ caller: Caller, operation: String, target: String, body: [UInt8]) {
        principal = caller.principal.id
        let salt = Array("\(principal)".utf8)
        let given = SymmetricKey(data: Array(key.utf8))
        func derived(_ purpose: String) -> SymmetricKey {
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: given, salt: salt, info: Array("aerugo kept answer: \(purpose)".utf8),
                outputByteCount: 32)
        }
        id = derived("id").withUnsafeBytes { Array($0) }
        seal = derived("seal")
        // Not a plain hash: a body may have a password in it, which nobody is to try out here.
        var code = HMAC<SHA256>(key: derived("fingerprint"))
        for text in [operation, target] { code.update(data: Array("\(text.utf8.count):\(text)".utf8)) }
        code.update(data: body)
        fingerprint = Array(code.finalize())
    }

    /// The row of an answer.
    func kept(_ answer: [UInt8]) throws(StoreError) -> KeptAnswer {
        do {
            let box = try AES.GCM.seal(answer, using: seal, authenticating: id)
            return KeptAnswer(fingerprint: fingerprint, sealed: Array(box.combined ?? box.ciphertext))
        } catch {
            throw StoreError(.unusable, "an answer cannot be sealed: \(error)")
        }
    }

    /// The answer of a row. Throws `.keyReused` where it was the answer to another request.
    func opened(_ kept: KeptAnswer) throws(RegistryError) -> [UInt8] {
        guard kept.fingerprint == fingerprint else {
            throw RegistryError(
                .keyReused, "this Idempotency-Key was sent with another request: take a new key for each",
                detail: ["field": "Idempotency-Key"])
        }
        do {
            return Array(try AES.GCM.open(AES.GCM.SealedBox(combined: kept.sealed), using: seal, authenticating: id))
        } catch {
            throw RegistryError(.internalError, "the first answer cannot be read any more", cause: "\(error)")
        }
    }
}

/// What is to be kept of a request once it has made something: in the transaction that makes it, so that there is never the one
/// without the other.
package struct Keeping<Made: Sendable>: Sendable {
    fileprivate let request: RepeatableRequest
    fileprivate let answer: @Sendable (Made) -> [UInt8]

    /// Keeps what `answer` says of what was made.
    package init(_ request: RepeatableRequest, _ answer: @Sendable @escaping (Made) -> [UInt8]) {
        self.request = request
        self.answer = answer
    }

    /// The same where a transaction makes only a part of it.
    func with<Part>(_ whole: @Sendable @escaping (Part) -> Made) -> Keeping<Part> {
        Keeping<Part>(request) { [answer] in answer(whole($0)) }
    }
}

extension MetadataStore {
    /// `transact`, which keeps the answer too. Throws `.requestRunning` where another node was first.
    func transact<T: Sendable>(
        keeping: Keeping<T>?, _ body: @Sendable @escaping (SQLTransaction) throws(StoreError) -> Result<T, Refusal>
    ) async throws(RegistryError) -> T {
        guard let keeping else { return try await transact(body) }
        return try await transact { (db) throws(StoreError) -> Result<T, Refusal> in
            let request = keeping.request
            guard try db.keptAnswer(request.id) == nil else { return .failure(.requestRunning) }
            let result = try body(db)
            if case .success(let made) = result {
                try db.keep(try request.kept(keeping.answer(made)), as: request.id, of: request.principal)
            }
            return result
        }
    }
}

extension RegistryError {
    static let requestRunning = RegistryError(
        .requestRunning, "the same request is being carried out: ask again in a moment",
        detail: ["field": "Idempotency-Key"])
}
