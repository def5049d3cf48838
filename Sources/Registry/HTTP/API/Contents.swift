import Access
import Model
import Service

/// What a repository has: manifests, what refers to them, and blobs.
enum ContentOperations {
    static let operations: [Operation] = [
        .api(
            "manifests.get", .get, "\(RepositoryOperations.one)/manifests/{reference}", .repository(.pull),
            "Shows what a manifest, by tag or digest, says of itself.", gives: .init(200, .manifest),
            failures: [.manifestUnknown, .digestInvalid, .tagInvalid]
        ) { call throws(RegistryError) in
            let text = call.parameters[.reference]
            let reference = try parsing { () throws(ParseError) in try Reference.parse(text) }
            return .json(200, try await call.registry.manifests.view(reference, call.grant()).json)
        },
        .api(
            "manifests.referrers", .get, "\(RepositoryOperations.one)/manifests/{digest}/referrers", .repository(.pull),
            "Shows what refers to a manifest (signatures, bills of materials, attestations), and what refers to that.",
            gives: .init(200, .referrers), failures: [.digestInvalid]
        ) { call throws(RegistryError) in
            let text = call.parameters[.digest]
            let digest = try parsing { () throws(ParseError) in try Digest.parse(text) }
            var json = JSONObject()
            json.put("referrers", try await call.registry.manifests.referrers(of: digest, call.grant()).map(\.json))
            return .json(200, json)
        },
        .api(
            "blobs.list", .get, "\(RepositoryOperations.one)/blobs", .repository(.pull), "Lists a repository's blobs.",
            query: Shape.Member.page(after: .digest), gives: .init(200, .page(of: .blob)),
            failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.registry.manifests.blobs(call.listRequest(), call.grant())
            return call.page(
                found.blobs.map { blob in
                    var json = JSONObject()
                    json.put("digest", blob.digest.description)
                    json.put("size", blob.size)
                    json.put("pushed_at", blob.linkedAt)
                    return json
                }, next: found.next)
        },
    ]
}

extension ManifestView {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("digest", digest.description)
        json.put("media_type", mediaType)
        json.put("artifact_type", artifactType)
        json.put("size", size)
        json.put("content_size", contentBytes)
        json.put("subject", subject?.description)
        json.put("annotations", json: annotations)
        json.put("config", config?.json)
        json.put("layers", layers.map(\.json))
        json.put("manifests", children.map(\.childJSON))
        json.put("truncated", isCut)
        json.put("tags", tags)
        json.put("pushed_at", pushedAt)
        return json
    }
}

extension ManifestView.Part {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("digest", digest.description)
        json.put("size", size)
        return json
    }

    fileprivate var childJSON: JSONObject {
        var json = json
        json.put("os", os)
        json.put("architecture", architecture)
        json.put("variant", variant)
        return json
    }
}

extension ReferrerTree {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("digest", referrer.digest.description)
        json.put("media_type", referrer.mediaType)
        json.put("artifact_type", referrer.artifactType)
        json.put("size", referrer.size)
        json.put("annotations", json: referrer.annotations)
        json.put("referrers", referrers.map(\.json))
        return json
    }
}
