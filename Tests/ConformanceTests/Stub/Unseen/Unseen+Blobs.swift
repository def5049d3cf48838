import Foundation

/// Blobs, mounts, ranges and uploads.
extension Unseen {
    /// A fault behind a mount that was made.
    private static func mounted(
        _ name: String,
        _ change: @escaping @Sendable (inout StubResponse, _ digest: String, _ from: String, Aim, StubRegistry) -> Void
    ) -> Unseen {
        told(name) { response, request, aim, stub in
            if request.method == "PUT", aim.kind == "uploads", response.status == 201 {
                stub.note("newest " + aim.repository, request.query("digest"))
            }
            guard request.method == "POST", aim.kind == "uploads", response.status == 201 else { return }
            guard let digest = request.query("mount").first, let from = request.query("from").first else { return }
            stub.add("mounted", aim.repository + digest)
            change(&response, digest, from, aim, stub)
        }
    }

    /// A fault of the answers about a blob that was mounted.
    private static func ofMounted(
        _ name: String, _ change: @escaping @Sendable (inout StubResponse, StubRequest, [UInt8]) -> Void
    ) -> Unseen {
        let base = mounted(name) { _, _, _, _, _ in }
        return Unseen(name) { request, aim, stub in
            var response = base.answer(request, aim, stub)
            if aim.kind == "blobs", stub.noted("mounted").contains(aim.repository + aim.reference) {
                change(&response, request, stub.repository(aim.repository).blobs[aim.reference] ?? [])
            }
            return response
        }
    }

