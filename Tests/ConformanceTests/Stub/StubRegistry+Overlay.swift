import Foundation

/// Faults that lie over a good answer, as a cache, a proxy or a careless layer of a registry puts them there.
extension StubRegistry {
    func overlay(_ response: inout StubResponse, _ request: StubRequest) {
        let parts = request.path.split(separator: "/").map(String.init)
        guard parts.count >= 4, let last = parts.last else { return }
        let name = parts[1..<parts.count - 2].joined(separator: "/")
        switch (parts[parts.count - 2], last) {
        case ("blobs", "uploads"): overlayStart(&response, request, name)
        case ("uploads", let id): overlaySession(&response, request, id)
        case ("blobs", _): overlayBlob(&response, request)
        case ("manifests", let reference):
            if request.method == "PUT" {
                overlayPush(&response, request, name, reference)
            } else if response.status == 200 {
                overlayPull(&response, request, reference)
            }
        default: return
        }
    }

    private func overlayStart(_ response: inout StubResponse, _ request: StubRequest, _ name: String) {
        if let digest = request.query("mount").first {
            if response.status == 202, has(.mountDeadSession) {
                response.set("Location", "/v2/\(name)/blobs/uploads/\(UUID().uuidString.lowercased())")
            }
            guard response.status == 201 else { return }
            state.withLock { _ = $0.mounted.insert(digest) }
            if has(.mountLocationSource), let from = request.query("from").first {
                response.set("Location", "/v2/\(from)/blobs/\(digest)")
            }
            if has(.mountDigestWrong) { response.set("Docker-Content-Digest", self.digest([5])) }
            if has(.mountNoDigest) { response.set("Docker-Content-Digest", nil) }
        } else if response.status == 201 {
            if has(.singleDigestWrong) { response.set("Docker-Content-Digest", digest([5])) }
            if has(.singleNoDigest) { response.set("Docker-Content-Digest", nil) }
        }
    }

    private func overlaySession(_ response: inout StubResponse, _ request: StubRequest, _ id: String) {
        if request.method == "PATCH", response.status == 202 {
            let count = state.withLock { state in
                state.chunks[id, default: 0] += 1
                return state.chunks[id, default: 0]
            }
            if count >= 5, has(.fifthChunkRefused) { response = error(416, "BLOB_UPLOAD_INVALID") }
        }
        guard request.method == "PUT", response.status == 201, request.body.isEmpty else { return }
        if has(.closeDigestWrong) { response.set("Docker-Content-Digest", digest([5])) }
        if has(.closeNoDigest) { response.set("Docker-Content-Digest", nil) }
    }

    private func overlayBlob(_ response: inout StubResponse, _ request: StubRequest) {
        guard response.status == 200 else { return }
        if request.method == "HEAD" {
            let count = response.body.count
            if has(.headLarge404), count > 1 << 20 { response = error(404, "BLOB_UNKNOWN") }
            if has(.headLargeLength), count > 65_536 { response.set("Content-Length", String(count % 65_536)) }
            if has(.headEmpty404), count == 0 { response = error(404, "BLOB_UNKNOWN") }
            if has(.headEmptyNoLength), count == 0 {
                response.set("Content-Length", nil)
                response.lengthless = true
            }
            return
        }
        let isGzip = response.body.starts(with: [0x1F, 0x8B])
        let wantsGzip = request.header("Accept-Encoding")?.contains("gzip") == true
        if has(.blobCodingTold) || (has(.gzipCodingTold) && isGzip) || (has(.acceptEncodingLies) && wantsGzip) {
            response.set("Content-Encoding", "gzip")
        }
        // What the runner packs is one stored block: behind ten bytes of head and five of the block, before eight.
        if has(.gzipUnpacked), isGzip { response.body = Array(response.body.dropFirst(15).dropLast(8)) }
        if has(.blobTextLineEnds), !response.body.contains(where: { $0 > 127 || $0 == 0 }) {
            let text = String(decoding: response.body, as: UTF8.self)
            let plain = text.replacingOccurrences(of: "\r\n", with: "\n")
            response.body = Array(plain.replacingOccurrences(of: "\n", with: "\r\n").utf8)
        }
        if has(.blobJSONRewritten), response.body.first == UInt8(ascii: "{") {
            response.body = rewritten(response.body)
        }
    }

    private func rewritten(_ bytes: [UInt8], without member: String? = nil) -> [UInt8] {
        do {
            guard var object = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] else {
                return bytes
            }
            if let member { object[member] = nil }
            return Array(try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys]))
        } catch {
            return bytes
        }
    }

    private func overlayPull(_ response: inout StubResponse, _ request: StubRequest, _ reference: String) {
        let isDigest = reference.contains(":")
        let type = response["Content-Type"] ?? ""
        if request.method == "GET", has(.typeByDigestLost), isDigest {
            response.set("Content-Type", "application/octet-stream")
        }
        if request.method == "HEAD", has(.headTypeByDigestLost), isDigest {
            response.set("Content-Type", "application/octet-stream")
        }
        if request.method == "HEAD", has(.headDockerType) {
            let oci = type.replacingOccurrences(of: "docker.distribution.manifest.list.v2", with: "oci.image.index.v1")
            response.set(
                "Content-Type",
                oci.replacingOccurrences(of: "docker.distribution.manifest.v2", with: "oci.image.manifest.v1"))
        }
        if has(.indexTypeByDigestWrong), isDigest, type.contains("index") || type.contains("list") {
            response.set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
        }
        if has(.typeEchoesAccept), let first = request.header("Accept")?.split(separator: ",").first, first != "*/*" {
            response.set("Content-Type", String(first))
        }
        if has(.twoTypes) { response.headers.append(("Content-Type", "text/plain")) }
        if has(.twoDigests) { response.headers.append(("Docker-Content-Digest", digest([4]))) }
        if has(.subjectDropped), request.method == "GET", subject(response.body) != nil {
            response.body = rewritten(response.body, without: "subject")
        }
    }

    private func overlayPush(
        _ response: inout StubResponse, _ request: StubRequest, _ name: String, _ reference: String
    ) {
        guard response.status == 201 else { return }
        let isIndex = request.header("Content-Type")?.contains("index") == true
        let count = state.withLock { state in
            state.pushes[request.path, default: 0] += 1
            return state.pushes[request.path, default: 0]
        }
        if has(.indexPutDigestWrong), isIndex { response.set("Docker-Content-Digest", digest([6])) }
        let text = String(decoding: request.body, as: UTF8.self)
        if has(.mountedNotUsable), state.withLock({ $0.mounted.contains { text.contains($0) } }) {
            response = error(404, "MANIFEST_BLOB_UNKNOWN")
        }
        let told = response["OCI-Subject"]
        let isThere = state.withLock { $0.repositories[name]?.manifests[told ?? ""] != nil }
        if (has(.subjectHeaderNotOnIndex) && isIndex) || (has(.subjectHeaderNotByTag) && !reference.contains(":"))
            || (has(.subjectHeaderNotAgain) && count > 1) || (has(.subjectHeaderNotWhenMissing) && !isThere)
        {
            response.set("OCI-Subject", nil)
        }
        if has(.subjectHeaderAlways), told == nil { response.set("OCI-Subject", digest(request.body)) }
    }
}
