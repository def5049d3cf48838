import Logging
import Model
import Runtime
import Store

/// What reading a whole blob has shown.
enum Verdict: Sendable {
    /// The bytes are those of the digest, while the object has this witness.
    case same(witness: String)
    /// They are not.
    case damaged
    /// They cannot be read, which says nothing of them.
    case unread(StoreError)
}

extension Registry {
    /// Opens the object if its bytes are those of `digest`: one that something else has touched is read through first, once
    /// for all who ask. Only bytes condemn a blob, an error never does. Throws `.blobUnknown` for a damaged one and
    /// `.unavailable` for one that cannot be read now.
    func intact(_ digest: Digest, at location: BlobLocation) async throws(RegistryError) -> any BlobObject {
        let object = try await open(digest, at: location)
        if object.witness == location.stamp {
            if !location.isDamaged { return object }
            guard secondLooks.isDue(location.key) else { throw Self.damaged(digest) }
        }
        let verdict = await readings.value(for: location.key, patience: limits.readingTime) { [self] in
            await verify(digest, at: location)
        }
        switch verdict {
        case .same(let witness)?:
            let object = try await open(digest, at: location)
            guard object.witness == witness else { throw Self.unread(digest, "it changes while it is read") }
            return object
        case .damaged?: throw Self.damaged(digest)
        case .unread(let error)?: throw Self.unread(digest, error.cause)
        case nil: throw Self.unread(digest, "it is still being read through")
        }
    }

    /// Opens the object, whatever its bytes are by now. Throws `.unavailable` when it cannot be had.
    func open(_ digest: Digest, at location: BlobLocation) async throws(RegistryError) -> any BlobObject {
        do throws(StoreError) {
            return try await blobs.open(location.key)
        } catch {
            log.error("blob cannot be read", metadata: ["digest": "\(digest)", "cause": "\(error.cause)"])
            throw Self.unread(digest, error.cause)
        }
    }

    /// Reads the object through, with a `pause` behind each part, and notes what it found.
    func verify(
        _ digest: Digest, at location: BlobLocation, _ pause: @Sendable (Int64) async -> Void = { _ in }
    ) async -> Verdict {
        do throws(StoreError) {
            let object = try await blobs.open(location.key)
            let actual = try await object.digest(digest.algorithm, pause)
            guard try await blobs.open(location.key).witness == object.witness else {
                throw StoreError(.unavailable, "\(location.key) changes while it is read")
            }
            if actual == digest {
                try await store.write { (db) throws(StoreError) in
                    try db.confirm(digest, at: location, stamp: object.witness)
                }
                return .same(witness: object.witness)
            }
            log.error("blob is damaged", metadata: ["digest": "\(digest)", "object": "\(location.key)"])
            try await store.write { (db) throws(StoreError) in
                try db.condemn(digest, at: location, stamp: object.witness)
            }
            return .damaged
        } catch {
            log.error("blob cannot be read", metadata: ["digest": "\(digest)", "cause": "\(error.cause)"])
            return .unread(error)
        }
    }

    private static func damaged(_ digest: Digest) -> RegistryError {
        RegistryError(
            .blobUnknown,
            "the stored bytes of \(digest) are damaged and are not served: push the blob again to repair it",
            detail: ["digest": digest.description, "reason": "damaged"])
    }

    private static func unread(_ digest: Digest, _ cause: String) -> RegistryError {
        RegistryError(
            .unavailable,
            "the stored bytes of \(digest) cannot be read now: try again, or push the blob again to repair it",
            detail: ["digest": digest.description, "reason": "unreadable"], cause: cause)
    }
}
