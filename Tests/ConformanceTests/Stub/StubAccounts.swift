import Crypto
import Foundation

/// A refusal on its way to become an answer.
struct StubDenial: Error {
    let response: StubResponse
}

/// Token authentication of the stub: two users, tokens signed by HMAC with a secret of its own.
struct StubAccounts: Sendable {
    static let alice = (name: "alice", password: "alice-password-5fk2")
    static let bob = (name: "bob", password: "bob-password-9qz7")
    static let service = "stub.registry"
    private static let secret = SymmetricKey(data: Array("a secret of the stub's own".utf8))

    /// Alice has everything but what is below her colleague's name.
    func owns(_ user: String, _ repository: String) -> Bool {
        switch user {
        case "bob": repository.hasPrefix("bob/")
        case "alice": !repository.hasPrefix("bob/")
        default: false
        }
    }

    func leaks(_ faults: FaultSet, _ missing: Bool) -> Bool { false }

    func mayRead(_ request: StubRequest, _ repository: String, _ faults: FaultSet) -> Bool {
        if faults.has(.mountScopeUnchecked) { return true }
        guard let claims = claims(request, faults) else { return false }
        return allows(claims, "repository:\(repository):pull", faults)
            && (owns(claims["sub"] as? String ?? "", repository) || faults.has(.ownersUnchecked))
    }

    /// The user whose token allows the scope; an empty scope needs a valid token alone.
    func check(_ request: StubRequest, _ scope: String, _ faults: FaultSet) -> Result<String, StubDenial> {
        let parts = scope.split(separator: ":").map(String.init)
        let action = parts.last ?? ""
        if request.header("Authorization") == nil, isOpen(request, action, faults) { return .success("") }
        if let value = request.header("Authorization"), faults.has(.oddAuthorization500), !value.hasPrefix("Bearer ey")
        {
            return .failure(StubDenial(response: StubResponse(500)))
        }
        guard let claims = claims(request, faults) else { return .failure(challenge(scope, faults, 401)) }
        let user = claims["sub"] as? String ?? ""
        if scope.isEmpty {
            return faults.has(.loginForbidden) ? .failure(StubDenial(response: StubResponse(403))) : .success(user)
        }
        if scope.hasPrefix("registry:") { return .success(user) }
        if faults.has(.sessionsOfAnybody), request.path.contains("/blobs/uploads/"), request.method != "POST" {
            return .success(user)
        }
        let isPublic = user == "public" && action == "pull" && request.path.contains("/manifests/")
        let isOwner =
            owns(user, parts[1]) || faults.has(.ownersUnchecked) || isPublic
            || (faults.has(.ownersUncheckedForReading) && action == "pull")
        guard isOwner else {
            if faults.has(.existenceTold), !parts[1].hasSuffix("never-made") {
                return .failure(StubDenial(response: StubResponse(403)))
            }
            return .failure(challenge(scope, faults, 401))
        }
        guard allows(claims, scope, faults) else {
            let code = faults.has(.insufficientIsInvalid) ? "invalid_token" : "insufficient_scope"
            return .failure(challenge(scope, faults, 401, error: code))
        }
        return .success(user)
    }

    private func isOpen(_ request: StubRequest, _ action: String, _ faults: FaultSet) -> Bool {
        if faults.has(.asksNobody) { return true }
        if faults.has(.anybodyReads), action == "pull" { return true }
        if faults.has(.anybodyWrites), action == "push" || action == "delete" { return true }
        return faults.has(.anybodyUploads) && request.path.contains("/blobs/uploads/") && request.method != "POST"
    }

    private func challenge(
        _ scope: String, _ faults: FaultSet, _ status: Int, error: String? = nil
    ) -> StubDenial {
        var response = StubResponse(
            status, [("Content-Type", "application/json")], Array("{\"errors\":[{\"code\":\"UNAUTHORIZED\"}]}".utf8))
        var text = "Bearer realm=\"/token\",service=\"\(StubAccounts.service)\""
        let needed = scope.replacingOccurrences(of: ":push", with: ":pull,push").replacingOccurrences(
            of: ":delete", with: ":pull,push,delete")
        if !scope.isEmpty, !faults.has(.challengeWithoutScope) { text += ",scope=\"\(needed)\"" }
        if let error { text += ",error=\"\(error)\"" }
        if scope.isEmpty, faults.has(.challengeForm) { text = "Negotiate" }
        if !(faults.has(.noChallenge) && scope.hasSuffix("pull")) { response.set("WWW-Authenticate", text) }
        return StubDenial(response: response)
    }

