import Access
import Model
import Service

/// `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that makes something may be sent again, and makes
/// nothing twice.
extension Operation {
    /// Whether it makes something for a caller who is known: then it takes the key.
    package var isRepeatable: Bool {
        errorStyle == .problem && method == .post && access != .anybody && answers.contains { $0.status == 201 }
    }

    /// What a key is like: visible ASCII, in quotes (RFC 9651) or without.
    static let keyShape = Shape.text(
        .init(pattern: "^[!-~]+$", length: RepeatableRequest.keyLengths))
}

extension Call {
    /// Runs the handler, or gives the answer that it gave to the same request before.
    func once(_ handler: Operation.Handler) async throws(RegistryError) -> Response {
        guard operation.isRepeatable, let key = try idempotencyKey() else { return try await handler(self) }
        var call = self
        if case .json = operation.body { call.readBody = try await smallBody() }
        let repeated = RepeatableRequest(
            key: key, caller, operation: operation.spec, target: request.target, body: call.readBody ?? [])
        call.repeated = repeated
        return try await accounts.kept.once(repeated) { (kept) throws(RegistryError) in
            try Response(kept: kept)
        } first: { () throws(RegistryError) in
            try await handler(call)
        }
    }

    /// Answers with what was made, and has that answer kept where the client may send its request again.
    func making<Made: Sendable>(
        _ answer: @Sendable @escaping (Made) -> Response,
        _ make: (Keeping<Made>?) async throws(RegistryError) -> Made
    ) async throws(RegistryError) -> Response {
        answer(try await make(repeated.map { Keeping($0) { answer($0).kept } }))
    }

    /// The key, without its quotes. Throws `.fieldInvalid`.
    private func idempotencyKey() throws(RegistryError) -> String? {
        guard let field = request.headers.joined("Idempotency-Key") else { return nil }
        let isQuoted = field.utf8.count >= 2 && field.hasPrefix("\"") && field.hasSuffix("\"")
        let key = isQuoted ? String(field.dropFirst().dropLast()) : field
        guard RepeatableRequest.keyLengths.contains(key.utf8.count), key.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
        else {
            throw Fields.wrong(
                "Idempotency-Key",
                "must be \(RepeatableRequest.keyLengths.lowerBound) to \(RepeatableRequest.keyLengths.upperBound) visible "
                    + "ASCII characters, such as a UUID")
        }
        return key
    }
}

extension Response {
    /// Status, tag and JSON, as they are kept.
    fileprivate var kept: [UInt8] {
        let tag = headers.first { $0.name == "ETag" }?.value ?? ""
        guard case .bytes(let bytes) = body else { return Array("\(status)\n\(tag)\n".utf8) }
        return Array("\(status)\n\(tag)\n".utf8) + bytes
    }

    /// The answer that was kept, which says that it was given before.
    fileprivate init(kept: [UInt8]) throws(RegistryError) {
        let parts = kept.split(separator: UInt8(ascii: "\n"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let status = Int(String(decoding: parts[0], as: UTF8.self)) else {
            throw RegistryError(.internalError, "the first answer cannot be read any more")
        }
        let tag = String(decoding: parts[1], as: UTF8.self)
        self = .json(status, Array(parts[2]), (tag.isEmpty ? [] : [("ETag", tag)]) + [("Idempotent-Replayed", "true")])
    }
}
