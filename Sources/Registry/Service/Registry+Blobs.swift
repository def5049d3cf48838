import Access
import Logging
import Model
import Store

extension BlobLocation: Weighted {
    var weight: Int { key.description.utf8.count + stamp.utf8.count + 100 }
}

extension Registry {
    /// Opens a blob that this repository has, once its bytes are known to be those that were pushed.
    /// Throws `.blobUnknown`, also for bytes that are damaged, and `.unavailable` for those that cannot be read now: pushing
    /// the blob again repairs both.
    package func blob(
        _ digest: Digest, in repository: RepositoryName, _ grant: Grant
    ) async throws(RegistryError) -> any BlobObject {
        let item = digest.description
        if let cached = locations[repository, item], let object = await unchanged(cached) { return object }
        let version = locations.version(of: repository)
        let location = try await storing { () throws(StoreError) in try await metadata.blob(digest, in: repository) }
        guard let location else { throw Self.unknownBlob(digest, in: repository) }
        let object = try await intact(digest, at: location)
        locations.insert(
            BlobLocation(key: location.key, size: location.size, stamp: object.witness), for: repository, item,
            version: version)
        return object
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

    /// How these bytes of an opened blob get to a client. Throws `.unavailable`.
    package func delivery(of blob: any BlobObject, _ range: Range<Int64>) async throws(RegistryError) -> BlobDelivery {
        try await storing { () throws(StoreError) in try await blob.delivery(of: range) }
    }

    /// Takes a blob from the repository; others that have it keep it. Throws `.blobUnknown`, `.methodNotAllowed`.
    package func deleteBlob(
        _ digest: Digest, from repository: RepositoryName, _ grant: Grant
    ) async throws(RegistryError) {
        try checkDeletes()
        let removed = try await storing { () throws(StoreError) in
            try await metadata.removeBlob(digest, from: repository)
        }
        locations.invalidate(repository)
        guard removed else { throw Self.unknownBlob(digest, in: repository) }
        sweepRequests.yield()
    }

    /// Makes a blob of `source`, which `sourceGrant` allows to read, visible in `target`. False when it is not there.
    package func mount(
        _ digest: Digest, from source: RepositoryName, _ sourceGrant: Grant, to target: RepositoryName, _ grant: Grant
    ) async throws(RegistryError) -> Bool {
        let mounted = try await storing { () throws(StoreError) in
            try await metadata.mount(digest, from: source, to: target)
        }
        locations.invalidate(target)
        return mounted
    }

    private static func unknownBlob(_ digest: Digest, in repository: RepositoryName) -> RegistryError {
        RegistryError(
            .blobUnknown, "\(repository) has no blob \(digest): push or mount it first",
            detail: ["name": repository.description, "digest": digest.description])
    }
}
