import Foundation

/// How Locations are written, of uploads and of what was made.
extension Latitude {
    private static let absolute = "POST then PUT: the location may be absolute, with protocol and hostname, or relative"
    private static let opaque =
        "POST then PUT: the location may contain critical query parameters, and is not assembled"

    private static func written(
        _ name: String, _ why: String, _ write: @escaping @Sendable (String, StubRequest) -> String
    ) -> Latitude {
        Latitude(
            name, why,
            leaving: { response, request, _ in
                guard (200..<300).contains(response.status), let location = response["Location"],
                    location.hasPrefix("/")
                else { return }
                response.set("Location", write(location, request))
            })
    }

    /// The session's path is another than the one that the stub knows.
    private static func moved(
        _ name: String, _ why: String, to write: @escaping @Sendable (String, String) -> String,
        from read: @escaping @Sendable (StubRequest) -> String?
    ) -> Latitude {
        Latitude(
            name, why,
            arriving: { request, _ in
                if let target = read(request) { request.target = target }
                return nil
            },
            leaving: { response, _, _ in
                guard let location = response["Location"], let end = location.firstIndex(of: "?") else { return }
                let aim = Aim(String(location[..<end]))
                if aim.isSession { response.set("Location", write(aim.repository, aim.reference)) }
            })
    }

    static let locations: [Latitude] = [
        written("locationsAbsolute", absolute) { "http://127.0.0.1:\($1.port)\($0)" },
        written("locationsElsewhere", absolute) { "http://localhost:\($1.port)\($0)" },
        written("locationsUpperScheme", "RFC 3986 §3.1: schemes are case-insensitive") {
            "HTTP://127.0.0.1:\($1.port)\($0)"
        },
        written("locationsOfTheNetwork", "RFC 3986 §4.2: a reference may begin with //") {
            "//127.0.0.1:\($1.port)\($0)"
        },
        written("locationsOfTheFolder", "RFC 9110 §10.2.2: a relative reference is resolved against the target URI") {
            let path = $1.path.prefix(through: $1.path.lastIndex(of: "/") ?? $1.path.startIndex)
            let steps = path.split(separator: "/").count
            return String(repeating: "../", count: steps) + $0.dropFirst()
        },
        written("locationsWithFragments", "RFC 9110 §10.2.2: a Location may have a fragment") { location, _ in
            location + "#part"
        },
        written("locationsDecorated", "no rule forbids a query on the URL of what was made") { location, _ in
            location.contains("?") ? location : location + "?tenant=a&trace=b"
        },
        moved(
            "sessionsBesideRepositories", opaque, to: { "/uploads/\($1)?for=\($0)" },
            from: { request in
                guard request.path.hasPrefix("/uploads/"), let name = request.query("for").first else { return nil }
                let rest = request.target.drop { $0 != "?" }
                return "/v2/\(name)/blobs/uploads/\(request.path.dropFirst("/uploads/".count))\(rest)"
            }),
        moved(
            "sessionsInTheQuery", opaque, to: { "/v2/\($0)/blobs/uploads/?session=\($1)" },
            from: { request in
                guard let id = request.query("session").first else { return nil }
                return "\(request.path)\(id)?" + request.target.drop { $0 != "?" }.dropFirst()
            }),
        moved(
            "sessionsWithoutState", opaque, to: { "/v2/\($0)/blobs/uploads/\($1)" }, from: { _ in nil }),
        moved(
            "sessionsWithoutDashes", "POST then PUT: a UUID, in no form that would be named",
            to: { "/v2/\($0)/blobs/uploads/\($1.replacingOccurrences(of: "-", with: "").uppercased())" },
            from: { request in
                let aim = Aim(request)
                guard aim.isSession, aim.reference.utf8.count == 32 else { return nil }
                let id = aim.reference.lowercased()
                var parts: [Substring] = []
                var rest = id[...]
                for count in [8, 4, 4, 4, 12] {
                    parts.append(rest.prefix(count))
                    rest = rest.dropFirst(count)
                }
                return request.target.replacingOccurrences(of: aim.reference, with: parts.joined(separator: "-"))
            }),
        Latitude(
            "locationsChange", "Pushing a blob in chunks: each answer names where the next request goes",
            arriving: { request, stub in
                let aim = Aim(request)
                guard aim.isSession, let turn = request.query("turn").first, request.method != "GET" else { return nil }
                let now = stub.state.withLock { $0.marks["turn " + aim.reference]?.last }
                return now == turn ? nil : stub.error(404, "BLOB_UPLOAD_UNKNOWN")
            },
            leaving: { response, _, stub in
                guard let location = response["Location"], let end = location.firstIndex(of: "?") else { return }
                let aim = Aim(String(location[..<end]))
                guard aim.isSession else { return }
                let turn: Int = stub.state.withLock { state in
                    state.counter += 1
                    state.marks["turn " + aim.reference] = ["\(state.counter)"]
                    return state.counter
                }
                response.set("Location", location + "&turn=\(turn)")
            }),
        Latitude(
            "manifestsNamedByDigest", "Pushing Manifests: the location is a pullable manifest URL, by tag or by digest",
            leaving: { response, request, _ in
                let aim = Aim(request)
                guard aim.kind == "manifests", request.method == "PUT", response.status == 201,
                    let digest = response["Docker-Content-Digest"]
                else { return }
                response.set("Location", "/v2/\(aim.repository)/manifests/\(digest)")
            }),
    ]
}
