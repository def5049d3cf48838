/// A sentence of the distribution-spec that asks for something, in our own words.
package struct SpecStatement: Sendable {
    /// The name by which checks refer to it.
    package let id: String
    /// The section in which it stands.
    package let section: String
    /// The key word.
    package let level: String
    /// The first ten digits of the sha256 digest of the sentence's words, to notice when the specification changes.
    package let fingerprint: String
    /// What it asks for.
    package let gist: String
    /// Why no check tries it; nil when one has to.
    package let exemption: String?

    init(
        _ id: String, _ section: String, _ level: String, _ fingerprint: String, _ gist: String,
        exemption: String? = nil
    ) {
        (self.id, self.section, self.level) = (id, section, level)
        (self.fingerprint, self.gist, self.exemption) = (fingerprint, gist, exemption)
    }

    /// All of the distribution-spec, in its order.
    package static let all: [SpecStatement] = pullAndPush + theRest

    /// Those of the distribution-spec and of the RFCs, by id.
    package static let byID = Dictionary(uniqueKeysWithValues: (all + ofRFCs).map { ($0.id, $0) })

    /// Whether it is an absolute requirement (RFC 2119).
    package var isAbsolute: Bool { level.hasPrefix("MUST") || level.hasPrefix("SHALL") || level == "REQUIRED" }

    /// The checks that try it, by id.
    package func checks(in groups: [CheckGroup]) -> [String] {
        groups.flatMap(\.checks).filter { $0.statements.contains(id) }.map(\.id)
    }
}
