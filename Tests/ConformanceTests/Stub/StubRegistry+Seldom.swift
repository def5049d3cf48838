import Foundation

/// Faults in what two answers should agree in, and in what is legal and seldom pushed.
extension StubRegistry {
    /// A date as HTTP writes it.
    func httpDate(_ date: Date) -> String {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.string(from: date)
    }

    /// Fields that HEAD and GET, or a tag before and after it moved, do not agree in; two lengths of one body.
    func disagree(_ response: inout StubResponse, _ request: StubRequest) {
        let isPull = request.method == "GET" || request.method == "HEAD"
        guard isPull, response.status == 200 else { return }
        let isManifest = request.path.contains("/manifests/")
        let isIndex = response["Content-Type"]?.contains("index") == true
        if (has(.headIndexField) && isManifest && isIndex) || (has(.headManifestField) && isManifest && !isIndex)
            || (has(.headBlobField) && request.path.contains("/blobs/sha"))
        {
            response.set("Cache-Control", request.method == "HEAD" ? "no-store" : "max-age=60")
        }
        let reference = request.path.split(separator: "/").last.map(String.init) ?? ""
        if has(.etagOfTag), isManifest, !reference.contains(":") {
            let tag = "\"tag-\(reference)\""
            response.set("ETag", tag)
            if request.header("If-None-Match") == tag { response = StubResponse(304, [("ETag", tag)]) }
        }
        if has(.urlsDropped), isManifest, request.method == "GET" {
            let text = String(decoding: response.body, as: UTF8.self)
            response.body = Array(text.replacingOccurrences(of: "\"urls\"", with: "\"links\"").utf8)
        }
        if has(.twoLengthsTold), isManifest, request.method == "GET", response.status == 200 {
            response.set("Content-Length", String(response.body.count))
            response.set("Transfer-Encoding", "chunked")
            response.body =
                Array("\(String(response.body.count, radix: 16))\r\n".utf8) + response.body
                + Array("\r\n0\r\n\r\n".utf8)
        }
    }

    /// Whether a manifest is refused that the image specification allows.
    func refusesSeldom(_ name: String, _ object: [String: Any]) -> Bool {
        let children = object["manifests"] as? [[String: Any]] ?? []
        let layers = object["layers"] as? [[String: Any]] ?? []
        let descriptors = children + layers + ([object["config"]].compactMap { $0 as? [String: Any] })
        let types = descriptors.compactMap { $0["mediaType"] as? String }
        if has(.dataRefused), descriptors.contains(where: { $0["data"] != nil }) { return true }
        if has(.descriptorMembersRefused), descriptors.contains(where: { $0["artifactType"] != nil }) { return true }
        if has(.imageMembersRefused), object["subject"] != nil, object["annotations"] != nil { return true }
        if has(.nobodyTypesRefused), types.contains(where: { $0.contains("nobody") }) { return true }
        if has(.deepMembersRefused), object["x-deep"] != nil { return true }
        if has(.wideIndexRefused), children.count > 10 { return true }
        if has(.layersOver200Refused), layers.count > 200 { return true }
        if has(.annotationsOver100Refused), (object["annotations"] as? [String: Any])?.count ?? 0 > 100 { return true }
        return has(.deepIndexRefused) && depth(name, object) > 3
    }

    /// How many indexes stand one in the other.
    private func depth(_ name: String, _ object: [String: Any]) -> Int {
        let children = object["manifests"] as? [[String: Any]] ?? []
        guard !children.isEmpty else { return 0 }
        let inner = children.map { child -> Int in
            guard let digest = child["digest"] as? String,
                let bytes = state.withLock({ $0.repositories[name]?.manifests[digest]?.bytes })
            else { return 0 }
            do {
                let manifest = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any]
                return manifest.map { depth(name, $0) } ?? 0
            } catch {
                return 0
            }
        }
        return 1 + (inner.max() ?? 0)
    }
}
