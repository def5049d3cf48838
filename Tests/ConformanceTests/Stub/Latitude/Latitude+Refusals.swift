import Foundation

/// What a registry may decline: deletions, tags that move, algorithms, kinds and sizes.
extension Latitude {
    private static let disabled = "Content Management: deletion may be disabled, and is then 400 or 405"
    private static let open = "no sentence says what this is answered with"

    private static func undeletable(_ name: String, _ status: Int, _ fits: @escaping @Sendable (Aim) -> Bool)
        -> Latitude
    {
        Latitude(
            name, disabled,
            arriving: { request, stub in
                guard request.method == "DELETE", fits(Aim(request)) else { return nil }
                return stub.error(status, "UNSUPPORTED", allow: status == 405 ? "GET, HEAD, PUT" : nil)
            })
    }

    private static func immutable(_ name: String, _ status: Int, _ code: String) -> Latitude {
        Latitude(
            name, "no sentence says that a tag can be moved: many registries let its owner forbid it",
            arriving: { request, stub in
                let aim = Aim(request)
                guard aim.kind == "manifests", request.method == "PUT", aim.isTag else { return nil }
                let now = stub.state.withLock { $0.repositories[aim.repository]?.tags[aim.reference] }
                guard let now, now != stub.digest(request.body) else { return nil }
                return stub.error(status, code)
            })
    }

    private static func missing(_ name: String, _ status: Int) -> Latitude {
        Latitude(
            name, "Deleting tags, Deleting Manifests: of what is not there only the repository and blobs are ruled",
            leaving: { response, request, stub in
                let aim = Aim(request)
                let isThere = stub.state.withLock { $0.repositories[aim.repository] != nil }
                guard request.method == "DELETE", aim.kind == "manifests", response.status == 404, isThere else {
                    return
                }
                response = StubResponse(status)
            })
    }

    private static func session(_ name: String, _ statuses: [String: Int]) -> Latitude {
        Latitude(
            name, open,
            leaving: { response, request, stub in
                guard Aim(request).isSession, response.status == 404, let status = statuses[request.method] else {
                    return
                }
                response = status < 400 ? StubResponse(status) : stub.error(status, "BLOB_UPLOAD_INVALID")
            })
    }

