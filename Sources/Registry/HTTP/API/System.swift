import Access
import Model
import Service

/// `/api/v1/openapi.json`: what there is below `/api/v1/`.
enum SystemOperations {
    static let operations: [Operation] = [
        .api(
            "system.document", .get, "/api/v1/openapi.json", .anybody, "Describes this API.",
            gives: .init(200, .anything)
        ) { _ throws(RegistryError) in
            Response(
                200, [("Content-Type", "application/json"), ("Cache-Control", "no-cache")],
                .bytes(OperationTable.document))
        }
    ]
}
