import Foundation

/// How content is served.
extension Latitude {
    private static func several(
        _ name: String, _ why: String, _ answer: @escaping @Sendable (StubResponse, String) -> StubResponse
    ) -> Latitude {
        Latitude(
            name, why,
            leaving: { response, request, _ in
                guard let range = request.header("Range"), range.hasPrefix("bytes="), range.contains(","),
                    request.method == "GET", response.status == 200, Aim(request).kind == "blobs"
                else { return }
                response = answer(response, range)
            })
    }

    private static func oddRanges(_ name: String, _ status: Int) -> Latitude {
        Latitude(
            name, "RFC 9110 §14.2: a malformed range is ignored, or refused",
            arriving: { request, stub in
                guard let range = request.header("Range"), request.method == "GET" else { return nil }
                let isPlain = range.wholeMatch(of: /(?i:bytes)=([0-9]{1,18}-[0-9]{0,19}|-[0-9]{1,18})(,.*)?/) != nil
                let ends = range.drop { $0 != "=" }.dropFirst().split(separator: "-").compactMap { Int($0) }
                if isPlain, ends.count < 2 || ends[0] <= ends[1] { return nil }
                return StubResponse(status)
            })
    }

    private static func part(_ whole: StubResponse, _ range: Range<Int>) -> String {
        "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(whole.body.count)"
    }

    static let pulls: [Latitude] = [
        several("rangesInParts", "RFC 9110 §14.6: several ranges come as multipart/byteranges") { whole, _ in
            var response = StubResponse(206, whole.headers)
            response.set("Content-Type", "multipart/byteranges; boundary=\"x y\"")
            for range in [0..<10, 100..<110] {
                response.body += Array("\r\n--x y\r\nContent-Range: \(part(whole, range))\r\n\r\n".utf8)
                response.body += whole.body[range]
            }
            response.body += Array("\r\n--x y--\r\n".utf8)
            return response
        },
        several("rangesFirstOnly", "RFC 9110 §14.2: a server may send only some of the ranges") { whole, _ in
            let range = 0..<10
            return StubResponse(206, whole.headers + [("Content-Range", part(whole, range))], Array(whole.body[range]))
        },
        several("rangesCoalesced", "RFC 9110 §15.3.7.2: ranges with a small gap may be coalesced") { whole, _ in
            let range = 0..<110
            return StubResponse(206, whole.headers + [("Content-Range", part(whole, range))], Array(whole.body[range]))
        },
        several("rangesOneByOne", "RFC 9110 §15.5.17: many small ranges may be refused by 416") { whole, _ in
            StubResponse(416, [("Content-Range", "bytes */\(whole.body.count)")])
        },
        oddRanges("oddRanges416", 416),
        oddRanges("oddRanges400", 400),
        Latitude(
            "blobTypes", "no sentence rules the Content-Type of a blob",
            leaving: { response, request, _ in
                if Aim(request).kind == "blobs", (200..<300).contains(response.status) {
                    response.set("Content-Type", "application/x-gzip")
                }
            }),
        Latitude(
            "blobsWithoutType", "no sentence rules the Content-Type of a blob",
            leaving: { response, request, _ in
                if Aim(request).kind == "blobs", (200..<300).contains(response.status) {
                    response.set("Content-Type", nil)
                }
            }),
        Latitude(
            "blobsAsAttachments", "RFC 6266: a blob may be told as an attachment",
            leaving: { response, request, _ in
                guard Aim(request).kind == "blobs", request.method == "GET" else { return }
                response.headers += [("Content-Disposition", "attachment; filename=\"blob\"")]
            }),
        Latitude(
            "manifestsAmongBlobs", "a manifest is a blob too: its digest may be pulled as one",
            arriving: { request, stub in
                let aim = Aim(request)
                guard aim.kind == "blobs", ["GET", "HEAD"].contains(request.method) else { return nil }
                let isManifest = stub.state.withLock {
                    $0.repositories[aim.repository]?.manifests[aim.reference] != nil
                }
                if isManifest { request.target = "/v2/\(aim.repository)/manifests/\(aim.reference)" }
                return nil
            }),
        Latitude(
            "unacceptable404", "RFC 9110 §15.5.7: what no accepted type fits may be refused; registries say 404",
            arriving: { request, stub in unacceptable(request, stub) ? stub.error(404, "MANIFEST_UNKNOWN") : nil }),
        Latitude(
            "unacceptable406", "RFC 9110 §15.5.7: what no accepted type fits may be refused",
            arriving: { request, stub in unacceptable(request, stub) ? StubResponse(406) : nil }),
        Latitude(
            "sha256Told", "Pulling: the digest told may be of another algorithm than the one asked by",
            leaving: { response, request, stub in
                let aim = Aim(request)
                guard (200..<300).contains(response.status), ["GET", "HEAD"].contains(request.method),
                    response["Docker-Content-Digest"]?.hasPrefix("sha512:") == true, response.status != 206
                else { return }
                if aim.kind == "blobs" || aim.kind == "manifests" {
                    response.set("Docker-Content-Digest", stub.digest(response.body))
                }
            }),
        Latitude(
            "sha256ToldOnPush", "Mounting, POST then PUT: the digest told may be of another algorithm",
            leaving: { response, request, stub in
                guard ["uploads", "blobs"].contains(Aim(request).kind), response.status == 201,
                    let digest = response["Docker-Content-Digest"], digest.hasPrefix("sha512:")
                else { return }
                let aim = Aim(request)
                let bytes = stub.state.withLock { $0.repositories[aim.repository]?.blobs[digest] }
                if let bytes { response.set("Docker-Content-Digest", stub.digest(bytes)) }
            }),
        Latitude(
            "namespaceTold", "Registry Proxying: a registry that uses ns tells it",
            leaving: { response, request, _ in
                if let name = request.query("ns").first { response.set("OCI-Namespace", name) }
            }),
        Latitude(
            "namespacesUnknown", "Registry Proxying: of another registry nothing may be there",
            arriving: { request, stub in
                guard let name = request.query("ns").first else { return nil }
                var refused = stub.error(404, "MANIFEST_UNKNOWN")
                refused.set("OCI-Namespace", name)
                return refused
            }),
        Latitude(
            "versionEmpty", "Determining Support: 200 is all that is asked for",
            leaving: { response, request, _ in
                if request.path == "/v2/", response.status == 200 { response = StubResponse(200) }
            }),
        Latitude(
            "versionAsPage", "Determining Support: 200 is all that is asked for",
            leaving: { response, request, _ in
                if request.path == "/v2/", response.status == 200 {
                    response.body = Array("registry\n".utf8)
                    response.set("Content-Type", "text/plain; charset=utf-8")
                }
            }),
    ]

    /// Whether a manifest is there and no type that the request accepts fits it.
    private static func unacceptable(_ request: StubRequest, _ stub: StubRegistry) -> Bool {
        let aim = Aim(request)
        let accepts = request.headers("Accept").flatMap { $0.split(separator: ",") }.map {
            String($0.prefix { $0 != ";" }).trimmingCharacters(in: .whitespaces)
        }
        guard aim.kind == "manifests", ["GET", "HEAD"].contains(request.method), !accepts.isEmpty else { return false }
        let type: String? = stub.state.withLock { state in
            let repository = state.repositories[aim.repository]
            return repository?.manifests[repository?.tags[aim.reference] ?? aim.reference]?.type
        }
        guard let type else { return false }
        return !accepts.contains { $0 == type || $0 == "*/*" || $0 == "application/*" }
    }
}
