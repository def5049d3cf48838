import Model

/// A page of a list.
package struct Page: Sendable {
    package let items: [String]
    /// Where the next page begins; nil at the end.
    package let next: String?

    /// The page of at most `limit` of what was found, which is one more where there is a next page.
    init(_ found: [String], _ limit: Int) {
        items = Array(found.prefix(limit))
        next = found.count > limit ? items.last : nil
    }
}

/// What part of a list is asked for.
package struct PageRequest: Sendable {
    /// Most items wanted; nil for as many as there may be.
    package let limit: Int?
    /// The item before the first one wanted.
    package let last: String

    /// `limit` is zero or more.
    package init(limit: Int?, last: String) {
        self.limit = limit
        self.last = last
    }

    /// The key of the row before the first one wanted, `first` where none is named; one that is larger than any key is the largest.
    /// Throws `.paginationInvalid` for what is no key.
    func lastKey(or first: Int64) throws(RegistryError) -> Int64 {
        guard !last.isEmpty else { return first }
        let digits = last.utf8
        guard digits.count <= 19, digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != 0x30 else {
            throw RegistryError(
                .paginationInvalid, "after is the id of the last one before", detail: ["field": "after"])
        }
        return Int64(last) ?? .max
    }

    func count(atMost largest: Int) -> Int { min(limit ?? largest, largest) }
}