    /// A fault of an answer to a range.
    private static func ranged(
        _ name: String, _ change: @escaping @Sendable (inout StubResponse, _ asked: [String], _ size: Int) -> Void
    ) -> Unseen {
        told(name) { response, request, aim, stub in
            guard request.method == "GET", aim.kind == "blobs", let text = request.header("Range"),
                text.hasPrefix("bytes="), let blob = stub.repository(aim.repository).blobs[aim.reference]
            else { return }
            let ends = text.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false).map(String.init)
            if ends.count == 2 { change(&response, ends, blob.count) }
        }
    }

    static let blobs: [Unseen] = [
        mounted("mount-digest-header") { response, _, from, _, stub in
            if let newest = stub.noted("newest " + from).last { response.set("Docker-Content-Digest", newest) }
        },
        mounted("mount-own") { _, digest, from, aim, stub in
            if from == aim.repository { stub.change(from) { $0.blobs[digest] = nil } }
        },
        mounted("mount-wrong-from") { _, digest, from, aim, stub in
            guard let newest = stub.noted("newest " + from).last, let bytes = stub.repository(from).blobs[newest] else {
                return
            }
            stub.change(aim.repository) { $0.blobs[digest] = bytes }
        },
        ofMounted("mount-wrong-size") { response, request, _ in
            if request.method == "HEAD", response.status == 200 { response.set("Content-Length", "0") }
        },
        ofMounted("range-of-mounted") { response, request, bytes in
            if request.method == "GET", response.status == 206 {
                response.body = Array(bytes.prefix(response.body.count))
            }
        },
        ranged("range-start-at-size") { response, asked, size in
            guard Int(asked[0]) == size else { return }
            response = StubResponse(206, [("Content-Range", "bytes \(size)-\(size)/\(size)")])
        },
        ranged("range-unclamped") { response, asked, size in
            guard response.status == 206, let end = Int(asked[1]), end >= size, !asked[0].isEmpty else { return }
            response.set("Content-Range", "bytes \(asked[0])-\(end)/\(size)")
        },
        ranged("range-open-minus-one") { response, asked, size in
            guard response.status == 206, asked[1].isEmpty, response.body.count > 1 else { return }
            response.body.removeLast()
            response.set("Content-Range", "bytes \(asked[0])-\(size - 2)/\(size)")
        },
        Unseen("blob-delete-ranges") { request, aim, stub in
            guard aim.kind == "blobs" else { return stub.core(request) }
            let key = "deleted " + request.path
            let bytes = stub.repository(aim.repository).blobs[aim.reference]
            if let bytes, request.method == "DELETE" {
                stub.state.withLock { $0.kept[key] = StubResponse(200, [], bytes) }
            }
            if bytes == nil, request.method == "GET", request.header("Range") != nil,
                let old = stub.state.withLock({ $0.kept[key] })
            {
                stub.change(aim.repository) { $0.blobs[aim.reference] = old.body }
                defer { stub.change(aim.repository) { $0.blobs[aim.reference] = nil } }
                return stub.core(request)
            }
            return stub.core(request)
        },
        told("blob-tombstone") { response, request, aim, stub in
            guard aim.kind == "blobs" else { return }
            if request.method == "DELETE", response.status == 202 { stub.add("dead", request.path) }
            if request.isPull, stub.noted("dead").contains(request.path) { response = stub.error(404, "BLOB_UNKNOWN") }
        },
        told("blob-512-overwrites") { response, request, aim, stub in
            guard aim.kind == "uploads", response.status == 201, let digest = request.query("digest").first,
                digest.hasPrefix("sha512:"), let bytes = stub.repository(aim.repository).blobs[digest]
            else { return }
            stub.change(aim.repository) { $0.blobs[stub.digest(bytes)] = nil }
        },
    ]

    private static func session(
        _ name: String, _ method: String,
        _ answer: @escaping @Sendable (StubRequest, Aim, StubRegistry.StubUpload, StubRegistry) -> StubResponse
    ) -> Unseen {
        Unseen(name) { request, aim, stub in
            guard aim.isSession, request.method == method,
                let upload = stub.state.withLock({ $0.uploads[aim.reference] }), upload.repository == aim.repository
            else { return stub.core(request) }
            return answer(request, aim, upload, stub)
        }
    }

    private static func holds(_ request: StubRequest, _ aim: Aim, _ stub: StubRegistry) -> Bool {
        stub.repository(aim.repository).blobs[request.query("digest").first ?? ""] != nil
    }

    static let uploads: [Unseen] = [
        session("upload-empty-chunk", "PATCH") { request, aim, _, stub in
            let response = stub.core(request)
            if request.body.isEmpty, response.status == 202 {
                stub.state.withLock { _ = $0.uploads.removeValue(forKey: aim.reference) }
            }
            return response
        },
        session("upload-finish-query-order", "PUT") { request, _, _, stub in
            var changed = request
            if request.target.contains("?digest="), request.target.contains("&") { changed.body = [] }
            return stub.core(changed)
        },
        session("upload-known-blob-404", "PUT") { request, aim, _, stub in
            let known = holds(request, aim, stub)
            let response = stub.core(request)
            return known && response.status == 201 ? stub.error(404, "BLOB_UPLOAD_UNKNOWN") : response
        },
        session("upload-known-skips-bytes", "PUT") { request, aim, _, stub in
            guard holds(request, aim, stub), let digest = request.query("digest").first else {
                return stub.core(request)
            }
            stub.state.withLock { _ = $0.uploads.removeValue(forKey: aim.reference) }
            return StubResponse(
                201, [("Location", "/v2/\(aim.repository)/blobs/\(digest)"), ("Docker-Content-Digest", digest)])
        },
        session("upload-sibling-ends", "PUT") { request, aim, _, stub in
            let response = stub.core(request)
            if response.status == 201 {
                stub.state.withLock { $0.uploads = $0.uploads.filter { $0.value.repository != aim.repository } }
            }
            return response
        },
        session("upload-status-resets", "GET") { request, aim, _, stub in
            let response = stub.core(request)
            stub.state.withLock { $0.uploads[aim.reference]?.bytes = [] }
            return response
        },
        session("upload-wrong-digest-kept", "PUT") { request, aim, upload, stub in
            let response = stub.core(request)
            let digest = request.query("digest").first ?? ""
            if response.status == 400, stub.isDigest(digest), !holds(request, aim, stub) {
                stub.change(aim.repository) { $0.blobs[digest] = upload.bytes + request.body }
            }
            return response
        },
        session("upload-out-of-order-appended", "PATCH") { request, aim, _, stub in
            let response = stub.core(request)
            if response.status == 416 { stub.state.withLock { $0.uploads[aim.reference]?.bytes += request.body } }
            return response
        },
        session("upload-patch-resets", "PATCH") { request, aim, _, stub in
            if request.header("Content-Range") == nil { stub.state.withLock { $0.uploads[aim.reference]?.bytes = [] } }
            return stub.core(request)
        },
        Unseen("upload-mono-ignored") { request, aim, stub in
            let isSingle = request.method == "POST" && aim.kind == "uploads" && !request.query("digest").isEmpty
            let known = isSingle && holds(request, aim, stub)
            let response = stub.core(request)
            if isSingle, !known, response.status == 201, let digest = request.query("digest").first {
                stub.change(aim.repository) { $0.blobs[digest] = nil }
            }
            return response
        },
    ]
}
