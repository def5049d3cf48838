import Harness
import NIOCore
import Vocabulary

extension RegistryClient {
    /// All kinds of manifest, each `Accept` on a line of its own as docker sends them.
    static let manifestTypes = [
        MediaType.ociIndex, MediaType.ociManifest, MediaType.dockerManifestList, MediaType.dockerManifest,
    ].map { "Accept: " + $0 }

    func ping(_ session: Session) async throws(Failure) {
        _ = try await send(Call(operation: .ping, method: "GET", path: "/v2/", scope: ""), session)
    }

    /// - Parameter digest: compared with the hash of what came, where known.
    func manifest(
        _ repository: String, _ reference: String, digest: String? = nil, keeping: Request.Keeping, _ session: Session
    ) async throws(Failure) -> Answer {
        try await send(
            Call(
                operation: .manifestGet, method: "GET", path: "/v2/\(repository)/manifests/\(reference)",
                scope: "repository:\(repository):pull", fields: Self.manifestTypes, keeping: keeping, digest: digest),
            session)
    }

    func headManifest(_ repository: String, _ reference: String, _ session: Session) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .manifestHead, method: "HEAD", path: "/v2/\(repository)/manifests/\(reference)",
                scope: "repository:\(repository):pull", fields: Self.manifestTypes), session)
    }

    func putManifest(_ image: Image, _ session: Session) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .manifestPut, method: "PUT", path: "/v2/\(image.repository)/manifests/\(image.tag)",
                scope: "repository:\(image.repository):pull,push", fields: ["Content-Type: " + MediaType.ociManifest],
                body: .bytes(image.manifest), accepts: [201]), session)
        session.uploads.stored()
    }

    func deleteManifest(_ repository: String, _ reference: String, _ session: Session) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .manifestDelete, method: "DELETE", path: "/v2/\(repository)/manifests/\(reference)",
                scope: "repository:\(repository):delete", accepts: [202, 200, 404]), session)
    }

    func blob(
        _ repository: String, _ digest: String, size: Int?, verifies: Bool, _ session: Session
    ) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .blobGet, method: "GET", path: "/v2/\(repository)/blobs/\(digest)",
                scope: "repository:\(repository):pull", keeping: verifies ? .digest : .nothing, length: size,
                digest: verifies ? digest : nil), session)
    }

    /// `false` when the repository lacks it.
    func hasBlob(
        _ repository: String, _ digest: String, actions: String = "pull", _ session: Session
    ) async throws(Failure) -> Bool {
        let answer = try await send(
            Call(
                operation: .blobHead, method: "HEAD", path: "/v2/\(repository)/blobs/\(digest)",
                scope: "repository:\(repository):\(actions)", accepts: [200, 404]), session)
        return answer.status == 200
    }

    func deleteBlob(_ repository: String, _ digest: String, _ session: Session) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .blobDelete, method: "DELETE", path: "/v2/\(repository)/blobs/\(digest)",
                scope: "repository:\(repository):delete", accepts: [202, 200, 404]), session)
    }

    /// Links a blob of another repository; `false` when the registry would rather have it uploaded.
    func mount(
        _ digest: String, from source: String, into repository: String, _ session: Session
    ) async throws(Failure) -> Bool {
        let query = "mount=\(queryEscaped(digest))&from=\(queryEscaped(source))"
        let answer = try await send(
            Call(
                operation: .blobMount, method: "POST", path: "/v2/\(repository)/blobs/uploads/?\(query)",
                scope: "repository:\(repository):pull,push repository:\(source):pull", accepts: [201, 202]), session)
        session.uploads.stored()
        guard answer.status == 202 else { return true }
        let upload = try place(answer, "/v2/\(repository)/blobs/uploads/")
        session.uploads.goesOn(at: upload)
        try await cancel(upload, session)
        return false
    }

    /// Ends an upload that will not become a blob. A registry that cannot do that is no failure.
    func cancel(_ upload: String, _ session: Session) async throws(Failure) {
        _ = try await send(
            Call(
                operation: .uploadOther, method: "DELETE", path: upload, scope: Location.uploadScope(upload),
                accepts: [204, 200, 202, 404, 405]), session)
        session.uploads.ended(upload)
    }

    /// Uploads as podman and skopeo do: POST, a streamed PATCH, PUT; or, as ctr does, POST and one PUT.
    func upload(
        _ body: Request.Body, digest: String, to repository: String, inOne: Bool, _ session: Session
    ) async throws(Failure) {
        let scope = "repository:\(repository):pull,push"
        let start = "/v2/\(repository)/blobs/uploads/"
        let started = try await send(
            Call(operation: .uploadStart, method: "POST", path: start, scope: scope, accepts: [202]), session)
        var path = try place(started, start)
        session.uploads.goesOn(at: path)
        let type = ["Content-Type: " + MediaType.octetStream]
        if !inOne {
            let patched = try await send(
                Call(
                    operation: .uploadPatch, method: "PATCH", path: path, scope: scope, fields: type, body: body,
                    accepts: [202]), session)
            let next = try place(patched, path)
            session.uploads.goesOn(at: next, after: path)
            path = next
        }
        _ = try await send(
            Call(
                operation: .uploadPut, method: "PUT",
                path: Address.adding("digest=" + queryEscaped(digest), to: path), scope: scope, fields: type,
                body: inOne ? body : .none, accepts: [201]), session)
        session.uploads.ended(path)
    }

    /// The first page of a list.
    ///
    /// A registry without referrers answers 404, which clients take for an empty list.
    func list(_ operation: Operation, _ path: String, scope: String, _ session: Session) async throws(Failure) {
        let accepts = operation == .referrers ? [200, 404] : [200]
        _ = try await send(
            Call(operation: operation, method: "GET", path: path, scope: scope, accepts: accepts), session)
    }

    /// The path that `Location` tells, on the target itself.
    func place(_ answer: Answer, _ path: String) throws(Failure) -> String {
        guard let reference = answer.head.value("Location"),
            let place = Location.resolve(reference, against: endpoint, path: path)
        else { throw .unusable }
        guard place.endpoint == endpoint else { throw .foreignHost }
        return place.path
    }
}
