import Model
import Runtime
import Store

extension Registry {
    /// Writes a body to a session's object, hashing it on the way, and keeps what has become durable.
    func receive(
        _ body: some ByteSource, at range: ChunkRange?, into session: inout UploadSession
    ) async throws(RegistryError) {
        let upload = try await fill(body, at: range, &session) { error in
            error.code == .connectionCut || error.code == .requestTimeout
        }
        try await keep(upload, in: &session)
    }

    /// The same for the last of a session's bytes: its progress need not be kept. Gives the object's witness.
    func receiveLast(
        _ body: some ByteSource, at range: ChunkRange?, into session: inout UploadSession
    ) async throws(RegistryError) -> String {
        // A last chunk that was cut off is sent again whole.
        let upload = try await fill(body, at: range, &session) { _ in false }
        session.state = upload.state
        return try await storing { () throws(StoreError) in try await upload.finish() }
    }

    /// Takes a body in. After one that did not come whole, what arrived stays for the client to go on from if the error
    /// `keeps` it; else it is given back at once, as is what lies behind a full disk or past the limit.
    private func fill(
        _ body: some ByteSource, at range: ChunkRange?, _ session: inout UploadSession, keeps: (RegistryError) -> Bool
    ) async throws(RegistryError) -> any BlobUpload {
        try check(range, body.length, session)
        let (key, state) = (session.key, session.state)
        let upload = try await storing { () throws(StoreError) in try await blobs.upload(key, from: state) }
        do throws(RegistryError) {
            while let chunks = try await body.next() {
                try await storing { () throws(StoreError) in try await upload.append(chunks) }
                try checkSize(upload.state.offset)
                if let begun = upload.begun, begun != session.driver { try await note(begun, in: &session) }
            }
            if let range { try check(range, upload.state.offset - session.received) }
        } catch {
            await settle(upload, session, keeps: keeps(error))
            throw error
        }
        return upload
    }

    /// Keeps what a driver has begun, so that it is ended with the session, whatever becomes of this process.
    private func note(_ begun: [UInt8], in session: inout UploadSession) async throws(RegistryError) {
        session.driver = begun
        try await save(&session)
    }

    private func settle(_ upload: any BlobUpload, _ session: UploadSession, keeps: Bool) async {
        do throws(RegistryError) {
            var session = session
            if keeps { return try await keep(upload, in: &session) }
            try await storing { () throws(StoreError) in try await upload.abort() }
        } catch {
            log.warning(
                "what arrived of an upload is not kept",
                metadata: ["upload": "\(session.id)", "cause": "\(error.message)"])
        }
    }

    private func keep(_ upload: any BlobUpload, in session: inout UploadSession) async throws(RegistryError) {
        session.state = try await storing { () throws(StoreError) in try await upload.suspend() }
        try await save(&session)
    }

    private func save(_ session: inout UploadSession) async throws(RegistryError) {
        let saved = try await store.change(session.repository) { [session] (db) throws(StoreError) in
            try db.save(session)
        }
        activity.touch(session.id)
        guard saved else { throw try await overtaken(session) }
        session.fence += 1
    }

    /// Why a session cannot be saved: it has ended, or somebody at another node has written to it meanwhile, and where it is then.
    func overtaken(_ session: UploadSession) async throws(RegistryError) -> RegistryError {
        let now = try await storing { [store] () throws(StoreError) in
            try await store.read { (db) throws(StoreError) in
                try db.session(session.id, in: session.repository, of: session.principal)
            }
        }
        guard let now else {
            return RegistryError(.blobUploadUnknown, "the upload has ended meanwhile: begin a new one")
        }
        return RegistryError(
            .chunkOutOfOrder,
            "another request has written to this upload meanwhile: the next chunk begins at byte \(now.received)",
            detail: ["received": "\(now.received)"])
    }

    private func check(_ range: ChunkRange, _ arrived: Int64) throws(RegistryError) {
        guard arrived == range.count else {
            throw RegistryError(
                .sizeInvalid, "Content-Range announces \(range.count) bytes, \(arrived) came: send the chunk again")
        }
    }

    private func check(_ range: ChunkRange?, _ length: Int64?, _ session: UploadSession) throws(RegistryError) {
        if let range {
            guard range.first == session.received else {
                throw RegistryError(
                    .chunkOutOfOrder, "the next chunk begins at byte \(session.received), not \(range.first)",
                    detail: ["received": "\(session.received)"])
            }
            guard length == nil || length == range.count else {
                throw RegistryError(
                    .sizeInvalid, "Content-Range announces \(range.count) bytes, Content-Length \(length ?? 0)")
            }
        }
        let (total, overflow) = session.received.addingReportingOverflow(length ?? 0)
        try checkSize(overflow ? .max : total)
    }

    private func checkSize(_ size: Int64) throws(RegistryError) {
        guard size <= limits.blob, size < .max else {
            throw RegistryError(.blobTooLarge, "blobs of over \(limits.blob) bytes are not taken here")
        }
    }
}