    private func allows(_ claims: [String: Any], _ scope: String, _ faults: FaultSet) -> Bool {
        let parts = scope.split(separator: ":").map(String.init)
        let access = claims["access"] as? [[String: Any]] ?? []
        if faults.has(.scopesUnchecked) || (faults.has(.noScopeIsAll) && access.isEmpty) { return true }
        return access.contains { entry in
            let actions = entry["actions"] as? [String] ?? []
            let name = entry["name"] as? String
            let isRepository = name == parts[1] || name == "*" || faults.has(.scopeRepositoryUnchecked)
            return isRepository && (actions.contains(parts[2]) || faults.has(.scopeActionUnchecked))
        }
    }

    // MARK: tokens

    private func encoded(_ bytes: some Sequence<UInt8>) -> String {
        Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
            .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }

    private func decoded(_ text: String) -> [String: Any]? {
        var text = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while text.count % 4 != 0 { text += "=" }
        guard let data = Data(base64Encoded: text) else { return nil }
        do { return try JSONSerialization.jsonObject(with: data) as? [String: Any] } catch { return nil }
    }

    private static var everything: [String: Any] {
        ["type": "repository", "name": "*", "actions": ["pull", "push", "delete"]]
    }

    /// A token of alice's for everything, as somebody may have got it long before.
    func pass() -> String {
        let access = StubAccounts.everything
        let end = Date().timeIntervalSince1970 + 3_600
        return sign(["sub": "alice", "aud": StubAccounts.service, "exp": end, "access": [access]])
    }

    private func sign(_ claims: [String: Any]) -> String {
        do {
            let head = encoded(try JSONSerialization.data(withJSONObject: ["alg": "HS256", "typ": "JWT"]))
            let body = encoded(try JSONSerialization.data(withJSONObject: claims))
            let code = HMAC<SHA256>.authenticationCode(for: Array("\(head).\(body)".utf8), using: StubAccounts.secret)
            return "\(head).\(body).\(encoded(code))"
        } catch {
            return ""
        }
    }

    /// The claims of a good token of the request.
    private func claims(_ request: StubRequest, _ faults: FaultSet) -> [String: Any]? {
        guard let value = request.header("Authorization"), value.hasPrefix("Bearer ") else { return nil }
        if faults.has(.refreshIsAccess), value == "Bearer refresh-alice-77" {
            return ["sub": "alice", "access": [StubAccounts.everything]]
        }
        let parts = value.dropFirst(7).split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let head = decoded(parts[0]), let claims = decoded(parts[1]) else { return nil }
        guard isSigned(parts, head, faults) else { return nil }
        if claims["aud"] as? String != StubAccounts.service, !faults.has(.audienceUnchecked) { return nil }
        return (claims["exp"] as? Double ?? 0) > Date().timeIntervalSince1970 ? claims : nil
    }

    private func isSigned(_ parts: [String], _ head: [String: Any], _ faults: FaultSet) -> Bool {
        let algorithm = head["alg"] as? String ?? ""
        if faults.has(.signatureUnchecked) { return true }
        if faults.has(.unsignedTaken), algorithm == "none" { return true }
        if faults.has(.unsignedTakenAnyCase), algorithm.lowercased() == "none", algorithm != "none" { return true }
        if faults.has(.ownKeyTaken), head["jwk"] != nil, head["jku"] == nil { return true }
        if faults.has(.keyURLTaken), head["jku"] != nil { return true }
        if faults.has(.unknownKeyTaken), head["kid"] as? String == "stranger" { return true }
        if faults.has(.keyPathTaken), (head["kid"] as? String)?.contains("/") == true { return true }
        if faults.has(.emptySignatureTaken), parts[2].isEmpty, algorithm == "HS256" { return true }
        func isCode(_ key: SymmetricKey) -> Bool {
            let code = HMAC<SHA256>.authenticationCode(for: Array("\(parts[0]).\(parts[1])".utf8), using: key)
            return encoded(code) == parts[2]
        }
        if faults.has(.emptySecretTaken), isCode(SymmetricKey(data: [UInt8]())) { return true }
        return algorithm == "HS256" && isCode(StubAccounts.secret)
    }

