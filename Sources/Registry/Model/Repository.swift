/// A repository that is there, for as long as it is: one that is deleted and made again is another one.
package struct Repository: Sendable, Hashable {
    package let id: RepositoryID
    package let namespace: NamespaceID
    /// For messages and paths; rows are found by the id.
    package let name: RepositoryName

    /// A repository with these keys.
    package init(id: RepositoryID, namespace: NamespaceID, name: RepositoryName) {
        self.id = id
        self.namespace = namespace
        self.name = name
    }
}

extension RepositoryName {
    /// The namespace that the repository belongs to: its first component where there are more, else the nameless one.
    package var namespace: String {
        let parts = description.split(separator: "/", maxSplits: 1)
        return parts.count == 2 ? String(parts[0]) : ""
    }
}
