import Glibc

/// A detached thread of the operating system that runs one closure.
package struct Thread: Sendable {
    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private let body: @Sendable () -> Void

    /// A thread for this body; `start` begins it.
    package init(_ body: @escaping @Sendable () -> Void) { self.body = body }

    /// Begins.
    package func start() {
        let box = Unmanaged.passRetained(Box(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        pthread_attr_setstacksize(&attributes, 1 << 20)
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body() }
                return nil
            }, box.toOpaque())
        pthread_attr_destroy(&attributes)
        // Only a machine out of threads gets here, at start-up: there is nothing to serve with.
        precondition(status == 0, "cannot start a thread: \(String(cString: strerror(status)))")
    }
}

/// A counting semaphore for threads that are ours; never waited on from async code.
/// `@unchecked`: the pointer is set once, and sem_t may be used from any thread.
package final class Semaphore: @unchecked Sendable {
    private let raw: UnsafeMutablePointer<sem_t>

    /// A semaphore at zero.
    package init() {
        raw = .allocate(capacity: 1)
        sem_init(raw, 0, 0)
    }

    deinit {
        sem_destroy(raw)
        raw.deallocate()
    }

    /// Lets one waiter go.
    package func post() { sem_post(raw) }

    /// Blocks until somebody posts.
    package func wait() {
        while sem_wait(raw) != 0 && errno == EINTR {}
    }
}
