import Access
import Model
import Service

/// `/api/v1/openapi.json` and `/api/docs`: what there is below `/api/v1/`, for programs and for people.
enum SystemOperations {
    static let operations: [Operation] = [
        .api(
            "system.document", .get, "/api/v1/openapi.json", .anybody, "Describes this API.",
            gives: .init(200, .anything)
        ) { _ throws(RegistryError) in
            Response(
                200, [("Content-Type", "application/json"), ("Cache-Control", "no-cache")],
                .bytes(OperationTable.document))
        },
        Operation(.get, "/api/docs", .anybody, answers: [200], rate: .read, spec: "system.page") {
            _ throws(RegistryError) in
            Response(
                200,
                [
                    ("Content-Type", "text/html; charset=utf-8"), ("Cache-Control", "no-cache"),
                    (
                        "Content-Security-Policy",
                        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
                    ), ("X-Content-Type-Options", "nosniff"),
                ], .bytes(OperationTable.page))
        },
    ]
}
