import Access
import Model
import Service

/// `/api/v1/audit`: what happened, for administrators of the registry, and of one organization for who manages it.
enum AuditOperations {
    static let operations = [
        Operation(
            .get, "/api/v1/audit", .registry(.administer), answers: [200], failures: [.paginationInvalid], rate: .list,
            spec: "api: audit", style: .problem
        ) { call throws(RegistryError) in
            page(try await call.accounts.audit.list(call.listRequest(), call.registryGrant()))
        },
        OrganizationOperations.operation(
            .get, "/api/v1/organizations/{organization}/audit", .namespace(.manage), [200], [.paginationInvalid]
        ) { call throws(RegistryError) in
            page(try await call.accounts.audit.list(call.listRequest(), call.namespaceGrant()))
        },
    ]

    private static func page(_ found: (events: [Event], next: String?)) -> Response {
        .page(
            found.events.map { event in
                var json = JSONObject()
                json.put("id", event.id)
                json.put("at", event.at)
                json.put("who", event.who)
                json.put("credential", event.credential)
                json.put("address", event.address)
                json.put("request_id", event.requestID)
                json.put("action", event.action)
                json.put("outcome", event.outcome)
                json.put("subject", event.subject)
                json.put("detail", event.detail)
                return json
            }, next: found.next)
    }
}
