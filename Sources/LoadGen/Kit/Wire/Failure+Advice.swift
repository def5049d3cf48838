extension Failure {
    /// What a failure of that name most often means and what helps, for people; `nil` where the name says it all.
    package static func advice(for name: String) -> String? {
        switch name {
        case "connection-refused": "nobody listens there"
        case "unreachable": "no route to the host"
        case "no-local-port":
            "the generator ran out of local ports or descriptors: lower the rate or keep connections alive"
        case "no-connection":
            "all connections were taken, and too many requests waited for one: raise --max-connections or lower the rate"
        case "connect-timeout": "nothing answers at that address"
        case "tls":
            "the TLS handshake failed: a certificate that is not trusted (--cacert FILE, --insecure), or no TLS at that port"
        case "timeout": "no answer within --timeout"
        case "closed-early": "the connection was closed before the answer came"
        case "answer-too-long": "the head of the answer is longer than 64 KiB, or its body than can be kept"
        case "malformed-answer": "the answer is no HTTP/1.1"
        case "login-refused": "the token server refuses the credentials"
        case "login-unasked": "the target asks nobody who they are: there is no login to measure"
        case "login-wanted": "the target wants credentials: --user with --password-file"
        case "not-sent": "the generator could not begin them in time: lower the rate or raise --threads"
        case "redirected-elsewhere":
            "the target sends clients to another host for it; a token server elsewhere is asked only with --token-host"
        case "unusable-answer": "the answer lacks what a client needs of it"
        case "status-401": "the target wants credentials, or refuses these: --user with --password-file"
        case "status-403":
            "these credentials may not do that; where one may push below a user's or an organization's name alone, --namespace names it"
        case "status-404": "there is nothing at that path"
        case "status-405": "the target does not support it"
        case "status-429": "the target limits the rate"
        case "status-304": nil
        case _ where name.hasPrefix("status-3"): "redirects are followed for blobs only"
        case _ where name.hasPrefix("status-5"): "the target says that it is in trouble"
        default: nil
        }
    }

    /// The name, with what it most often means.
    package static func explained(_ name: String) -> String {
        advice(for: name).map { "\(name): \($0)" } ?? name
    }
}
