import Model
import Store

/// What a repository holds, as a whole, at some moment: two that are equal found the same tags, manifests and blobs.
package struct RepositoryState: Hashable, Sendable {
    let repository: RepositoryID
    let version: Version
}
