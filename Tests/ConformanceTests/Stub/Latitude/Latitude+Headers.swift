import Foundation

/// What proxies put into answers and take out of them.
extension Latitude {
    private static func adding(_ name: String, _ why: String, _ headers: [(String, String)]) -> Latitude {
        Latitude(name, why, leaving: { response, _, _ in response.headers += headers })
    }

    private static func cutting(_ name: String, _ why: String, _ headers: [String]) -> Latitude {
        Latitude(name, why, leaving: { response, _, _ in for header in headers { response.set(header, nil) } })
    }

    static let headers: [Latitude] = [
        adding(
            "proxyHeaders", "RFC 9110 §7.6.3, RFC 9111 §5.1: what intermediaries add",
            [
                ("Via", "1.1 proxy.example (frontend)"), ("X-Cache", "MISS"), ("X-Request-Id", "7f"), ("Age", "0"),
                ("Server-Timing", "edge;dur=3"), ("Alt-Svc", "h3=\":443\"; ma=86400"),
            ]),
        adding(
            "securityHeaders", "RFC 6797, CSP: what a front for browsers adds",
            [
                ("Strict-Transport-Security", "max-age=63072000"), ("X-Frame-Options", "DENY"),
                ("Content-Security-Policy", "default-src 'none'"), ("X-Content-Type-Options", "nosniff"),
                ("Permissions-Policy", "camera=()"), ("Referrer-Policy", "no-referrer"),
            ]),
        adding(
            "crossOriginHeaders", "Fetch standard: any answer may be told to scripts of other origins",
            [
                ("Access-Control-Allow-Origin", "*"), ("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS"),
                ("Access-Control-Expose-Headers", "Docker-Content-Digest, WWW-Authenticate"),
            ]),
        adding(
            "cookies", "RFC 6265 §3: a load balancer's cookie on every answer",
            [("Set-Cookie", "route=a1b2c3; Path=/; HttpOnly; Secure"), ("Set-Cookie", "seen=1")]),
        adding(
            "cacheHeaders", "RFC 9111 §5.2: how long an answer is fresh is the server's to say",
            [("Cache-Control", "no-store, must-revalidate"), ("Pragma", "no-cache"), ("Expires", "0")]),
        adding("varied", "RFC 9110 §12.5.5: Vary", [("Vary", "Accept"), ("Vary", "Accept-Encoding, Authorization")]),
        adding(
            "otherLinks", "RFC 8288 §3: links of other relations may stand on any answer",
            [("Link", "</style.css>; rel=preload; as=style, <https://cdn.invalid>; rel=\"preconnect\"")]),
        adding(
            "describedByLinks", "RFC 8288 §3: a link to the documentation, with parameters of its own",
            [("Link", "<https://docs.invalid/a,b;c>; rel=\"describedby help\"; title=\"a; b, \\\"c\\\"\"; hreflang=en")]
        ),
        adding(
            "warned", "distribution-spec: Warnings", [("Warning", "299 - \"the free plan ends soon, see the docs\"")]),
        adding(
            "versionWords", "the header is OPTIONAL and may list several versions",
            [("Docker-Distribution-API-Version", "registry/2.0 registry/2.1")]),
        adding("dated", "RFC 9110 §6.6.1: Date", [("Date", "Sun, 06 Nov 1994 08:49:37 GMT")]),
        cutting("noETags", "RFC 9110 §8.8.3: an ETag may be sent", ["ETag"]),
        cutting(
            "noRangesTold", "RFC 9110 §14.3: a server may support ranges without Accept-Ranges", ["Accept-Ranges"]),
        cutting(
            "noDockerHeaders", "Determining Support: Docker's own headers are OPTIONAL",
            ["Docker-Distribution-API-Version", "Docker-Upload-UUID"]),
        cutting(
            "bare", "none of these is asked for by any rule",
            ["ETag", "Accept-Ranges", "Docker-Distribution-API-Version", "Server", "Cache-Control", "Vary"]),
        Latitude(
            "otherCase", "RFC 9110 §5.1: field names are case-insensitive",
            leaving: { response, _, _ in
                response.headers = response.headers.map { name, value in
                    (
                        name.replacingOccurrences(of: "OCI-", with: "Oci-").replacingOccurrences(
                            of: "ETag", with: "Etag"),
                        value
                    )
                }
            }),
        Latitude(
            "opaqueETags", "RFC 9110 §8.8.3: an entity tag is opaque",
            arriving: { request, _ in
                request.headers = request.headers.map { name, value in
                    (name, value.replacingOccurrences(of: "v1-", with: "sha256:"))
                }
                return nil
            },
            leaving: { response, _, _ in
                response.set("ETag", response["ETag"]?.replacingOccurrences(of: "sha256:", with: "v1-"))
            }),
        Latitude(
            "gzipOnTheWay", "RFC 9110 §8.4, §12.5.3: who says that it takes gzip may get it",
            leaving: { response, request, _ in
                let takes = request.header("Accept-Encoding")?.contains("gzip") == true
                guard takes, response.status == 200, request.method == "GET", response["Content-Encoding"] == nil
                else { return }
                response.body = StubGzip.packed(response.body)
                response.set("Content-Length", nil)
                response.set("Content-Encoding", "gzip")
                response.set("ETag", response["ETag"].map { "W/" + $0 })
                response.headers.append(("Vary", "Accept-Encoding"))
            }),
    ]

    /// How answers are written.
    static let connections: [Latitude] = [
        Latitude("http10", "RFC 9110 §2.5: a server may send the version that it has; RFC 9112 §9.3", .oldVersion),
        Latitude("chunkedBodies", "RFC 9112 §6.1: a body may come in chunked coding, without a length", .chunked),
        Latitude("earlyHints", "RFC 8297: 103 before the answer", .earlyHints),
        Latitude("lateFirstByte", "no rule says how long an answer may take to begin", .late),
        Latitude("inPieces", "TCP has no messages: an answer may come in any pieces", .pieces),
        Latitude("lowerNames", "RFC 9110 §5.1: field names are case-insensitive", .lowerNames),
        Latitude("upperNames", "RFC 9110 §5.1: field names are case-insensitive", .upperNames),
        Latitude("noReason", "RFC 9112 §4: the reason phrase may be empty", .noReason),
        Latitude("blanksInHeads", "RFC 9112 §5: blanks round a field value are no part of it", .blanks),
        Latitude(
            "http10NoReason", "RFC 9112 §4, §9.3: both at once, as old proxies have it", [.oldVersion, .noReason]),
    ]
}

/// gzip of stored blocks (RFC 1951, 1952): no compression, but a coding that has to be taken off.
enum StubGzip {
    static func packed(_ bytes: [UInt8]) -> [UInt8] {
        var packed: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        var start = 0
        repeat {
            let end = min(bytes.count, start + 65_535)
            let count = UInt16(end - start)
            packed += [end == bytes.count ? 1 : 0] + little(count) + little(~count) + bytes[start..<end]
            start = end
        } while start < bytes.count
        return packed + little(check(bytes)) + little(UInt32(truncatingIfNeeded: bytes.count))
    }

    private static func little(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.littleEndian) { Array($0) }
    }

    /// CRC-32, bit by bit.
    private static func check(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
        }
        return ~sum
    }
}
