import Model
import Store

extension Registry {
    /// Writes a body to a session's object, hashing it on the way, and keeps what has become durable. `isLast`: the
    /// session ends with this, so that its progress need not be kept. Gives the object's stamp.
    func receive(
        _ body: some ByteSource, at range: ChunkRange?, into session: inout UploadSession, isLast: Bool = false
    ) async throws(RegistryError) -> String {
        try check(range, body.length, session)
        let writer = try await open(session)
        do throws(RegistryError) {
            while let chunks = try await body.next() {
                try await storing { () throws(StoreError) in
                    try await blobs.executor.run { () throws(StoreError) in try writer.append(chunks) }
                }
                try checkSize(writer.offset)
            }
        } catch {
            let wasCut = error.code == .connectionCut || error.code == .requestTimeout
            await settle(writer, in: &session, keeps: wasCut && !isLast)
            throw error
        }
        if let range, writer.offset - session.received != range.count {
            let arrived = writer.offset - session.received
            _ = try await open(session)
            throw RegistryError(
                .sizeInvalid, "Content-Range announces \(range.count) bytes, \(arrived) came: send the chunk again")
        }
        guard isLast else { return try await keep(writer, in: &session) }
        session.received = writer.offset
        session.hash = writer.hash
        return try await storing { () throws(StoreError) in
            try await blobs.executor.run { () throws(StoreError) in try writer.sync() }
        }
    }

    /// After a body that did not come whole: what arrived before a cut stays, for the client to go on from (a last chunk
    /// does not: clients send it again whole). What lies behind a full disk or past the limit is given back at once.
    private func settle(_ writer: any BlobWriter, in session: inout UploadSession, keeps: Bool) async {
        do throws(RegistryError) {
            if keeps { _ = try await keep(writer, in: &session) } else { _ = try await open(session) }
        } catch {
            log.warning(
                "what arrived of an upload is not kept",
                metadata: ["upload": "\(session.id)", "cause": "\(error.message)"])
        }
    }

    /// Opens the session's object at what is durable; what lies behind that is cut off.
    private func open(_ session: UploadSession) async throws(RegistryError) -> any BlobWriter {
        let (key, offset, hash) = (session.key, session.received, session.hash)
        return try await storing { () throws(StoreError) in
            try await blobs.executor.run { [blobs] () throws(StoreError) in
                try blobs.writer(key, offset: offset, hash: hash)
            }
        }
    }

    private func keep(_ writer: any BlobWriter, in session: inout UploadSession) async throws(RegistryError) -> String {
        let previous = session.received
        let stamp = try await storing { () throws(StoreError) in
            try await blobs.executor.run { () throws(StoreError) in try writer.sync() }
        }
        session.received = writer.offset
        session.hash = writer.hash
        let saved = try await storing { [session] () throws(StoreError) in
            try await metadata.save(session, since: previous)
        }
        guard saved else {
            throw RegistryError(.blobUploadUnknown, "the upload has ended meanwhile: begin a new one")
        }
        return stamp
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
