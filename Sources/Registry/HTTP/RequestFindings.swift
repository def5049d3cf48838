import Access
import Model
import Synchronization

/// What is found out about a request while it is answered. A part of the request, so that every answer has it, errors too.
package struct RequestFindings: ~Copyable, Sendable {
    private let operation = Atomic(-1)
    private let caller = Atomic<Int64>(0)
    private let isRobots = Atomic(false)

    /// Where its operation stands in `OperationTable.counted`; -1 where it has none.
    package var place: Int { operation.load(ordering: .relaxed) }

    /// Who asks, as far as that is known: `user:7`, `robot:7`, `system`, or nothing.
    package var principal: String {
        switch caller.load(ordering: .relaxed) {
        case PrincipalID(0).value: ""
        case PrincipalID(1).value: "system"
        case let id: isRobots.load(ordering: .relaxed) ? "robot:\(id)" : "user:\(id)"
        }
    }

    /// Its operation was found.
    func note(_ place: Int) { operation.store(place, ordering: .relaxed) }

    /// Who asks was found.
    func note(_ principal: Principal) {
        if case .robot = principal { isRobots.store(true, ordering: .relaxed) }
        caller.store(principal.id.value, ordering: .relaxed)
    }
}
