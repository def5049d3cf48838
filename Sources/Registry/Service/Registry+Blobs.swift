import Access
import Logging
import Model
import Store

extension BlobLocation: Weighted {
    var weight: Int { key.description.utf8.count + stamp.utf8.count + 100 }
}

extension Registry {
    /// Opens a blob that this repository has, once its bytes are known to be those that were pushed.
    /// Throws `.blobUnknown`, also for bytes that are lost or damaged: pushing the blob again repairs it.
    package func blob(
        _ digest: Digest, in repository: RepositoryName, _ grant: Grant
    ) async throws(RegistryError) -> any BlobContent {
        let item = digest.description
        if let cached = locations[repository, item], let content = try await intact(digest, at: cached) {
            return content
        }
        let version = locations.version(of: repository)
        let location = try await storing { () throws(StoreError) in try await metadata.blob(digest, in: repository) }
        guard let location else { throw Self.unknownBlob(digest, in: repository) }
        guard !location.isDamaged, let content = try await intact(digest, at: location) else {
            throw RegistryError(
                .blobUnknown,
                "the stored bytes of \(digest) are damaged and are not served: push the blob again to repair it",
                detail: ["digest": digest.description, "reason": "damaged"])
        }
        if content.stamp == location.stamp { locations.insert(location, for: repository, item, version: version) }
        return content
    }

    /// Opens the object if its bytes are those of `digest`. An object that something else has touched is read through
    /// first; one that is lost or differs is marked, and nil.
    func intact(_ digest: Digest, at location: BlobLocation) async throws(RegistryError) -> (any BlobContent)? {
        do throws(StoreError) {
            let (content, isSame) = try await blobs.executor.run { [blobs] () throws(StoreError) in
                let content = try blobs.open(location.key)
                if content.stamp == location.stamp { return (content, true) }
                return (content, try content.digest(digest.algorithm) == digest)
            }
            if content.stamp == location.stamp { return content }
            if isSame {
                try await metadata.confirm(digest, at: location, stamp: content.stamp)
                return content
            }
            log.error("blob is damaged", metadata: ["digest": "\(digest)", "object": "\(location.key)"])
        } catch {
            guard error.code == .missing || error.code == .damaged else { throw RegistryError(error) }
            log.error("blob is lost", metadata: ["digest": "\(digest)", "cause": "\(error.cause)"])
        }
        try await storing { () throws(StoreError) in try await metadata.markDamaged(digest, at: location) }
        return nil
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
