import NIOSSL

/// Everything that a run needs to know besides what its arrivals do.
package struct RunSettings: Sendable {
    /// When arrivals begin.
    package var profile: LoadProfile
    /// Stretches before and after the figures, at the first and last rate.
    package var warmUp = Duration.zero
    package var coolDown = Duration.zero
    /// Event loops, at least 1.
    package var threads = 1
    /// Event loops run before everything that is not real-time, where the system allows it.
    package var isRealTime = false
    /// How each event loop makes its connections.
    package var connections = ConnectionSettings()
    /// Deadline of each request, from the moment it is sent or waits for a connection.
    package var requestTimeout = Duration.seconds(30)
    /// Closed loop: between an answer and the next arrival.
    package var think = Duration.zero
    /// What a report's intervals cover.
    package var intervalWidth = Duration.seconds(1)
    /// The most arrivals of an event loop under way: what comes beyond is missed.
    package var activeLimit = 200_000
    /// Of content, arrivals and choices.
    package var seed: UInt64 = 1
    /// This generator's share of the arrivals, and how many generators there are.
    package var share = 0
    package var shares = 1
    /// Number of the run's first arrival, when another generator has sent some before; `nil` counts on from the own.
    package var firstIndex: UInt64?
    /// Wall-clock nanoseconds at which to begin; `nil` is as soon as possible.
    package var beginAt: Nanoseconds?
    /// A process whose CPU and memory are read each second.
    package var serverPID: Int?
    /// Or a Prometheus page of the target that tells them.
    package var metricsPage: Request?

    /// Settings for a profile, the rest as documented.
    package init(profile: LoadProfile) {
        self.profile = profile
    }
}

/// A run that could not begin. The message says what to do.
package struct RunError: Error, CustomStringConvertible {
    /// What is wrong and what to do.
    package let description: String

    /// - Parameter description: what is wrong and what to do.
    package init(_ description: String) {
        self.description = description
    }
}
