import Access
import Model
import Service

/// `/api/v1/audit`: what happened, for administrators of the registry, and of one organization for who manages it.
enum AuditOperations {
    static let operations: [Operation] = [
        .api(
            "audit.list", .get, "/api/v1/audit", .registry(.administer), "Lists what happened, newest first.",
            query: filters, gives: .init(200, .page(of: .event), lines: .event), failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.audit.list(
                call.auditSearch(), call.listRequest(), call.registryGrant())
            return call.events(found.events, next: found.next)
        },
        .api(
            "organizations.audit", .get, "/api/v1/organizations/{organization}/audit", .namespace(.manage),
            "Lists what happened in an organization, newest first.", query: filters,
            gives: .init(200, .page(of: .event), lines: .event), failures: [.paginationInvalid]
        ) { call throws(RegistryError) in
            let found = try await call.accounts.audit.list(
                call.auditSearch(), call.listRequest(), call.namespaceGrant())
            return call.events(found.events, next: found.next)
        },
    ]

    private static let filters: [Shape.Member] =
        Shape.Member.page(after: .identifier) + [
            .optional("action", .text(1...64), "Such as `user.create`."),
            .optional("outcome", .oneOf(["done", "refused", "failed"]), ""),
            .optional("who", .text(1...64), "The name of an account."),
            .optional("since", .time, "Not before."), .optional("until", .time, "Before."),
            .optional("format", .oneOf(["json", "ndjson"]), "`ndjson`: a line an entry; `Link` leads on."),
        ]
}

extension Call {
    fileprivate func auditSearch() -> AuditSearch {
        var search = AuditSearch()
        search.action = request.query["action"]
        search.outcome = request.query["outcome"]
        search.who = request.query["who"]
        search.since = request.query["since"].flatMap { Timestamp(rfc3339: $0) }
        search.until = request.query["until"].flatMap { Timestamp(rfc3339: $0) }
        return search
    }

    fileprivate func events(_ events: [Event], next: String?) -> Response {
        let items = events.map(\.json)
        var response = page(items, next: next)
        guard request.query["format"] == "ndjson" else { return response }
        response.headers = response.headers.filter { $0.name != "Content-Type" }
        response.headers.append(("Content-Type", "application/x-ndjson"))
        response.body = .bytes(Array(items.map { $0.text + [UInt8(ascii: "\n")] }.joined()))
        return response
    }
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
