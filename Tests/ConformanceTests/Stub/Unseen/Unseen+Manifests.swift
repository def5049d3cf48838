import Foundation

/// Manifests: their bytes, their pushes and what goes with a deletion.
extension Unseen {
    /// A fault of a deletion by digest: told what was deleted, and changes the repository behind it.
    private static func deleted(
        _ name: String,
        _ change:
            @escaping @Sendable (inout StubRegistry.Repository, StubRegistry.StubManifest, StubRegistry) -> Void
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            let old = stub.repository(aim.repository).manifests[aim.reference]
            let response = stub.core(request)
            if request.method == "DELETE", aim.kind == "manifests", response.status == 202, let old {
                var repository = stub.repository(aim.repository)
                change(&repository, old, stub)
                stub.change(aim.repository) { $0 = repository }
            }
            return response
        }
    }

    /// Blobs under `key` go with a manifest although another one names them.
    private static func shared(_ name: String, _ key: String) -> Unseen {
        deleted(name) { repository, old, stub in
            let left = Set(repository.manifests.values.flatMap { stub.digests($0.bytes, key) })
            for digest in stub.digests(old.bytes, key) where left.contains(digest) { repository.blobs[digest] = nil }
        }
    }

    static let deletions: [Unseen] = [
        shared("config-shared-delete", "config"), shared("layer-shared-delete", "layers"),
        Unseen("manifest-delete-everywhere") { request, aim, stub in
            let response = stub.core(request)
            guard request.method == "DELETE", aim.kind == "manifests", !aim.isTag, response.status == 202 else {
                return response
            }
            for name in stub.state.withLock({ Array($0.repositories.keys) }) {
                stub.change(name) { repository in
                    repository.manifests[aim.reference] = nil
                    repository.tags = repository.tags.filter { $0.value != aim.reference }
                }
            }
            return response
        },
        Unseen("manifest-as-blob-delete") { request, aim, stub in
            if request.method == "DELETE", aim.kind == "blobs",
                stub.repository(aim.repository).manifests[aim.reference] != nil
            {
                stub.change(aim.repository) { repository in
                    repository.manifests[aim.reference] = nil
                    repository.tags = repository.tags.filter { $0.value != aim.reference }
                }
                return StubResponse(202)
            }
            return stub.core(request)
        },
        Unseen("tag-of-digest-delete") { request, aim, stub in
            guard aim.kind == "manifests" else { return stub.core(request) }
            if request.isPull, let old = stub.state.withLock({ $0.kept[request.path] }) { return old }
            if request.method != "HEAD", request.method != "GET" {
                stub.state.withLock { $0.kept[request.path] = nil }
            }
            let tags = stub.repository(aim.repository).tags.filter { $0.value == aim.reference }.keys.sorted()
            guard request.method == "DELETE", tags.count > 1 else { return stub.core(request) }
            var second = request.asking("GET")
            second.aim(aim, reference: tags[1])
            let old = stub.core(second)
            let response = stub.core(request)
            if response.status == 202 { stub.state.withLock { $0.kept[second.path] = old } }
            return response
        },
        Unseen("head-after-delete") { request, aim, stub in
            guard aim.kind == "manifests" else { return stub.core(request) }
            if request.method == "HEAD", let old = stub.state.withLock({ $0.kept.removeValue(forKey: request.path) }) {
                return old
            }
            let old = stub.core(request.asking("HEAD"))
            let response = stub.core(request)
            if request.method == "DELETE", response.status == 202 {
                stub.state.withLock { $0.kept[request.path] = old }
            }
            return response
        },
        told("push-again-after-delete") { response, request, aim, stub in
            guard aim.kind == "manifests" else { return }
            let digest = aim.isTag ? stub.repository(aim.repository).tags[aim.reference] ?? "" : aim.reference
            if request.method == "DELETE", !aim.isTag, response.status == 202 {
                stub.add("dead", aim.repository + digest)
            }
            if request.isPull, stub.noted("dead").contains(aim.repository + digest) {
                response = stub.error(404, "MANIFEST_UNKNOWN")
            }
        },
    ]

    static let manifests: [Unseen] = [
        told("body-large-cut") { response, request, aim, _ in
            if request.method == "GET", aim.kind == "manifests", response.status == 200 {
                response.body = Array(response.body.prefix(65_536))
            }
        },
        told("body-newline") { response, request, aim, _ in
            guard request.isPull, aim.kind == "manifests", response.status == 200, response.body.last == 10 else {
                return
            }
            response.body.removeLast()
            if request.method == "HEAD" { response.set("Content-Length", String(response.body.count)) }
        },
        told("head-length-index") { response, request, aim, _ in
            if request.method == "HEAD", aim.kind == "manifests", !aim.isTag,
                response["Content-Type"]?.contains("index") == true
            {
                response.set("Content-Length", String(response.body.count - 1))
            }
        },
        told("type-of-digest-lost") { response, request, aim, stub in
            guard aim.kind == "manifests", !aim.isTag else { return }
            if request.method == "PUT", response.status == 201 { stub.add("by digest", request.path) }
            if request.isPull, response.status == 200, stub.noted("by digest").contains(request.path) {
                response.set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
            }
        },
        told("manifest-512-header") { response, request, aim, stub in
            if request.isPull, aim.kind == "manifests", aim.reference.hasPrefix("sha512:"), response.status == 200 {
                response.set("Docker-Content-Digest", stub.digest([9]))
            }
        },
        read("digest-upper") { request, aim, _ in
            if request.isPull, ["blobs", "manifests"].contains(aim.kind), aim.reference.contains(":") {
                request.aim(aim, reference: aim.reference.lowercased())
            }
        },
        read("digest-prefix") { request, aim, stub in
            guard request.isPull, aim.reference.hasPrefix("sha256:"), aim.reference.count > 12 else { return }
            let repository = stub.repository(aim.repository)
            let known = aim.kind == "blobs" ? Array(repository.blobs.keys) : Array(repository.manifests.keys)
            if let whole = known.sorted().first(where: { $0.hasPrefix(aim.reference) }) {
                request.aim(aim, reference: whole)
            }
        },
        told("index-child-by-tag") { response, request, aim, stub in
            guard aim.kind == "manifests" else { return }
            if request.method == "PUT", response.status == 201 {
                for child in stub.digests(request.body, "manifests") { stub.add("children " + aim.repository, child) }
            }
            if request.isPull, stub.noted("children " + aim.repository).contains(aim.reference),
                !stub.repository(aim.repository).tags.values.contains(aim.reference)
            {
                response = stub.error(404, "MANIFEST_UNKNOWN")
            }
        },
    ]

    /// A fault behind a push of a manifest: told its digest, and changes the repository.
    private static func pushed(
        _ name: String,
        _ change:
            @escaping @Sendable (inout StubRegistry.Repository, StubRequest, _ digest: String, Aim, StubRegistry) ->
            Void
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            let response = stub.core(request)
            guard request.pushes(aim), response.status == 201 else { return response }
            var repository = stub.repository(aim.repository)
            change(&repository, request, response["Docker-Content-Digest"] ?? "", aim, stub)
            stub.change(aim.repository) { $0 = repository }
            return response
        }
    }

    static let pushes: [Unseen] = [
        pushed("index-nested-lost") { repository, request, digest, _, stub in
            let children = stub.object(request.body)["manifests"] as? [[String: Any]] ?? []
            guard children.contains(where: { ($0["mediaType"] as? String)?.contains("index") == true }) else { return }
            repository.manifests[digest] = nil
            repository.tags = repository.tags.filter { $0.value != digest }
        },
        pushed("push-deletes-sibling") { repository, request, digest, aim, stub in
            let children = stub.digests(request.body, "manifests")
            guard !children.isEmpty else { return }
            let key = "children " + aim.repository
            for old in stub.noted(key) where !children.contains(old) {
                repository.manifests[old] = nil
                repository.tags = repository.tags.filter { $0.value != old }
            }
            stub.note(key, children)
        },
        pushed("manifest-512-by-256") { repository, request, digest, _, stub in
            guard digest.hasPrefix("sha512:") else { return }
            repository.manifests[stub.digest(request.body)] = repository.manifests.removeValue(forKey: digest)
        },
        pushed("push-by-digest-then-tag") { repository, _, digest, aim, stub in
            let key = aim.repository + digest
            if !aim.isTag { return stub.add("by digest", key) }
            if stub.noted("by digest").contains(key) { repository.tags[aim.reference] = nil }
        },
        Unseen("push-mismatch-known") { request, aim, stub in
            let real = stub.digest(request.body)
            if request.pushes(aim), !aim.isTag, stub.isDigest(aim.reference),
                stub.repository(aim.repository).manifests[real] != nil
            {
                return StubResponse(
                    201, [("Location", request.path), ("Docker-Content-Digest", aim.reference)])
            }
            return stub.core(request)
        },
        told("put-digest-canonical") { response, request, aim, stub in
            guard request.pushes(aim), response.status == 201 else { return }
            let digest = stub.digest(request.body.filter { ![9, 10, 13, 32].contains($0) }, like: aim.reference)
            response.set("Docker-Content-Digest", digest)
        },
    ]
}
