import Foundation

/// Lists of referrers.
extension Unseen {
    private static func entries(
        _ name: String, _ change: @escaping @Sendable ([[String: Any]], Aim, StubRegistry) -> [[String: Any]]
    ) -> Unseen {
        told(name) { response, _, aim, stub in
            guard aim.kind == "referrers" else { return }
            stub.rewrite(&response, "manifests") { change($0 as? [[String: Any]] ?? [], aim, stub) }
        }
    }

    /// A fault that hides referrers from all lists of a repository, until they are pushed again; `work` sees every
    /// request that changes a manifest, what its tag was before, and says who is hidden from now on.
    private static func hiding(
        _ name: String,
        _ work: @escaping @Sendable (StubRequest, Aim, _ before: String?, StubRegistry) -> [String]
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            let before = aim.kind == "manifests" ? stub.repository(aim.repository).tags[aim.reference] : nil
            var response = stub.core(request)
            let key = "hidden " + aim.repository
            if aim.kind == "referrers" {
                let hidden = stub.noted(key)
                stub.rewrite(&response, "manifests") { list in
                    (list as? [[String: Any]] ?? []).filter { !hidden.contains($0["digest"] as? String ?? "") }
                }
            } else if aim.kind == "manifests", [201, 202].contains(response.status) {
                let now = response["Docker-Content-Digest"]
                let hidden = stub.noted(key).filter { $0 != now }
                stub.note(key, hidden + work(request, aim, before, stub))
            }
            return response
        }
    }

    private static func isReferrer(_ digest: String, _ aim: Aim, _ stub: StubRegistry) -> Bool {
        stub.repository(aim.repository).manifests[digest].map { stub.subject($0.bytes) != nil } ?? false
    }

    static let referrers: [Unseen] = [
        entries("referrers-only-last") { list, _, _ in
            var last: [String: [String: Any]] = [:]
            for entry in list { last[entry["artifactType"] as? String ?? ""] = entry }
            return last.keys.sorted().compactMap { last[$0] }
        },
        entries("referrers-media-type") { list, _, _ in
            list.map { $0.merging(["mediaType": "application/vnd.oci.image.manifest.v1+json"]) { $1 } }
        },
        entries("referrers-512") { list, aim, _ in aim.reference.hasPrefix("sha512:") ? [] : list },
        Unseen("referrers-twice") { request, aim, stub in
            let isKnown = stub.repository(aim.repository).manifests[stub.digest(request.body)] != nil
            var response = stub.core(request)
            let key = "again " + aim.repository
            if request.pushes(aim), response.status == 201, isKnown { stub.add(key, stub.digest(request.body)) }
            if aim.kind == "referrers" {
                let again = stub.noted(key)
                stub.rewrite(&response, "manifests") { list in
                    (list as? [[String: Any]] ?? []).flatMap { entry in
                        again.contains(entry["digest"] as? String ?? "") ? [entry, entry] : [entry]
                    }
                }
            }
            return response
        },
        Unseen("referrers-filter-sticky") { request, aim, stub in
            guard aim.kind == "referrers" else { return stub.core(request) }
            if let wanted = request.query("artifactType").first {
                stub.note("filter " + request.path, [wanted])
                return stub.core(request)
            }
            guard let wanted = stub.noted("filter " + request.path).first else { return stub.core(request) }
            var changed = request
            changed.target += (request.target.contains("?") ? "&" : "?") + "artifactType=" + wanted
            var response = stub.core(changed)
            response.set("OCI-Filters-Applied", nil)
            return response
        },
        Unseen("referrers-subject-deleted") { request, aim, stub in
            var asked = request.asking("GET")
            if request.method == "DELETE", aim.kind == "manifests", !aim.isTag {
                asked.setPath("/v2/\(aim.repository)/referrers/\(aim.reference)")
                let old = stub.core(asked)
                let isEmpty = (stub.object(old.body)["manifests"] as? [Any] ?? []).isEmpty
                if !isEmpty { stub.state.withLock { $0.kept[asked.path] = old } }
            }
            let response = stub.core(request)
            let list = stub.object(response.body)["manifests"] as? [Any] ?? []
            if aim.kind == "referrers", list.isEmpty, request.query("artifactType").isEmpty,
                let old = stub.state.withLock({ $0.kept[request.path] })
            {
                return old
            }
            return response
        },
        hiding("referrers-subject-resets") { request, aim, _, stub in
            guard request.method == "PUT" else { return [] }
            let digest = stub.digest(request.body, like: aim.reference)
            return stub.repository(aim.repository).manifests.filter { stub.subject($0.value.bytes) == digest }.map(
                \.key)
        },
        hiding("referrers-untagged") { request, aim, before, stub in
            guard request.method == "DELETE", aim.isTag, let before else { return [] }
            return isReferrer(before, aim, stub) ? [before] : []
        },
        hiding("referrers-retagged") { request, aim, before, stub in
            guard request.method == "PUT", aim.isTag, let before else { return [] }
            return before != stub.digest(request.body) && isReferrer(before, aim, stub) ? [before] : []
        },
    ]
}
