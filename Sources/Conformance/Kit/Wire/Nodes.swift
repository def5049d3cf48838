/// The nodes of a registry that is one by its address: what asks for the address is sent to them in turn, as a load balancer
/// would, with the address's own host name and, by TLS, its certificate.
package struct Nodes: Sendable {
    /// What clients know the registry by.
    package let base: Address
    /// Where its nodes listen, in the order of their numbers; one at least.
    package let all: [Address]

    /// The nodes behind an address; nil when there is none.
    package init?(of base: Address, _ all: [Address]) {
        guard !all.isEmpty else { return nil }
        (self.base, self.all) = (base, all)
    }

    /// Whether a URL is one of the registry's own.
    func serve(_ url: String) -> Bool { Address(url)?.origin == base.origin }

    /// What libcurl calls `CURLOPT_CONNECT_TO`, and curl `--connect-to`: a connection to a node instead of the address.
    func detour(to node: Int) -> String {
        "\(base.hostAndPort):\(all[node].hostAndPort)"
    }
}

/// Whose turn it is among the nodes. Used by one thread.
package struct NodeTurns {
    private let count: Int
    private var next: Int

    /// Begins with a node that hangs on `word` alone, so that the same run asks the same nodes.
    package init(_ nodes: Nodes?, beginning word: String) {
        count = nodes?.all.count ?? 0
        next = count > 1 ? word.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % count : 0
    }

    /// The node of the next request, from 0; nil where there are none.
    package mutating func take() -> Int? {
        guard count > 0 else { return nil }
        defer { next = (next + 1) % count }
        return next
    }
}
