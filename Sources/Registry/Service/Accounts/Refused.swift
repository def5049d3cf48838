import Model
import Synchronization

/// Carries why a transaction refused out of it, past the store, which knows nothing of such reasons.
final class Refused: Sendable {
    private let error = Mutex<RegistryError?>(nil)

    func put(_ error: RegistryError) { self.error.withLock { $0 = error } }
    func take() -> RegistryError? { error.withLock { $0 } }
}
