import FoundationEssentials
import Harness
import NIOCore

extension RegistryClient {
    /// What a session at the management API is kept under, beside the scopes of tokens.
    private static let session = "/api/v1/"

    /// Sends a request below `/api/v1/`. A user name and its password begin a session first, which all requests of an event loop
    /// share until it is nearly over; a token goes along as it is.
    ///
    /// - Parameters:
    ///   - target: what stands behind `/api/v1/`, escaped.
    ///   - body: a JSON object.
    func manage(
        _ operation: Operation, _ method: String, _ target: String, body: String? = nil, accepts: [Int] = [200],
        _ session: Session
    ) async throws(Failure) -> Answer {
        for attempt in 1...2 {
            var fields: [String] = []
            if let authorization = try await apiAuthorization(session) { fields.append(authorization) }
            if body != nil { fields.append("Content-Type: application/json") }
            let answer = await session.send(
                Request(
                    operation, method, endpoint, "/api/v1/" + target, fields: fields,
                    body: body.map { .bytes(ByteBuffer(string: $0)) } ?? .none, closes: closes,
                    accepts: attempt == 1 && hasPassword ? accepts + [401] : accepts))
            if let failure = answer.failure { throw failure }
            if accepts.contains(answer.status) { return answer }
            guard answer.status == 401, attempt == 1, hasPassword else { throw .status(answer.status) }
            // It ended, as sessions do when somebody changes a password.
            session.logins.forget(Self.session)
        }
        throw .status(401)
    }

    /// Begins the session of this event loop, where there is a password, and finds out whether the API is there.
    func logInToManage(_ session: Session) async throws(Failure) {
        _ = try await manage(.apiInfo, "GET", "system/info", session)
    }

    private var hasPassword: Bool {
        if case .basic = credentials { true } else { false }
    }

    private func apiAuthorization(_ session: Session) async throws(Failure) -> String? {
        guard case .basic(let user, let password) = credentials else { return credentials.fields.first }
        // One of those that are under way renews it before it is over; the others go on with what there is.
        if let token = session.logins.token(for: Self.session), !session.logins.isDue(Self.session) {
            return "Authorization: Bearer " + token
        }
        let json: Data
        do {
            json = try JSONEncoder().encode(["name": user, "password": password, "client": Program.name])
        } catch {
            throw .unusable
        }
        let answer = await session.send(
            Request(
                .apiLogin, "POST", endpoint, "/api/v1/auth/login", fields: ["Content-Type: application/json"],
                body: .bytes(ByteBuffer(bytes: json)), keeping: .bytes(limit: 65_536), closes: closes))
        if let failure = answer.failure { throw failure }
        guard answer.status == 200 else { throw answer.status == 401 ? .loginRefused : .status(answer.status) }
        guard let token = TokenAnswer(json: answer.body) else { throw .unusable }
        session.logins.keep(token.value, for: Self.session, lifetime: token.lifetime)
        return "Authorization: Bearer " + token.value
    }
}
