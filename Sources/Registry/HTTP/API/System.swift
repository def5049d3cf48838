import Access
import Model
import Service

/// `/api/v1/system`, and `/api/v1/openapi.json` and `/api/docs`: what there is below `/api/v1/`, for programs and for people.
enum SystemOperations {
    static let operations: [Operation] = [
        .api(
            "system.document", .get, "/api/v1/openapi.json", .anybody, "Describes this API.",
            gives: .init(200, .anything)
        ) { _ throws(RegistryError) in
            Response(
                200, [("Content-Type", "application/json"), ("Cache-Control", "no-cache")],
                .bytes(OperationTable.document))
        },
        Operation(.get, "/api/docs", .anybody, answers: [200], rate: .read, spec: "system.page") {
            _ throws(RegistryError) in
            Response(
                200,
                [
                    ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-cache"),
                    (
                        "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
                    ), ("X-Content-Type-Options", "nosniff"),
                ], .bytes(OperationTable.page))
        },
        .api(
            "system.info", .get, "\(system)/info", .registry(.account), "Shows what this registry is.",
            gives: .init(200, .systemInfo)
        ) { call throws(RegistryError) in
            var json = JSONObject()
            json.put("version", call.settings.version)
            json.put("url", call.settings.url)
            json.put("service", call.accounts.tokens.service)
            json.put("deletes", call.registry.limits.deletes)
            json.put("restore_seconds", call.registry.limits.restoreTime.components.seconds)
            json.put("largest_manifest", Int64(call.registry.limits.manifest))
            return .json(200, json)
        },
        .api(
            "system.health", .get, "\(system)/health", .registry(.administer), "Shows whether each part works.",
            gives: .init(200, .page(of: .component))
        ) { call throws(RegistryError) in
            call.whole(await call.registry.components().map(\.json))
        },
        .api(
            "system.settings", .get, "\(system)/settings", .registry(.administer), "Lists what the operator has set.",
            gives: .init(200, .page(of: .setting))
        ) { call throws(RegistryError) in
            call.whole(
                call.settings.shown.map { setting in
                    var json = JSONObject()
                    json.put("name", setting.key)
                    json.put("value", setting.value)
                    return json
                })
        },
        .api(
            "system.statistics", .get, "\(system)/statistics", .registry(.administer), "Shows how much there is.",
            gives: .init(200, .statistics)
        ) { call throws(RegistryError) in
            let found = try await call.registry.statistics(call.registryGrant())
            var json = JSONObject()
            json.put("users", found.users)
            json.put("organizations", found.organizations)
            json.put("repositories", found.repositories)
            json.put("bytes", found.bytes)
            json.put("uploads", found.uploads)
            return .json(200, json)
        },
        .api(
            "system.collectable", .get, "\(system)/collection", .registry(.administer),
            "Lists what a collection will take, when and why; changes nothing.",
            query: Shape.Member.page(after: .reviewed), gives: .init(200, .page(of: .collectable))
        ) { call throws(RegistryError) in
            let (found, next) = try await call.registry.collectable(call.listRequest(), call.registryGrant())
            return call.page(found.map(\.json), next: next)
        },
        .api(
            "system.collect", .post, "\(system)/collection", .registry(.administer),
            "Collects now what nothing refers to any more, as the registry does by and by.",
            gives: .init(200, .collection)
        ) { call throws(RegistryError) in
            let (result, isDone) = try await call.registry.collect(call.registryGrant())
            var json = JSONObject()
            json.put("reviewed", Int64(result.reviewed))
            json.put("blobs", Int64(result.blobs))
            json.put("manifests", Int64(result.manifests))
            json.put("bytes", result.bytes)
            json.put("done", isDone)
            return .json(200, json)
        },
    ]

    private static let system = "/api/v1/system"
}

extension CollectionCandidate {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("repository", repository.description)
        json.put("digest", digest.description)
        json.put("kind", isManifest ? "manifest" : "blob")
        json.put("size", size)
        json.put("since", since)
        json.put("goes_at", end)
        json.put("due", isDue)
        json.put("reason", reason)
        return json
    }
}

extension Component {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("name", name)
        json.put("works", fault == nil)
        json.put("detail", fault)
        return json
    }
}
