import Foundation

extension StubManagement {
    private func held(_ name: String) -> StubRegistry.Repository {
        content.state.withLock { $0.repositories[name] } ?? StubRegistry.Repository()
    }

    private func parsed(_ manifest: StubRegistry.StubManifest?) -> [String: Any] {
        guard let bytes = manifest?.bytes else { return [:] }
        do {
            return try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
        } catch {
            return [:]
        }
    }

    private func parts(_ manifest: [String: Any], _ name: String) -> [[String: Any]] {
        (manifest[name] as? [[String: Any]] ?? []).map { ["digest": $0["digest"] ?? "", "size": $0["size"] ?? 0] }
    }

    private func size(_ manifest: [String: Any]) -> Int {
        let config = (manifest["config"] as? [String: Any])?["size"] as? Int ?? 0
        return config + parts(manifest, "layers").reduce(0) { $0 + ($1["size"] as? Int ?? 0) }
    }

    private func json(tag: String, _ info: StubRepositoryInfo, _ held: StubRegistry.Repository) -> [String: Any] {
        var digest = held.tags[tag] ?? ""
        let manifest = held.manifests[digest]
        if has(.tagDigestOld) { digest = info.history[tag]?.last?.digest.map { String($0.dropLast()) + "0" } ?? digest }
        return [
            "name": tag, "digest": digest, "media_type": manifest?.type ?? "", "artifact_type": NSNull(),
            "size": (manifest?.bytes.count ?? 0) + size(parsed(manifest)), "platforms": [[String: Any]](),
            "pushed_at": StubJSON.time(info.history[tag]?.first?.at ?? info.created), "pulled_at": NSNull(),
            "pushed_by": has(.pushedByNobody) ? NSNull() : (info.pushedBy[tag] ?? "") as Any,
        ]
    }

    func contents(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        let name = call["repository"]
        guard let info = state.repositories[name] else { return absent("repository \(name)") }
        let held = held(name)
        switch call.operation {
        case "tags.list":
            let part = call.query("q") ?? ""
            let names = held.tags.keys.filter { part.isEmpty || $0.contains(part) }
                .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            return page(call, names.map { ($0, json(tag: $0, info, held)) })
        case "blobs.list":
            let blobs = held.blobs.sorted { $0.key < $1.key }.map { digest, bytes in
                (
                    digest,
                    ["digest": digest, "size": bytes.count, "pushed_at": StubJSON.time(info.created)] as [String: Any]
                )
            }
            return page(call, has(.blobsUntold) ? Array(blobs.dropLast()) : blobs)
        case "manifests.get": return manifest(call["reference"], info, held)
        case "manifests.referrers":
            guard held.manifests[call["digest"]] != nil else { return absent("manifest") }
            return json(200, ["referrers": tree(call["digest"], held, 4)])
        default: return tag(call, info, held, &state)
        }
    }

    private func tag(
        _ call: StubCall, _ info: StubRepositoryInfo, _ held: StubRegistry.Repository, _ state: inout StubAccountState
    ) -> StubResponse {
        let (name, tag) = (call["repository"], call["tag"])
        let isThere = held.tags[tag] != nil
        switch call.operation {
        case "tags.history":
            guard let moves = info.history[tag] else { return absent("tag \(tag)") }
            let told = (has(.historyForgets) ? Array(moves.prefix(2)) : moves).map { move -> [String: Any] in
                [
                    "digest": move.digest ?? NSNull(), "by": move.by, "at": StubJSON.time(move.at),
                    "available": move.digest.map { held.manifests[$0] != nil } ?? false,
                ]
            }
            return page(call, told.map { ("", $0) }, isPaged: false)
        case "tags.restore":
            let digest = call.text("digest") ?? ""
            guard held.manifests[digest] != nil || has(.restoreTakesForeign) else {
                return absent("manifest \(digest)")
            }
            if !has(.tagRestoreIdle) { content.state.withLock { $0.repositories[name]?.tags[tag] = digest } }
            note(&state, name, tag, digest, by: call.caller.name)
            return json(200, json(tag: tag, state.repositories[name] ?? info, self.held(name)))
        case "tags.delete":
            guard isThere else { return absent("tag \(tag)") }
            if !has(.deletedTagStays) { content.state.withLock { $0.repositories[name]?.tags[tag] = nil } }
            note(&state, name, tag, nil, by: call.caller.name)
            return StubResponse(204)
        default:
            guard isThere else { return absent("tag \(tag)") }
            return json(200, json(tag: tag, info, held))
        }
    }