    static let refusals: [Latitude] = [
        undeletable("deletesOff", 405) { ["manifests", "blobs"].contains($0.kind) },
        undeletable("deletesOff400", 400) { ["manifests", "blobs"].contains($0.kind) },
        undeletable("tagDeletesOff", 400) { $0.kind == "manifests" && $0.isTag },
        undeletable("manifestDeletesOff", 405) { $0.kind == "manifests" && !$0.isTag },
        undeletable("blobDeletesOff", 405) { $0.kind == "blobs" },
        undeletable("cancelsOff", 405) { $0.isSession },
        Latitude(
            "cancelsNotFound", "Cancel a blob upload: clients ignore any failure",
            arriving: { request, _ in
                request.method == "DELETE" && Aim(request).isSession ? StubResponse(404) : nil
            }),
        missing("missingDeletes202", 202),
        missing("missingDeletes204", 204),
        Latitude(
            "namedManifestsStay", "RFC 9110 §15.5.10: what an index names is in use, and a conflict",
            arriving: { request, stub in
                let aim = Aim(request)
                guard request.method == "DELETE", aim.kind == "manifests", !aim.isTag else { return nil }
                let isNamed = stub.state.withLock { state in
                    state.repositories[aim.repository]?.manifests.contains {
                        $0.key != aim.reference && $0.value.type.contains("index")
                            && String(decoding: $0.value.bytes, as: UTF8.self).contains(aim.reference)
                    } ?? false
                }
                return isNamed ? stub.error(409, "DENIED") : nil
            }),
        Latitude(
            "namedBlobsStay", "RFC 9110 §15.5.6: of a blob that a manifest names no deletion is allowed",
            arriving: { request, stub in
                let aim = Aim(request)
                guard request.method == "DELETE", aim.kind == "blobs" else { return nil }
                let isNamed = stub.repository(aim.repository).manifests.values.contains {
                    String(decoding: $0.bytes, as: UTF8.self).contains(aim.reference)
                }
                return isNamed ? stub.error(405, "UNSUPPORTED", allow: "GET, HEAD") : nil
            }),
        Latitude(
            "taggedManifestsStay", "RFC 9110 §15.5.10: a manifest with tags is in use, and a conflict",
            arriving: { request, stub in
                let aim = Aim(request)
                guard request.method == "DELETE", aim.kind == "manifests", !aim.isTag else { return nil }
                let isTagged = stub.state.withLock {
                    $0.repositories[aim.repository]?.tags.values.contains(aim.reference) ?? false
                }
                return isTagged ? stub.error(409, "DENIED") : nil
            }),
        immutable("tagsFixed409", 409, "DENIED"),
        immutable("tagsFixed403", 403, "DENIED"),
        immutable("tagsFixed412", 412, "DENIED"),
        immutable("tagsFixed400", 400, "TAG_INVALID"),
        session("unknownSessions400", ["GET": 400, "PATCH": 400, "PUT": 400, "DELETE": 400]),
        session("unknownSessions410", ["GET": 410, "PATCH": 410, "PUT": 410, "DELETE": 410]),
        session("unknownCancels204", ["DELETE": 204]),
        Latitude(
            "noSHA512", "Pushing blobs: an algorithm that is not supported is 400",
            arriving: { request, stub in
                let isAsked =
                    request.query("digest-algorithm").first == "sha512" || request.target.contains("sha512:")
                    || request.target.contains("sha512%3A")
                return isAsked ? stub.error(400, "DIGEST_INVALID") : nil
            }),
        Latitude(
            "algorithmsUnread", "Pushing blobs: digest-algorithm is a hint, an unsupported digest 400",
            arriving: { request, stub in
                if request.query("digest").first?.hasPrefix("sha512:") == true
                    || Aim(request).reference.hasPrefix("sha512:")
                {
                    return stub.error(400, "DIGEST_INVALID")
                }
                let query = request.target.drop { $0 != "?" }.replacingOccurrences(of: "digest-algorithm", with: "x")
                request.target = request.path + query
                return nil
            }),
        Latitude(
            "fourMebibytes", "Pushing Manifests: a limit may be enforced, of 4 megabytes or more, by 413",
            arriving: { request, stub in
                let isLong = Aim(request).kind == "manifests" && request.body.count > 4 << 20
                return isLong ? stub.error(413, "SIZE_INVALID") : nil
            }),
        Latitude(
            "mountsNever", "Mounting a blob: whoever does not mount begins an upload, 202",
            arriving: { request, _ in
                if request.method == "POST", !request.query("mount").isEmpty { request.target = request.path }
                return nil
            }),
        Latitude(
            "invalidManifests422", "Error Codes: no status is named for MANIFEST_INVALID",
            leaving: { response, request, _ in
                let isRefused = request.method == "PUT" && Aim(request).kind == "manifests" && response.status == 400
                if isRefused, String(decoding: response.body, as: UTF8.self).contains("MANIFEST_INVALID") {
                    response.status = 422
                }
            }),
        Latitude(
            "schema1Unsupported", "RFC 9110 §15.5.16: a type that is not taken is 415",
            arriving: { request, stub in
                let type = request.header("Content-Type") ?? ""
                let isOld = request.method == "PUT" && type.contains("docker.distribution.manifest.v1")
                return isOld ? stub.error(415, "MANIFEST_INVALID") : nil
            }),
        Latitude(
            "emptyChunksRefused", open,
            arriving: { request, stub in
                let isEmpty =
                    request.method == "PATCH" && Aim(request).isSession && request.body.isEmpty && !request.wasCut
                return isEmpty ? stub.error(400, "SIZE_INVALID") : nil
            }),
        Latitude(
            "smallestChunkTold", "Pushing a blob in chunks: OCI-Chunk-Min-Length may be any size",
            leaving: { response, request, _ in
                if request.method == "POST", response.status == 202 { response.set("OCI-Chunk-Min-Length", "1") }
            }),
        Latitude(
            "tagsByQueryTen", "Pushing Manifests: too many tags in a query may be 414",
            arriving: { request, _ in
                request.method == "PUT" && request.query("tag").count > 10 ? StubResponse(414) : nil
            }),
        Latitude(
            "busyWithDates", "RFC 9110 §10.2.3: Retry-After may be a date",
            arriving: { _, stub in
                let turn: Int = stub.state.withLock { state in
                    state.counter += 1
                    return state.counter
                }
                guard turn % 200 == 0 else { return nil }
                return StubResponse(503, [("Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT")])
            }),
    ]
}
