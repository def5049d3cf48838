/// The switches that are on.
struct FaultSet: Sendable {
    private let faults: Set<Fault>

    init(_ faults: Set<Fault>) {
        self.faults = faults
    }

    var isEmpty: Bool { faults.isEmpty }

    func has(_ fault: Fault) -> Bool { faults.contains(fault) }
}
