import Foundation

/// Names and repositories that a registry may refuse, and what it holds already.
extension Latitude {
    private static let narrow = "name is bound by the grammar; no sentence says that every name of it has to be taken"

    private static func refusing(
        _ name: String, _ status: Int = 400, _ isRefused: @escaping @Sendable ([Substring]) -> Bool
    ) -> Latitude {
        Latitude(
            name, narrow,
            arriving: { request, stub in
                let aim = Aim(request)
                guard !aim.repository.isEmpty, isRefused(aim.repository.split(separator: "/")) else { return nil }
                return stub.error(status, status == 404 ? "NAME_UNKNOWN" : "NAME_INVALID")
            })
    }

    private static let words: Set<Substring> = ["manifests", "blobs", "uploads", "tags", "list", "referrers", "v2"]

    private static func used(_ state: inout StubRegistry.State, _ names: [String]) {
        let text = "{\"schemaVersion\":2,\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"manifests\":[]}"
        let digest = "sha256:" + String(repeating: "ab", count: 32)
        for name in names {
            var repository = StubRegistry.Repository()
            repository.manifests[digest] = StubRegistry.StubManifest(
                bytes: Array(text.utf8), type: "application/vnd.oci.image.index.v1+json")
            for number in 0..<30 { repository.tags["v\(number)"] = digest }
            state.repositories[name] = repository
        }
    }

    static let names: [Latitude] = [
        refusing("namesOfTwoParts") { $0.count > 2 },
        refusing("namesOfTwoPartsOnly") { $0.count != 2 },
        refusing("namesOfFourParts") { $0.count > 4 },
        refusing("namesOfFourPartsNotFound", 404) { $0.count > 4 },
        refusing("wordsReserved") { !words.isDisjoint(with: $0) },
        refusing("shortPartsRefused") { $0.contains { $0.utf8.count < 2 } },
        Latitude(
            "malformedNamesNotFound", "RFC 9110 §15.5.5: a router finds no route for what is no name",
            leaving: { response, _, stub in
                if response.status == 400, String(decoding: response.body, as: UTF8.self).contains("NAME_INVALID") {
                    response = StubResponse(404, [("Content-Type", "text/plain")], Array("404 page not found\n".utf8))
                }
            }),
        Latitude(
            "malformedNamesUnauthorized", "RFC 9110 §15.5.2: credentials may be asked for before a name is parsed",
            arriving: { request, stub in
                let aim = Aim(request)
                guard !aim.repository.isEmpty, !stub.isName(aim.repository) else { return nil }
                return StubResponse(
                    401, [("WWW-Authenticate", "Bearer realm=\"/token\",service=\"s\"")])
            }),
        Latitude(
            "repositoriesGiven", "no sentence says that a push makes a repository that is not there",
            arriving: { request, stub in
                let aim = Aim(request)
                guard aim.kind == "uploads", request.method == "POST", !aim.repository.hasPrefix("given/") else {
                    return nil
                }
                return stub.error(404, "NAME_UNKNOWN")
            }),
        Latitude(
            "usedRegistry", "a registry holds what earlier runs and others left in it",
            content: { state in
                let runs = (0..<40).flatMap { run in
                    ["catalog-once-a", "catalog-once-b", "pull-manifest-by-tag"].map { "conformance/old\(run)/\($0)" }
                }
                used(&state, runs + ["aaa/aaa", "conformance", "conformance/x", "zzz/zzz"])
            }),
        Latitude(
            "crowdedRegistry", "a registry holds what others put there",
            content: { state in used(&state, (0..<700).map { "conformanc\($0 % 2 == 0 ? "d" : "f")/r\($0)" }) }),
    ]
}
