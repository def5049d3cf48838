/// What arrivals do.
package protocol Workload: Sendable {
    /// The work of arrival `index`, drawn with `random`, which is that arrival's own.
    func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork

    /// The time that an arrival takes by its own choice, beyond that of its requests.
    var length: Duration { get }
}

extension Workload {
    /// None.
    package var length: Duration { .zero }
}

/// The work of one arrival.
package enum ArrivalWork: Sendable {
    /// A single request: the quickest way, no task is made.
    case request(Request)
    /// Several steps.
    case flow(any Flow)
}

/// The steps that a client takes for one arrival.
package protocol Flow: Sendable {
    /// Takes them. The failure thrown is the arrival's.
    func run(_ session: Session) async throws(Failure)
}

/// A plain GET of one address.
package struct SingleRequest: Workload {
    private let request: Request

    /// Sends `request` at each arrival.
    package init(_ request: Request) {
        self.request = request
    }

    /// The same request each time.
    package func arrival(_ index: UInt64, random: inout SeededRandom) -> ArrivalWork { .request(request) }
}
