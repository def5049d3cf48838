import Foundation

/// What the list of referrers may hold besides what it has to.
extension Latitude {
    private static func rewritten(
        _ name: String, _ why: String, _ change: @escaping @Sendable (inout [String: Any]) -> Void
    ) -> Latitude {
        Latitude(
            name, why,
            leaving: { response, request, _ in
                guard Aim(request).kind == "referrers", response.status == 200 else { return }
                do {
                    guard var index = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any]
                    else { return }
                    change(&index)
                    response.body = Array(try JSONSerialization.data(withJSONObject: index))
                } catch { return }
            })
    }

    private static func entries(
        _ name: String, _ why: String, _ change: @escaping @Sendable (inout [String: Any]) -> Void
    ) -> Latitude {
        rewritten(name, why) { index in
            let list = index["manifests"] as? [[String: Any]] ?? []
            index["manifests"] = list.map { entry in
                var entry = entry
                change(&entry)
                return entry
            }
        }
    }

    static let referrers: [Latitude] = [
        entries("referrersAnnotated", "Listing Referrers: annotations of the manifest are included; more may be") {
            entry in
            var annotations = entry["annotations"] as? [String: String] ?? [:]
            annotations["example.registry/pushed"] = "2026-01-01T00:00:00Z"
            entry["annotations"] = annotations
        },
        entries("referrersWithPlatforms", "image-spec, Descriptors: a descriptor may have a platform and urls") {
            entry in
            entry["platform"] = ["architecture": "amd64", "os": "linux"]
            entry["urls"] = ["https://example.org/x"]
        },
        rewritten("referrersIndexAnnotated", "image-spec, Image Index: an index may have annotations of its own") {
            index in
            index["annotations"] = ["example.registry/filtered": "no"]
            index["x-total"] = 3
        },
        rewritten("referrersReversed", "Listing Referrers: no order is named") { index in
            index["manifests"] = Array((index["manifests"] as? [Any] ?? []).reversed())
        },
        Latitude(
            "referrersPagesOfOne", "Listing Referrers: a list that needs several pages has a Link",
            leaving: { response, request, stub in
                guard Aim(request).kind == "referrers", request.method == "GET", response.status == 200 else { return }
                page(&response, request, stub)
            }),
    ]

    /// One entry a page: `page` counts them, over all pages of the stub's own.
    private static func page(_ response: inout StubResponse, _ request: StubRequest, _ stub: StubRegistry) {
        let number = request.query("page").first.flatMap { Int($0) } ?? 0
        var inner = request
        let filter = request.query("artifactType").first.map { "&artifactType=\($0)" } ?? ""
        var all: [Any] = []
        do {
            for start in stride(from: 0, to: 100, by: 5) {
                inner.target = "\(request.path)?last=\(start)\(filter.replacingOccurrences(of: "+", with: "%2B"))"
                let part = stub.core(inner)
                let index = try JSONSerialization.jsonObject(with: Data(part.body)) as? [String: Any]
                all += index?["manifests"] as? [Any] ?? []
                if part["Link"] == nil { break }
            }
            guard var index = try JSONSerialization.jsonObject(with: Data(response.body)) as? [String: Any] else {
                return
            }
            index["manifests"] = Array(all.dropFirst(number).prefix(1))
            response.body = Array(try JSONSerialization.data(withJSONObject: index))
        } catch { return }
        response.set("Link", nil)
        if number + 1 < all.count {
            let next = "\(request.path)?page=\(number + 1)\(filter.replacingOccurrences(of: "+", with: "%2B"))"
            response.headers.append(("Link", "<\(next)>; rel=\"next\""))
        }
    }
}
