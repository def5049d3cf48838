import Foundation

/// What tags do, and what is told of them.
extension Unseen {
    private static func digest(_ aim: Aim, _ stub: StubRegistry) -> String? {
        stub.repository(aim.repository).tags[aim.reference]
    }

    /// A fault of a push to a tag: told what the tag was before, and changes the repository behind it.
    private static func moved(
        _ name: String,
        _ change:
            @escaping @Sendable (inout StubRegistry.Repository, _ before: String?, _ now: String, Aim, StubRegistry) ->
            Void
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            guard request.pushes(aim), aim.isTag else { return stub.core(request) }
            let before = digest(aim, stub)
            let response = stub.core(request)
            guard response.status == 201, let now = digest(aim, stub) else { return response }
            var repository = stub.repository(aim.repository)
            change(&repository, before, now, aim, stub)
            stub.change(aim.repository) { $0 = repository }
            return response
        }
    }

    private static func renamed(_ name: String, _ change: @escaping @Sendable (String) -> String) -> Unseen {
        read(name) { request, aim, _ in
            if aim.kind == "manifests", aim.isTag { request.aim(aim, reference: change(aim.reference)) }
        }
    }

    static let tags: [Unseen] = [
        renamed("tag-long-cut") { String($0.prefix(64)) },
        renamed("tag-dot-strip") { $0.hasSuffix(".") && $0.count > 1 ? String($0.dropLast()) : $0 },
        Unseen("tag-delete-both") { request, aim, stub in
            let old = digest(aim, stub)
            let response = stub.core(request)
            if request.method == "DELETE", aim.kind == "manifests", aim.isTag, response.status == 202 {
                stub.change(aim.repository) { $0.tags = $0.tags.filter { $0.value != old } }
            }
            return response
        },
        moved("tag-retag-back") { repository, _, now, aim, stub in
            let key = "went \(aim.repository) \(aim.reference)"
            let went = stub.noted(key)
            stub.add(key, now)
            if went.count >= 2, went[went.count - 2] == now, let last = went.last, repository.manifests[last] != nil {
                repository.tags[aim.reference] = last
            }
        },
        moved("tag-move-same-size") { repository, before, now, aim, _ in
            guard let before, let old = repository.manifests[before], let new = repository.manifests[now] else {
                return
            }
            if old.bytes.count == new.bytes.count { repository.tags[aim.reference] = before }
        },
        Unseen("tag-delete-then-push-old") { request, aim, stub in
            guard aim.kind == "manifests", aim.isTag else { return stub.core(request) }
            let (old, key) = (digest(aim, stub), "old \(aim.repository) \(aim.reference)")
            let response = stub.core(request)
            if request.method == "DELETE", response.status == 202, let old { stub.note(key, [old]) }
            if request.method == "PUT", response.status == 201, let first = stub.noted(key).first {
                stub.change(aim.repository) { if $0.manifests[first] != nil { $0.tags[aim.reference] = first } }
                stub.note(key, [])
            }
            return response
        },
        Unseen("tag-across-repositories") { request, aim, stub in
            let old = digest(aim, stub)
            let response = stub.core(request)
            guard request.pushes(aim), aim.isTag, response.status == 201, let old,
                let now = digest(aim, stub), now != old, let manifest = stub.repository(aim.repository).manifests[now]
            else { return response }
            for name in stub.state.withLock({ Array($0.repositories.keys) }) {
                stub.change(name) { repository in
                    guard repository.tags[aim.reference] != nil else { return }
                    repository.tags[aim.reference] = now
                    repository.manifests[now] = manifest
                }
            }
            return response
        },
        Unseen("race-two-tags") { request, aim, stub in
            guard request.pushes(aim), aim.isTag else { return stub.core(request) }
            let before = stub.repository(aim.repository).tags
            // The fault itself, for no test to wait by: between its reading and its writing another push has time to come.
            Thread.sleep(forTimeInterval: 0.02)
            let response = stub.core(request)
            stub.change(aim.repository) { $0.tags = before.merging($0.tags.filter { $0.key == aim.reference }) { $1 } }
            return response
        },
        moved("repository-first-push") { repository, _, _, _, _ in
            if repository.manifests.count == 1 { repository.blobs = [:] }
        },
        Unseen("repository-delete-by-last") { request, aim, stub in
            let response = stub.core(request)
            if request.method == "DELETE", aim.kind == "manifests", aim.isTag, response.status == 202 {
                stub.change(aim.repository) { if $0.tags.isEmpty { $0.blobs = [:] } }
            }
            return response
        },
    ]

    static let tagAnswers: [Unseen] = [
        Unseen("etag-shared-two-tags") { request, aim, stub in
            let repository = stub.repository(aim.repository)
            if request.isPull, aim.kind == "manifests", aim.isTag, repository.tags[aim.reference] != nil,
                let known = request.header("If-None-Match"),
                repository.manifests.keys.contains(where: { known.contains($0) })
            {
                return StubResponse(304, [("ETag", known)])
            }
            return stub.core(request)
        },
        told("head-stale-after-retag") { response, request, aim, stub in
            guard request.method == "HEAD", aim.kind == "manifests", aim.isTag, response.status == 200 else { return }
            if let first = stub.noted("head " + request.path).first {
                response.set("Docker-Content-Digest", first)
            } else if let now = response["Docker-Content-Digest"] {
                stub.note("head " + request.path, [now])
            }
        },
        told("head-type-plain") { response, request, aim, stub in
            if request.pushes(aim), response.status == 201 {
                stub.note("type " + aim.repository, [request.header("Content-Type") ?? ""])
            }
            guard request.method == "HEAD", aim.kind == "manifests", aim.isTag, response.status == 200 else { return }
            response.set("Content-Type", stub.noted("type " + aim.repository).last)
        },
        Unseen("get-stale-once") { request, aim, stub in
            guard aim.kind == "manifests", aim.isTag else { return stub.core(request) }
            if request.method == "GET",
                let old = stub.state.withLock({ $0.kept.removeValue(forKey: request.path) })
            {
                return old
            }
            let old = request.method == "PUT" ? stub.core(request.asking("GET")) : StubResponse(404)
            let response = stub.core(request)
            if response.status == 201, old.status == 200, old["Docker-Content-Digest"] != digest(aim, stub) {
                stub.state.withLock { $0.kept[request.path] = old }
            }
            return response
        },
        told("type-sticks-to-tag") { response, request, aim, stub in
            guard aim.kind == "manifests", aim.isTag else { return }
            let key = "type " + request.path
            if request.method == "DELETE" { stub.note(key, []) }
            if request.method == "PUT", response.status == 201, stub.noted(key).isEmpty {
                stub.note(key, [request.header("Content-Type") ?? ""])
            }
            if request.isPull, response.status == 200, let type = stub.noted(key).first {
                response.set("Content-Type", type)
            }
        },
    ]
}