    private func manifest(
        _ reference: String, _ info: StubRepositoryInfo, _ held: StubRegistry.Repository
    ) -> StubResponse {
        let digest = held.tags[reference] ?? reference
        guard let manifest = held.manifests[digest] else { return absent("manifest \(reference)") }
        let read = parsed(manifest)
        let config = read["config"] as? [String: Any]
        let told: Any = config.map { ["digest": $0["digest"] ?? "", "size": $0["size"] ?? 0] } ?? NSNull()
        return json(
            200,
            [
                "digest": digest, "media_type": manifest.type, "artifact_type": read["artifactType"] ?? NSNull(),
                "annotations": read["annotations"] ?? [String: Any](), "config": told, "content_size": size(read),
                "layers": has(.layersUntold) ? [] : parts(read, "layers"), "manifests": [[String: Any]](),
                "pushed_at": StubJSON.time(info.created), "size": manifest.bytes.count,
                "subject": (read["subject"] as? [String: Any])?["digest"] ?? NSNull(),
                "tags": held.tags.filter { $0.value == digest }.keys.sorted(), "truncated": false,
            ] as [String: Any])
    }

    private func tree(_ digest: String, _ held: StubRegistry.Repository, _ depth: Int) -> [[String: Any]] {
        guard depth > 0 else { return [] }
        return held.manifests.sorted { $0.key < $1.key }.compactMap { other, manifest in
            let read = parsed(manifest)
            guard (read["subject"] as? [String: Any])?["digest"] as? String == digest else { return nil }
            return [
                "digest": other, "media_type": manifest.type, "artifact_type": read["artifactType"] ?? NSNull(),
                "annotations": read["annotations"] ?? [String: Any](), "size": manifest.bytes.count,
                "referrers": has(.treeFlat) ? [] : tree(other, held, depth - 1),
            ]
        }
    }

    // MARK: audit and system

    func audit(_ call: StubCall, _ state: StubAccountState, _ fits: (StubEvent) -> Bool) -> StubResponse {
        func time(_ name: String) -> Date? { call.query(name).flatMap { ISO8601DateFormatter().date(from: $0) } }
        let (since, until) = (time("since"), time("until"))
        let found = state.events.reversed().filter { event in
            guard fits(event) else { return false }
            if has(.auditFilterIgnored) { return true }
            return (call.query("action").map { $0 == event.action } ?? true)
                && (call.query("outcome").map { $0 == event.outcome } ?? true)
                && (call.query("who").map { $0 == event.who } ?? true)
                && (since.map { event.at >= $0 } ?? true) && (until.map { event.at < $0 } ?? true)
        }
        let items = found.map { event -> (String, [String: Any]) in
            (
                "\(event.id)",
                [
                    "id": "\(event.id)", "at": StubJSON.time(event.at), "action": event.action, "who": event.who,
                    "subject": event.subject, "outcome": event.outcome, "request_id": event.request, "detail": "",
                    "credential": "password", "address": "127.0.0.1",
                ]
            )
        }
        guard call.query("format") == "ndjson" else { return page(call, items) }
        let lines = (has(.linesDiffer) ? Array(items.dropLast()) : items).map { StubJSON.bytes($0.1) + [10] }
        return StubResponse(200, [("Content-Type", "application/x-ndjson")], lines.flatMap { $0 })
    }

    func system(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        switch call.operation {
        case "audit.list": return audit(call, state) { _ in true }
        case "system.document": return StubResponse(200, [("Content-Type", "application/json")], document.bytes)
        case "system.info":
            return json(
                200,
                [
                    "version": "stub", "url": "", "service": "stub", "deletes": true, "restore_seconds": 604_800,
                    "largest_manifest": 4_194_304,
                ] as [String: Any])
        case "system.health":
            let parts: [[String: Any]] =
                has(.componentsNone) ? [] : [["name": "memory", "works": true, "detail": NSNull()]]
            return page(call, parts.map { ("", $0) }, isPaged: false)
        case "system.settings":
            let secret = has(.settingTellsSecret) ? "hunter2" : ""
            return page(
                call,
                [("", ["name": "listen", "value": "127.0.0.1"]), ("", ["name": "mail.password", "value": secret])],
                isPaged: false)
        case "system.collectable": return page(call, [])
        case "system.collect":
            return json(
                200, ["reviewed": 0, "blobs": 0, "manifests": 0, "bytes": 0, "done": true] as [String: Any])
        default:
            let count = has(.statisticsStay) ? 2 : 0
            return json(
                200,
                [
                    "users": count > 0 ? count : state.users.count,
                    "organizations": count > 0 ? count : state.organizations.count,
                    "repositories": count > 0 ? count : state.repositories.count, "bytes": 0, "uploads": 0,
                ])
        }
    }
}
