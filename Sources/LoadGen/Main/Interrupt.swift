import Glibc
import LoadKit
import Synchronization

/// How many times the user has asked for an end. A signal handler may touch an atomic and little else.
private let requests = Atomic<Int>(0)

/// Turns SIGINT and SIGTERM into an orderly end; the second one ends at once.
struct Interrupt: StopSignal {
    init() {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in
                if requests.add(1, ordering: .relaxed).newValue > 1 { _exit(130) }
            }
        }
    }

    var isStopped: Bool { requests.load(ordering: .relaxed) > 0 }
}
