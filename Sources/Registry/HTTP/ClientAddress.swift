/// Who is behind a proxy that is trusted. What is counted and noted by address is so of the client, not of the proxy that all
/// come through: else one who guesses passwords would lock out everybody else.
extension Headers {
    /// The client's address, where the peer on the socket, which is one of these proxies, says it; else the peer's. Without
    /// proxies nobody is believed.
    ///
    /// Each proxy adds who it heard from behind what it was sent. So the list is read from its end, past what is a proxy of
    /// ours, and what a client has written in front of that is not looked at. Nor is a client believed that brings the one of
    /// the two fields which the proxy does not write: where they differ, neither counts.
    package func client(behind proxies: [AddressBlock], peer: String) -> String {
        guard !proxies.isEmpty else { return peer }
        func isOurs(_ address: String) -> Bool { proxies.contains { $0.contains(address) } }
        func nearest(_ hops: [String?]) -> String {
            var nearest = peer
            for hop in hops.reversed() {
                guard let hop else { break }
                nearest = hop
                guard isOurs(hop) else { break }
            }
            return nearest
        }
        let told = [
            joined("X-Forwarded-For")?.split(separator: ",", omittingEmptySubsequences: false).map {
                Self.address($0.trimmed)
            },
            joined("Forwarded")?.split(separator: ",", omittingEmptySubsequences: false).map(Self.sender),
        ].compactMap(\.self).map(nearest)
        guard let client = told.first, told.allSatisfy({ $0 == client }) else { return peer }
        return client
    }

    /// The address in `for=` of an element of `Forwarded` (RFC 7239 section 4); nil where there is none.
    private static func sender(_ element: Substring) -> String? {
        for pair in element.split(separator: ";") {
            let halves = pair.split(separator: "=", maxSplits: 1)
            guard halves.count == 2, halves[0].trimmed.lowercased() == "for" else { continue }
            return address(halves[1].trimmed.filter { $0 != "\"" })
        }
        return nil
    }

    /// An address without its port and brackets; nil for what is none.
    private static func address(_ text: some StringProtocol) -> String? {
        var text = Substring(text)
        if text.first == "[", let end = text.firstIndex(of: "]") {
            text = text[text.index(after: text.startIndex)..<end]
        } else if text.utf8.count(where: { $0 == UInt8(ascii: ":") }) == 1 {
            text = text.prefix { $0 != ":" }
        }
        return AddressBlock(String(text)) != nil && !text.contains("/") ? String(text) : nil
    }
}
