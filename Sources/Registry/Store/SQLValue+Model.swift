import Model
import Runtime

extension SQLValue {
    /// Text, or NULL for nil.
    package init(_ text: String?) { self = text.map { .text($0) } ?? .null }

    /// A digest in its compact form, or NULL for nil.
    package init(_ digest: Digest?) { self = digest.map { .bytes($0.compact) } ?? .null }

    /// The key of a row.
    package init<Subject>(_ id: Identifier<Subject>) { self = .integer(id.value) }

    /// Milliseconds since 1970.
    package init(_ moment: Timestamp) { self = .integer(moment.milliseconds) }

    /// A number.
    package init(_ number: Int) { self = .integer(Int64(number)) }
}

extension SQLRow {
    /// The column as the key of a row. Throws `.damaged` when it is none.
    package func id<Subject>(_ column: Int) throws(StoreError) -> Identifier<Subject> {
        Identifier(try integer(column))
    }

    /// The column as a digest. Throws `.damaged` when it is none.
    package func digest(_ column: Int) throws(StoreError) -> Digest {
        guard let digest = Digest(compact: try bytes(column)) else {
            throw StoreError(.damaged, "column \(column) is not a digest")
        }
        return digest
    }

    /// The column as a digest, nil for NULL.
    package func optionalDigest(_ column: Int) throws(StoreError) -> Digest? {
        isNull(column) ? nil : try digest(column)
    }
}

extension [SQLRow] {
    /// The first column of every row.
    package func texts() throws(StoreError) -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(count)
        for row in self { texts.append(try row.text(0)) }
        return texts
    }
}
