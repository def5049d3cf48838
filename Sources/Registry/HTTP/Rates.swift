import Access
import Model
import Service

extension Operation.RateClass {
    /// What it is counted as; nil for what is not.
    fileprivate var limited: RateClass? {
        switch self {
        case .health: nil
        case .read: .read
        case .list: .list
        case .write: .write
        case .login: .login
        case .token: .token
        }
    }
}

extension Application {
    /// Counts a request of an account, or of an address where nobody is known. Throws `.tooManyRequests`.
    func count(_ operation: Operation, _ caller: Caller) throws(RegistryError) {
        guard caller.principal != .system, let kind = operation.rate.limited,
            let decision = rates.take(
                kind, caller.principal.account.map { .principal($0) } ?? .address(Access.AddressBlock(caller.address))),
            !decision.isAllowed
        else { return }
        var error = RegistryError(
            .tooManyRequests, "too many requests: \(decision.limit) a minute are taken, wait before the next one",
            detail: [
                "limit": "\(decision.limit)", "remaining": "\(decision.remaining)",
                "reset": "\(decision.reset.components.seconds + 1)",
            ])
        error.retryAfter = decision.retryAfter
        throw error
    }

    /// `RateLimit-Limit`, `-Remaining` and `-Reset` (draft-ietf-httpapi-ratelimit-headers-03).
    func rateHeaders(_ error: RegistryError) -> [(name: String, value: String)] {
        ["limit", "remaining", "reset"].compactMap { key in
            error.detail[key].map { ("RateLimit-" + key.capitalizedASCII, $0) }
        }
    }
}

extension String {
    fileprivate var capitalizedASCII: String { prefix(1).uppercased() + dropFirst() }
}
