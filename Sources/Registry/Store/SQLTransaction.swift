import Model
import Runtime

/// A transaction in progress: what the statements of every topic are written on, each in a file `SQLTransaction+Topic.swift`.
/// A use case composes them in one `MetadataStore.write`; every call blocks.
package struct SQLTransaction {
    private let connection: any SQLConnection
    /// When the transaction began; all of its rows say the same.
    package let now: Timestamp
    private let ids: IDSource
    let moved: MovedVersions

    init(_ connection: any SQLConnection, now: Timestamp, ids: IDSource, moved: MovedVersions) {
        self.connection = connection
        self.now = now
        self.ids = ids
        self.moved = moved
    }

    /// Runs a query with `$1`, `$2` … bound. Throws `StoreError`.
    package func rows(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> [SQLRow] {
        try connection.rows(sql, arguments)
    }

    /// Runs a statement; gives the number of rows it changed. Throws `StoreError`.
    @discardableResult
    package func execute(_ sql: String, _ arguments: [SQLValue]) throws(StoreError) -> Int {
        try connection.execute(sql, arguments)
    }

    /// A key for a new row.
    package func newID<Subject>() -> Identifier<Subject> { ids.next() }
}

extension SQLTransaction {
    /// Most members of a set that one statement takes; more go in several.
    package static let setLimit = 512

    /// Runs a query once for each part of a set. `sql` gets the text that stands for the part, `($2, $3), ($4, $5) …` for
    /// members of two values behind one `shared` argument. A part is filled up to a power of two by repeating its last
    /// member, so that few texts are prepared: the query must not mind one that comes twice.
    func rows<Member>(
        for set: some Collection<Member>, shared: [SQLValue], _ member: (Member) -> [SQLValue],
        _ sql: (String) -> String
    ) throws(StoreError) -> [SQLRow] {
        var found: [SQLRow] = []
        var rest = Array(set)[...]
        while let last = rest.prefix(Self.setLimit).last {
            var part = Array(rest.prefix(Self.setLimit))
            rest = rest.dropFirst(part.count)
            part += Array(repeating: last, count: Self.powerOfTwo(atLeast: part.count) - part.count)
            let (list, values) = Self.list(part, after: shared.count, member)
            found += try rows(sql(list), shared + values)
        }
        return found
    }

    /// Runs a statement once for each part of a set, as `rows(for:)` does, with every member exactly once: the parts are
    /// powers of two.
    func execute<Member>(
        for set: some Collection<Member>, shared: [SQLValue] = [], _ member: (Member) -> [SQLValue],
        _ sql: (String) -> String
    ) throws(StoreError) {
        var rest = Array(set)[...]
        while !rest.isEmpty {
            let size = Self.powerOfTwo(atLeast: min(rest.count, Self.setLimit))
            let part = Array(rest.prefix(size > rest.count ? size / 2 : size))
            rest = rest.dropFirst(part.count)
            let (list, values) = Self.list(part, after: shared.count, member)
            try execute(sql(list), shared + values)
        }
    }

    private static func powerOfTwo(atLeast count: Int) -> Int {
        var power = 1
        while power < count { power *= 2 }
        return power
    }

    private static func list<Member>(
        _ part: [Member], after shared: Int, _ member: (Member) -> [SQLValue]
    ) -> (text: String, values: [SQLValue]) {
        var (text, values) = ("", [SQLValue]())
        for element in part {
            text += text.isEmpty ? "(" : ", ("
            var separator = ""
            for value in member(element) {
                values.append(value)
                text += "\(separator)$\(shared + values.count)"
                separator = ", "
            }
            text += ")"
        }
        return (text, values)
    }
}
