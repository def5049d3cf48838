import Foundation

/// Somebody that the registry may know.
package struct Identity: Sendable, Equatable {
    /// What the reports call it.
    package let name: String
    /// What it proves itself with.
    package enum Proof: Sendable, Equatable {
        /// Nothing.
        case anonymous
        /// User name and password.
        case password(user: String, password: String)
        /// A bearer token that the caller of the run got somewhere.
        case token(String)
    }
    /// What it proves itself with.
    package let proof: Proof

    /// Names an identity.
    package init(name: String, proof: Proof) {
        self.name = name
        self.proof = proof
    }

    /// Nobody.
    package static let anonymous = Identity(name: "anonymous", proof: .anonymous)

    /// The value of a Basic `Authorization` header; nil when there is no password.
    package var basic: String? {
        guard case .password(let user, let password) = proof else { return nil }
        return "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()
    }
}

/// What a run is aimed at and how.
package struct Target: Sendable {
    /// Where the registry is.
    package var base: Address
    /// Where its nodes listen, of a registry that has several and whose nodes are to be asked in turn.
    package var nodes: [Address] = []
    /// TLS settings.
    package var trust = Trust()
    /// Who pushes and pulls.
    package var identity = Identity.anonymous
    /// Others that the registry knows.
    package var others: [Identity] = []
    /// Who administers the registry, of a run with `--management`; nil in any other.
    package var administrator: Identity?
    /// First part of the names of repositories that the run makes.
    package var prefix = "conformance"
    /// The only repository that may be used, for registries that let nobody make one.
    package var onlyRepository: String?
    /// Each request must end within this.
    package var deadline: Duration = .seconds(30)
    /// Bytes of one of the seventeen chunks of what `--large` pushes.
    package var largePart = 64 << 20
    /// Repository, tags and digests for a read-only run.
    package var given: Given?
    /// Content that exists already.
    package struct Given: Sendable, Equatable {
        /// The repository.
        package var repository: String
        /// Tags in it.
        package var tags: [String]
        /// Manifest digests in it.
        package var digests: [String]

        /// Names what exists.
        package init(repository: String, tags: [String], digests: [String]) {
            (self.repository, self.tags, self.digests) = (repository, tags, digests)
        }
    }

    /// A target at `base`, everything else as usual.
    package init(base: Address) {
        self.base = base
    }
}

extension Challenge {
    /// The first Bearer challenge of an answer, else the first of any scheme; nil when there is none.
    package init?(_ headers: Headers) {
        let all = Challenge.all(headers.all("WWW-Authenticate"))
        guard let best = all.first(where: { $0.scheme == "bearer" }) ?? all.first else { return nil }
        self = best
    }

    /// The challenge with the right to pull from where a request mounts, which clients ask for as well.
    func toMount(_ target: String) -> Challenge {
        let query = target.drop { $0 != "?" }.dropFirst().split(separator: "&")
        guard scheme == "bearer", query.contains(where: { $0.hasPrefix("mount=") }),
            let from = query.first(where: { $0.hasPrefix("from=") })?.dropFirst(5)
        else { return self }
        let scopes = [parameters["scope"], "repository:\(queryUnescaped(from)):pull"].compactMap { $0 }
        return Challenge(
            scheme: scheme, parameters: parameters.merging(["scope": scopes.joined(separator: " ")]) { $1 })
    }
}
