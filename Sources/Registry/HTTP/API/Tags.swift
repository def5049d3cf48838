import Access
import Model
import Service

/// `/api/v1/repositories/{repository}/tags`.
enum TagOperations {
    static let operations: [Operation] = [
        .api(
            "tags.list", .get, tags, .repository(.pull), "Lists the tags of a repository, in the order of their names.",
            query: [.search] + Shape.Member.page, gives: .init(200, .page(of: .tag))
        ) { call throws(RegistryError) in
            let found = try await call.registry.tags.details(
                containing: call.request.query["q"] ?? "", call.listRequest(), call.grant())
            return call.page(found.tags.map(\.json), next: found.next)
        },
        .api("tags.get", .get, one, .repository(.pull), "Shows a tag.", gives: .init(200, .tag), failures: failures) {
            call throws(RegistryError) in
            .json(200, try await call.registry.tags.get(call.tag(), call.grant()).json)
        },
        .api(
            "tags.delete", .delete, one, .repository(.delete), "Deletes a tag; what it points to stays.", gives: 204,
            failures: failures + [.methodNotAllowed]
        ) { call throws(RegistryError) in
            try call.demandDeletes()
            try await call.registry.manifests.delete(.tag(call.tag()), call.grant())
            return Response(204)
        },
        .api(
            "tags.history", .get, "\(one)/history", .repository(.pull),
            "Lists where a tag has pointed, newest first, also of one that was deleted. The last 64 moves are kept.",
            gives: .init(200, .page(of: .tagMove)), failures: failures
        ) { call throws(RegistryError) in
            call.whole(try await call.registry.tags.history(call.tag(), call.grant()).map(\.json))
        },
        .api(
            "tags.restore", .post, "\(one)/restore", .repository(.push),
            "Points a tag to a manifest that the repository has, such as one of its history.", takes: .tagTarget,
            gives: .init(200, .tag), failures: failures + [.digestInvalid], restore),
    ]

    private static let tags = "\(RepositoryOperations.one)/tags"
    private static let one = "\(RepositoryOperations.one)/tags/{tag}"
    private static let failures: [RegistryError.Code] = [.manifestUnknown]

    @Sendable private static func restore(_ call: Call) async throws(RegistryError) -> Response {
        let text = try await call.fields().required("digest")
        let digest = try parsing { () throws(ParseError) in try Digest.parse(text) }
        return .json(200, try await call.registry.tags.restore(call.tag(), to: digest, call.grant()).json)
    }
}

extension Call {
    /// The tag in the path: of what is no tag there is none. Throws `.manifestUnknown`.
    fileprivate func tag() throws(RegistryError) -> Tag {
        do throws(ParseError) {
            return try Tag.parse(parameters[.tag])
        } catch {
            throw RegistryError(.manifestUnknown, error.message)
        }
    }
}

extension TagInfo {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("name", details.name)
        json.put("digest", details.digest.description)
        json.put("media_type", details.mediaType)
        json.put("artifact_type", details.artifactType)
        json.put("size", details.size)
        json.put(
            "platforms",
            platforms.map { platform in
                var json = JSONObject()
                json.put("os", platform.os)
                json.put("architecture", platform.architecture)
                json.put("variant", platform.variant)
                json.put("digest", platform.digest.description)
                json.put("size", platform.size)
                return json
            })
        json.put("pushed_at", details.movedAt)
        json.put("pushed_by", movedBy)
        json.put("pulled_at", details.pulledAt)
        return json
    }
}

extension TagMoveInfo {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("digest", move.digest?.description)
        json.put("available", move.isThere)
        json.put("by", by)
        json.put("at", move.at)
        return json
    }
}
