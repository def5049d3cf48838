import Access
import Model
import Service

extension Application {
    /// The challenge of a 401: where to get a token and for what (distribution, "Token Authentication Specification"), one line
    /// with one scope of three parts. `error` is said of a token that came and was not good enough: containerd gives up on it.
    func challenge(_ error: RegistryError, _ request: Request, _ operation: Operation?, _ name: RepositoryName?)
        -> [(name: String, value: String)]
    {
        guard ErrorResponse.table(error.code).status == 401 else { return [] }
        if operation?.rate == .health { return [("WWW-Authenticate", "Bearer")] }
        guard let operation, operation.errorStyle == .docker, operation.rate != .token, !settings.challengesBasic else {
            return [("WWW-Authenticate", #"Basic realm="aerugo", charset="UTF-8""#)]
        }
        var parts = [
            #"realm="\#(tokenURL(request))""#, #"service="\#(accounts.tokens.service)""#,
        ]
        let right: Right? =
            switch operation.access {
            case .anybody: nil
            case .registry(let right), .repository(let right), .namespace(let right): right
            }
        if let scope = right.flatMap({ ScopeRequest.wanted($0, on: name) }) { parts.append(#"scope="\#(scope)""#) }
        switch error.code {
        case .insufficientScope: parts.append(#"error="insufficient_scope""#)
        case .credentialsInvalid: parts.append(#"error="invalid_token""#)
        default: break
        }
        return [("WWW-Authenticate", "Bearer " + parts.joined(separator: ","))]
    }

    private func tokenURL(_ request: Request) -> String {
        (settings.url.isEmpty ? request.origin(settings) : settings.url) + "/auth/token"
    }
}
