import Foundation
import Synchronization

/// A small, correct registry with accounts and a management API, in memory, with one switch a fault: it serves what
/// `docs/openapi.json` says, keeps content in a `StubRegistry`, and shares no code with the runner nor the registry.
final class StubManagement: Sendable {
    static let administrator = (name: "root", password: "root-password-7hq2")

    let state: Mutex<StubAccountState>
    let faults: ManagementFaults
    let document: StubDocument
    let content = StubRegistry()

    init(_ faults: Set<ManagementFault> = []) throws {
        self.faults = ManagementFaults(faults)
        document = try StubDocument(self.faults)
        var first = StubAccountState()
        first.users["root"] = StubUser(
            id: 1, name: "root", admin: true, password: Self.administrator.password, created: Date())
        state = Mutex(first)
    }

    func has(_ fault: ManagementFault) -> Bool { faults.has(fault) }

    /// Starts to serve on a free port.
    func serve() throws -> StubServer {
        try StubServer(
            faults: FaultSet([]), refusing: { self.finished(self.problem($0, "bad_request")) },
            { self.answer($0) })
    }

    func answer(_ request: StubRequest) -> StubResponse {
        guard request.path.hasPrefix("/api/v1/") else { return distribution(request) }
        if request.target.utf8.count > 16_000 { return finished(problem(414, "bad_request")) }
        let head = request.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if head > 16_000 { return finished(problem(431, "bad_request")) }
        return finished(management(request))
    }

    private func management(_ request: StubRequest) -> StubResponse {
        if request.header("Transfer-Encoding") != nil { return problem(501, "bad_request") }
        guard let (operation, parameters) = document.find(request.method, request.path) else {
            let methods = document.methods(request.path)
            if methods.isEmpty { return has(.unknownPathFine) ? json(200, [:]) : problem(404, "not_found") }
            if has(.methodIgnored) { return StubResponse(204) }
            var refused = problem(405, "method_not_allowed")
            if !has(.allowMissing) { refused.set("Allow", methods.sorted().joined(separator: ", ")) }
            return refused
        }
        return state.withLock { state in
            var call = StubCall(
                request: request, operation: operation.id, parameters: parameters, caller: caller(request, &state))
            if let refused = refusal(call, &state) {
                if refused.status == 403, !has(.refusalUnaudited) {
                    state.note("request", operation.id, by: call.caller.name, outcome: "refused")
                }
                return refused
            }
            if let refused = document.fault(request, operation, &call.fields, self) { return refused }
            let repeated = request.header("Idempotency-Key").map { "\(call.caller.id) \(operation.id) \($0)" }
            if let old = repeated.flatMap({ state.repeats[$0] }) {
                return old.body == request.body ? old.answer : problem(422, "idempotency_key_reused")
            }
            let answer = document.completed(perform(call, &state), operation)
            if let repeated, answer.status == 201 { state.repeats[repeated] = (request.body, answer) }
            return answer
        }
    }

    private static let registrations: Set<String> = [
        "auth.register", "auth.confirm", "auth.resetRequest", "auth.reset", "auth.email", "auth.emailConfirm",
    ]

    private func perform(_ call: StubCall, _ state: inout StubAccountState) -> StubResponse {
        switch call.operation.prefix(while: { $0 != "." }) {
        case "auth" where Self.registrations.contains(call.operation): registrations(call, &state)
        case "auth": sessions(call, &state)
        case "invitations": invitations(call, &state)
        case "users" where !call.operation.contains(".keys"): users(call, &state)
        case "organizations", "members", "teams": organizations(call, &state)
        case "robots" where !call.operation.contains(".keys"): robots(call, &state)
        case "keys", "users", "robots": keys(call, &state)
        case "repositories": repositories(call, &state)
        case "permissions": permissions(call, &state)
        case "tags", "manifests", "blobs": contents(call, &state)
        default: system(call, &state)
        }
    }

    // MARK: answers

    /// What every answer has, and what faults make of any.
    private func finished(_ answer: StubResponse) -> StubResponse {
        var answer = answer
        if answer["X-Request-Id"] == nil, !has(.requestIDMissing) { answer.set("X-Request-Id", UUID().uuidString) }
        if answer.status == 401, !has(.challengeMissing) {
            answer.set("WWW-Authenticate", "Basic realm=\"stub\", charset=\"UTF-8\"")
        }
        return answer
    }

    func json(_ status: Int, _ object: Any, _ headers: [(String, String)] = []) -> StubResponse {
        StubResponse(status, [("Content-Type", "application/json")] + headers, StubJSON.bytes(object))
    }

    func problem(_ status: Int, _ code: String, field: String? = nil, title: String = "it is not so") -> StubResponse {
        var members: [String: Any] = [
            "status": has(.problemStatusOther) ? 400 : status, "title": title, "code": code,
        ]
        if has(.problemCodeMissing) { members["code"] = nil }
        if let field, !has(.fieldUntold) { members["field"] = field }
        let type = has(.problemTypePlain) ? "text/plain" : "application/problem+json"
        return StubResponse(status, [("Content-Type", type)], StubJSON.bytes(members))
    }

    func absent(_ what: String) -> StubResponse { problem(404, "not_found", title: "there is no \(what)") }

    /// A page of a list: `key` is what the cursor is made of.
    func page(
        _ call: StubCall, _ items: [(key: String, item: [String: Any])], isPaged: Bool = true
    ) -> StubResponse {
        guard isPaged else { return json(200, ["items": items.map(\.item), "next": NSNull()] as [String: Any]) }
        var limit = call.query("n").flatMap { Int($0) } ?? 100
        if has(.pageTooLong) { limit = 100 }
        var rest = items
        if let after = call.query("after"), let place = items.firstIndex(where: { $0.key == after }) {
            rest = Array(items[(place + (has(.cursorRepeats) ? 0 : has(.cursorSkips) ? 2 : 1))...].prefix(1_000))
        }
        let shown = Array(rest.prefix(limit))
        var members: [String: Any] = ["items": shown.map(\.item), "next": NSNull()]
        var headers: [(String, String)] = []
        if rest.count > limit, let last = shown.last?.key {
            if !has(.nextMissing) { members["next"] = last }
            let others = call.request.target.drop { $0 != "?" }.dropFirst().split(separator: "&")
                .filter { !$0.hasPrefix("after=") }.map { $0 + "&" }.joined()
            if !has(.linkMissing) {
                headers = [("Link", "<\(call.request.path)?\(others)after=\(StubJSON.escaped(last))>; rel=\"next\"")]
            }
        }
        return json(200, members, headers)
    }
}

/// A request that found its operation.
struct StubCall {
    let request: StubRequest
    let operation: String
    let parameters: [String: String]
    let caller: StubCaller
    /// The members of the body.
    var fields: [String: Any] = [:]

    func query(_ name: String) -> String? { request.query(name).first }
    func text(_ name: String) -> String? { fields[name] as? String }
    subscript(_ parameter: String) -> String { parameters[parameter] ?? "" }
}

/// JSON as the stub writes it.
enum StubJSON {
    static func bytes(_ object: Any) -> [UInt8] {
        do {
            return Array(
                try JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes]))
        } catch {
            return Array("{}".utf8)
        }
    }

    static func time(_ date: Date?) -> Any {
        guard let date else { return NSNull() }
        return ISO8601DateFormatter().string(from: date)
    }

    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? text
    }
}
