import Glibc

/// The generator's own delay falls into its latencies, so its threads go first where the system allows it.
enum ThreadPriority {
    /// Asks for a higher priority of the calling thread. Without the right to it, nothing changes and nothing is said:
    /// the send lag tells whether it was needed.
    static func raise() {
        // On Linux the nice value belongs to a thread; 0 is the calling one.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -15)
    }
}
