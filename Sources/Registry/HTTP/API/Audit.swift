import Access
import Model
import Service

/// `/api/v1/audit`: what happened, for administrators of the registry, and of one organization for who manages it.
enum AuditOperations {
    static let operations: [Operation] = [
        .api(
            "audit.list", .get, "/api/v1/audit", .registry(.administer), "Lists what happened, newest first.",
            query: Shape.Member.page, gives: .init(200, .page(of: .event)), failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.audit.list(call.listRequest(), call.registryGrant())
            return call.page(found.events.map(\.json), next: found.next)
        },
        .api(
            "organizations.audit", .get, "/api/v1/organizations/{organization}/audit", .namespace(.manage),
            "Lists what happened in an organization, newest first.", query: Shape.Member.page,
            gives: .init(200, .page(of: .event)), failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.audit.list(call.listRequest(), call.namespaceGrant())
            return call.page(found.events.map(\.json), next: found.next)
        },
    ]
}

extension Event {
    fileprivate var json: JSONObject {
        var json = JSONObject()
        json.put("id", id)
        json.put("at", at)
        json.put("who", who)
        json.put("credential", credential)
        json.put("address", address)
        json.put("request_id", requestID)
        json.put("action", action)
        json.put("outcome", outcome)
        json.put("subject", subject)
        json.put("detail", detail)
        return json
    }
}
