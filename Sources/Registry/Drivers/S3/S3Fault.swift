import Runtime

/// An answer that is none to what was asked, by its status and the code in its body.
struct S3Fault: Sendable {
    private static let passing: Set<String> = [
        "SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "ThrottlingException", "Throttling",
        "RequestLimitExceeded", "OperationAborted", "ConditionalRequestConflict",
    ]
    private static let ofCredentials: Set<String> = [
        "ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired", "ExpiredTokenException",
    ]
    private static let full: Set<String> = [
        "QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "EntityTooLarge", "TooManyParts",
    ]

    let status: Int
    /// The store's word for it; empty where its answer has none.
    let code: String
    private let message: String
    private let what: String

    /// Nil for an answer to the request.
    init?(_ answer: HTTPAnswer, _ request: S3Request) {
        let isError = answer.status >= 300
        guard isError || request.mayFailLate else { return nil }
        guard !request.accepted.contains(answer.status) else { return nil }
        let root = Self.root(answer.body)
        guard isError || root?.name == "Error" else { return nil }
        status = answer.status
        code = root?["Code"] ?? ""
        message = String((root?["Message"] ?? "").prefix(200))
        what = "\(request.method) \(request.name.isEmpty ? "the bucket" : request.name)"
    }

    /// What is no XML has no code in it: a proxy's page, say.
    private static func root(_ body: [UInt8]) -> XMLElement? {
        do throws(StoreError) {
            return try XMLElement(document: body)
        } catch {
            return nil
        }
    }

    /// Whether it is worth asking again.
    var mayPass: Bool {
        if Self.passing.contains(code) || status == 429 || status == 408 { return true }
        return status >= 500 && status != 501 && status != 507
    }

    /// Whether other credentials might do.
    var isOfCredentials: Bool { Self.ofCredentials.contains(code) }

    var storeError: StoreError {
        let cause =
            "S3 answers \(what) with \(status)\(code.isEmpty ? "" : " " + code)\(message.isEmpty ? "" : ": " + message)"
        if Self.full.contains(code) || status == 507 { return StoreError(.full, cause) }
        return switch status {
        case 404 where code != "NoSuchBucket": StoreError(.missing, cause)
        case 412: StoreError(.conflict, cause)
        case 300..<400: StoreError(.unavailable, cause + " (is s3.region the bucket's?)")
        default: StoreError(.unavailable, cause)
        }
    }
}
