import Foundation

/// "A 4XX response code from the registry MAY return a body in any format."
extension Latitude {
    private static let any = "Error Codes: the body of a 4XX may be of any format"

    private static func bodies(
        _ name: String, _ type: String, _ why: String = any, _ write: @escaping @Sendable (StubResponse) -> String
    ) -> Latitude {
        Latitude(
            name, why,
            leaving: { response, _, _ in
                guard (400..<500).contains(response.status) else { return }
                response.body = Array(write(response).utf8)
                response.set("Content-Type", type.isEmpty ? nil : type)
            })
    }

    private static func code(_ response: StubResponse) -> String {
        let text = String(decoding: response.body, as: UTF8.self)
        guard let match = text.firstMatch(of: /"code":"([A-Z_]+)"/) else { return "UNSUPPORTED" }
        return String(match.output.1)
    }

    private static func status(_ name: String, _ why: String, _ kinds: Set<String>, _ code: String, _ status: Int)
        -> Latitude
    {
        Latitude(
            name, why,
            leaving: { response, request, _ in
                let aim = Aim(request)
                guard kinds.contains(aim.kind), (400..<500).contains(response.status), Self.code(response) == code,
                    ["GET", "HEAD", "DELETE"].contains(request.method)
                else { return }
                response.status = status
            })
    }

    static let errors: [Latitude] = [
        bodies("errorsPlain", "text/plain") { "\($0.status)\n" },
        bodies("errorsEmpty", "") { _ in "" },
        bodies("errorsHTML", "text/html") { "<html><body><h1>\($0.status)</h1></body></html>" },
        bodies("errorsWithoutMessage", "application/json", "Error Codes: the message is OPTIONAL") {
            "{\"errors\":[{\"code\":\"\(code($0))\"}]}"
        },
        bodies("errorsWithEmptyMessage", "application/json", "Error Codes: the message may be empty") {
            "{\"errors\":[{\"code\":\"\(code($0))\",\"message\":\"\",\"detail\":null}]}"
        },
        bodies("errorsWithDetail", "application/json; charset=utf-8", "Error Codes: the detail is arbitrary JSON") {
            "{\"errors\":[{\"code\":\"\(code($0))\",\"message\":\"x\",\"detail\":{\"a\":[1,null]}}],\"requestId\":\"7\"}\n"
        },
        bodies("errorsSeveral", "application/json", "Error Codes: errors is an array") {
            "{\"errors\":[{\"code\":\"\(code($0))\",\"message\":\"x\"},{\"code\":\"DENIED\",\"message\":\"y\"}]}"
        },
        status(
            "malformedBlobsNotFound", "RFC 9110 §15.5.5: what is no digest is not found", ["blobs"], "DIGEST_INVALID",
            404),
        status(
            "malformedManifestsNotFound", "RFC 9110 §15.5.5: what is no reference is not found", ["manifests"],
            "DIGEST_INVALID", 404),
        Latitude(
            "limited", "RFC 6585 §4, RFC 9110 §10.2.3: 429 with Retry-After, and fields that count",
            arriving: { _, stub in
                let turn: Int = stub.state.withLock { state in
                    state.counter += 1
                    return state.counter
                }
                guard turn % 40 == 0 else { return nil }
                var busy = stub.error(429, "TOOMANYREQUESTS")
                busy.set("Retry-After", "0")
                busy.set("RateLimit-Limit", "100;w=21600")
                return busy
            },
            leaving: { response, _, _ in response.set("RateLimit-Remaining", "98;w=21600") }),
    ]
}
