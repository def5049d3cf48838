import Access
import Model
import Store

/// What accounts may do in repositories, each kept under the versions of the repository's namespace and of the account.
final class StandingCache: Sendable {
    struct Entry: Weighted {
        let access: Version
        let own: Version
        let standing: Standing
        let fence: AccessFence?
        var weight: Int { 120 }
    }

    private struct Key: Hashable {
        let account: PrincipalID
        let repository: RepositoryID
    }

    private let entries: GenerationCache<Key, Entry>
    private let versions: any Versions

    /// `capacity` in bytes.
    init(capacity: Int, versions: any Versions) {
        entries = GenerationCache(capacity: capacity)
        self.versions = versions
    }

    /// What is kept, if neither version is unknown or has moved.
    subscript(account: PrincipalID, repository: Repository) -> Entry? {
        guard let entry = entries[Key(account: account, repository: repository.id)],
            entry.access == versions.atOnce(.access(repository.namespace)),
            entry.own == versions.atOnce(.principal(account))
        else { return nil }
        return entry
    }

    func insert(_ entry: Entry, for account: PrincipalID, _ repository: Repository) {
        entries.insert(entry, for: Key(account: account, repository: repository.id))
    }
}
