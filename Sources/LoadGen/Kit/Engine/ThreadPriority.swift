import Glibc

/// The generator's own delay falls into its latencies, so its threads go first where the system allows it.
enum ThreadPriority {
    /// Asks for a higher priority of the calling thread. Without the right to it, nothing changes and nothing is said:
    /// the send lag tells whether it was needed.
    ///
    /// - Parameter isRealTime: before everything that is not real-time, rather than only before other work of its group.
    static func raise(isRealTime: Bool) {
        if isRealTime {
            var parameters = sched_param()
            parameters.sched_priority = 1
            if sched_setscheduler(0, SCHED_RR, &parameters) == 0 { return }
        }
        // On Linux the nice value belongs to a thread; 0 is the calling one.
        _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, -15)
    }
}