    /// The token endpoint, GET and POST.
    func token(_ request: StubRequest, _ faults: FaultSet) -> StubResponse {
        var fields: [String: String] = [:]
        var scopes = request.query("scope")
        var user: String?
        if request.method == "POST" {
            if faults.has(.tokenPost500) { return StubResponse(500) }
            for pair in String(decoding: request.body, as: UTF8.self).split(separator: "&") {
                let parts = pair.split(separator: "=", maxSplits: 1).map(String.init)
                fields[parts[0]] = parts.count > 1 ? parts[1].removingPercentEncoding : ""
            }
            scopes = (fields["scope"] ?? "").split(separator: " ").map(String.init)
            if faults.has(.postFirstScopeOnly) { scopes = Array(scopes.prefix(1)) }
            user =
                fields["grant_type"] == "refresh_token"
                ? owner(ofRefresh: fields["refresh_token"] ?? "", faults)
                : known(fields["username"] ?? "", fields["password"] ?? "", faults)
            if user == nil, faults.has(.postAnyPassword), fields["grant_type"] == "password" {
                user = fields["username"]
            }
        } else {
            guard let value = request.header("Authorization") else {
                return nobody(scopes, request.query("service").first ?? "", faults)
            }
            let data = Data(base64Encoded: String(value.dropFirst(6))) ?? Data()
            let pair = String(decoding: data, as: UTF8.self).split(separator: ":", maxSplits: 1).map(String.init)
            user = known(pair.first ?? "", pair.count > 1 ? pair[1] : "", faults)
        }
        guard let user else { return StubResponse(401, [("WWW-Authenticate", "Basic realm=\"stub\"")]) }
        if faults.has(.scopeNeeded), scopes.isEmpty, !request.query("offline_token").isEmpty {
            return StubResponse(400)
        }
        if faults.has(.lastScopeOnly) { scopes = scopes.suffix(1) }
        if faults.has(.oddScope500), scopes.contains(where: { $0.split(separator: ":").count != 3 }) {
            return StubResponse(500)
        }
        let service = request.query("service").first ?? fields["service"] ?? ""
        if faults.has(.partialRefused),
            scopes.contains(where: { !owns(user, $0.split(separator: ":").dropFirst().first.map(String.init) ?? "") })
        {
            return StubResponse(403)
        }
        let answer = issue(user, scopes, service, offline: !request.query("offline_token").isEmpty, faults)
        if faults.has(.tokenFieldOther), request.method == "POST" {
            let text = String(decoding: answer.body, as: UTF8.self).replacingOccurrences(of: "token\"", with: "jwt\"")
            return StubResponse(200, answer.headers, Array(text.utf8))
        }
        return answer
    }

    private func owner(ofRefresh token: String, _ faults: FaultSet) -> String? {
        guard !faults.has(.refreshBroken) else { return nil }
        let user = [StubAccounts.alice.name, StubAccounts.bob.name].first { token == "refresh-\($0)-77" }
        return user != nil && faults.has(.refreshOfAnybody) ? StubAccounts.alice.name : user
    }

    /// A token for who brings no credentials: none, or one that allows nothing.
    private func nobody(_ scopes: [String], _ service: String, _ faults: FaultSet) -> StubResponse {
        if faults.has(.anonymousPushes) { return issue("alice", scopes, service, offline: false, faults) }
        if faults.has(.publicInPart) { return issue("public", scopes, service, offline: false, faults) }
        if faults.has(.anonymousTokens) { return issue("nobody", scopes, service, offline: false, faults) }
        return StubResponse(401, [("WWW-Authenticate", "Basic realm=\"stub\"")])
    }

    private func known(_ name: String, _ password: String, _ faults: FaultSet) -> String? {
        if faults.has(.tokenIsPassword), password.split(separator: ".").count == 3 { return name }
        for (user, secret) in [StubAccounts.alice, StubAccounts.bob] where user == name {
            return secret == password || faults.has(.anyPassword) ? user : nil
        }
        return nil
    }

    private func issue(
        _ user: String, _ scopes: [String], _ service: String, offline: Bool, _ faults: FaultSet
    ) -> StubResponse {
        let access: [[String: Any]] = scopes.compactMap { scope in
            let parts = scope.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            let reads = parts.last == "pull"
            guard parts.count == 3, !(reads && faults.has(.pullTokensRefused)),
                owns(user, parts[1]) || faults.has(.ownersUnchecked) || user == "public" && reads
                    || (reads && faults.has(.ownersUncheckedForReading))
            else { return nil }
            let actions = parts[2] == "*" ? "pull,push,delete" : parts[2]
            return ["type": parts[0], "name": parts[1], "actions": actions.split(separator: ",").map(String.init)]
        }
        let now = Date().timeIntervalSince1970
        let token = sign(["sub": user, "aud": service, "exp": now + 300, "access": access])
        var answer: [String: Any] = [
            "token": token, "access_token": faults.has(.tokensDiffer) ? token + "x" : token,
            "expires_in": faults.has(.shortLived) ? 10 : 300,
            "issued_at": faults.has(.issuedAtText) ? "today" : "2026-01-01T00:00:00Z",
        ]
        if offline { answer["refresh_token"] = "refresh-\(user)-77" }
        do {
            return StubResponse(
                200, [("Content-Type", "application/json"), ("Set-Cookie", "session=cookie-secret-314159; Path=/")],
                Array(try JSONSerialization.data(withJSONObject: answer)))
        } catch {
            return StubResponse(500)
        }
    }
}
