import Access
import Logging
import Model
import Runtime
import Store

/// All that HTTP knows of stores: a blob that was opened, how its bytes get to a client, and bytes on their way in.
package typealias BlobObject = Store.BlobObject
package typealias BlobContent = Store.BlobContent
package typealias BlobDelivery = Store.BlobDelivery
package typealias BlobStream = Store.BlobStream
package typealias ByteChunk = Store.ByteChunk

struct LocationKey: Hashable {
    let repository: RepositoryID
    let digest: Digest
}

extension BlobLocation: Weighted {
    package var weight: Int { key.description.utf8.count + stamp.utf8.count + 100 }
}

extension Registry {
    /// Opens a blob that this repository has, once its bytes are known to be those that were pushed.
    /// Throws `.blobUnknown`, also for bytes that are damaged, and `.unavailable` for those that cannot be read now: pushing
    /// the blob again repairs both.
    package func blob(
        _ digest: Digest, _ grant: RepositoryGrant
    ) async throws(RegistryError) -> any BlobObject {
        try grant.demand(.pull)
        let repository = grant.target
        let key = LocationKey(repository: repository.id, digest: digest)
        let version = try await store.versions.version(of: .repository(repository.id))
        if let cached = locations[key, at: version], let object = await unchanged(cached) { return object }
        let location = try await store.look { (db) throws(StoreError) in try db.blob(digest, in: repository) }
        guard var location else { throw Self.unknownBlob(digest, in: repository.name) }
        if location.isMarked { location = try await renewed(digest, in: repository) }
        let object = try await intact(digest, at: location)
        locations.insert(
            BlobLocation(key: location.key, size: location.size, stamp: object.witness), for: key, at: version)
        return object
    }

    /// Where a blob is that was about to be collected, and is not now. Throws `.blobUnknown` when it has been meanwhile.
    private func renewed(
        _ digest: Digest, in repository: Repository
    ) async throws(RegistryError) -> BlobLocation {
        let location = try await storing { () throws(StoreError) in
            try await store.erase { (db) throws(StoreError) in
                try db.renew(digest, in: repository)
                return try db.blob(digest, in: repository)
            }
        }
        guard let location else { throw Self.unknownBlob(digest, in: repository.name) }
        return location
    }

    /// Where a client may be sent for a blob, if that is in memory and holds; else nil.
    package func link(to digest: Digest, _ grant: RepositoryGrant) throws(RegistryError) -> String? {
        try grant.demand(.pull)
        let repository = grant.target.id
        let key = LocationKey(repository: repository, digest: digest)
        return locations[key, .repository(repository)].flatMap { blobs.link(to: $0.key, witness: $0.stamp) }
    }

    /// Opens what is where it was last seen and as it was; nil, and no word why, for what has to be asked for anew.
    private func unchanged(_ location: BlobLocation) async -> (any BlobObject)? {
        do throws(StoreError) {
            let object = try await blobs.open(location.key)
            return object.witness == location.stamp ? object : nil
        } catch {
            return nil
        }
    }

    /// How these bytes of an opened blob get to a client, who may be sent elsewhere if `redirects`. Throws `.unavailable`.
    package func delivery(
        of blob: any BlobObject, _ range: Range<Int64>, redirects: Bool
    ) async throws(RegistryError) -> BlobDelivery {
        try await storing { () throws(StoreError) in try await blob.delivery(of: range, redirects: redirects) }
    }

    /// Takes a blob from the repository; others that have it keep it. One that a manifest of the repository names stays,
    /// unless the operator will have it otherwise: that manifest could not be pulled any more. Throws `.blobUnknown`,
    /// `.contentInUse`, `.methodNotAllowed`, `.preconditionFailed`.
    package func deleteBlob(
        _ digest: Digest, if precondition: Precondition = Precondition(), _ grant: RepositoryGrant
    ) async throws(RegistryError) {
        try grant.demand(.delete)
        guard limits.deletes else { throw Self.deletesOff }
        let repository = grant.target
        if !precondition.holds(for: digest) {
            let isThere = try await store.look { (db) throws(StoreError) in try db.blob(digest, in: repository) != nil }
            guard isThere else { throw Self.unknownBlob(digest, in: repository.name) }
            throw RegistryError(.preconditionFailed, "the content is \(digest), which the conditions do not ask for")
        }
        let keepsUsed = !limits.deletesInUse
        let (removed, user) = try await store.remove(by: grant) { (db) throws(StoreError) -> (Bool, Digest?) in
            if keepsUsed, let user = try db.manifest(naming: digest, as: .blobs, in: repository) {
                return (try db.blob(digest, in: repository) != nil, user)
            }
            return (try db.removeBlob(digest, from: repository), nil)
        }
        guard removed else { throw Self.unknownBlob(digest, in: repository.name) }
        if let user { throw Self.used(digest, by: user) }
        sweeper.request()
    }

    private static func used(_ digest: Digest, by manifest: Digest) -> RegistryError {
        RegistryError(
            .contentInUse, "manifest \(manifest) needs the blob \(digest): delete the manifest first",
            detail: ["digest": digest.description, "manifest": manifest.description])
    }

    /// Makes a blob of a repository that one grant allows to read visible in that of the other. False when it is not there.
    package func mount(
        _ digest: Digest, from source: RepositoryGrant, to target: RepositoryGrant
    ) async throws(RegistryError) -> Bool {
        try source.demand(.pull)
        try target.demand(.push)
        let (from, to) = (source.target, target.target)
        return try await store.change(target) { (db) throws(StoreError) in
            try db.hold(source)
            return try db.mount(digest, from: from, to: to)
        }
    }

    private static func unknownBlob(_ digest: Digest, in repository: RepositoryName) -> RegistryError {
        RegistryError(
            .blobUnknown, "\(repository) has no blob \(digest): push or mount it first",
            detail: ["name": repository.description, "digest": digest.description])
    }
}
