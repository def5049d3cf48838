import Vocabulary

/// The accounts and the repositories that the checks of a run share: nobody changes them but to what they are.
package struct Household: Sendable {
    /// The organization in which the roles are, and another one.
    let own: String
    let foreign: String
    /// Who plays each role.
    let actors: [Role: Actor]
    /// An account that nobody plays: what is done to a user is done to this one.
    let spare: String
    /// The robot of both organizations, and the team of both.
    let robot = "ci"
    let team = "crew"
    /// What is in the repository `app` of both organizations, under the tag `v1`.
    let image: String
    let layer: String

    /// Who plays a role.
    func actor(_ role: Role) -> Actor { actors[role] ?? .nobody }

    /// The name of the account that plays a role.
    func name(_ role: Role) -> String { name(of: actor(role)) }

    /// The name of an actor's account; of the administrator and of nobody what they are called.
    func name(of actor: Actor) -> String {
        switch actor.login {
        case .password(let name), .secret(let name, _): name
        case .nobody, .administrator, .bearer: actor.name
        }
    }
}

extension Probe {
    /// The accounts of the run, made by the first check that asks; what made them stands before what this check sends.
    func cast() throws -> Household {
        let management = try management()
        let cast = try leaning(on: "api.cast") {
            try management.cast {
                let probe = try Probe(run: run, id: "api.cast")
                return (try HouseholdMaker(probe: probe, management: management).make(), probe)
            }
        }
        if recorder.all.isEmpty {
            let setUp = management.setUp
            recorder.adopt(setUp.exchanges)
            borrowed = setUp.borrowed + borrowed
        }
        return cast
    }

    /// What a run with `--management` knows. Skips the check in any other.
    func management() throws -> ManagementRun {
        guard let management = run.management else { throw Skip("needs --management") }
        return management
    }
}

/// Makes the accounts.
struct HouseholdMaker {
    let probe: Probe
    let management: ManagementRun

    private func done(_ method: String, _ path: String, _ json: String? = nil, by actor: Actor = .administrator) throws
        -> Answer
    {
        let answer = try probe.api(actor, method, path, json)
        guard !(200..<300).contains(answer.status) else { return answer }
        throw answer.failure("\(answer.request): a 2xx status", "status \(answer.status)", .status([200, 201, 204]))
    }

    private func user(_ word: String) throws -> String {
        let name = management.name(word)
        _ = try done("POST", "/users", #"{"name":"\#(name)","password":"\#(management.password)"}"#)
        return name
    }

    func make() throws -> Household {
        var actors: [Role: Actor] = [.anonymous: .nobody, .administrator: .administrator]
        for role in [Role.outsider, .reader, .developer, .maintainer, .admin, .owner, .stranger] {
            actors[role] = Actor(role.rawValue, .password(try user(role.rawValue)))
        }
        let spare = try user("spare")
        let (own, foreign) = (management.name("own"), management.name("other"))
        for organization in [own, foreign] { try makeOrganization(organization) }
        for (role, actor) in actors.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            guard case .password(let name) = actor.login, role != .outsider else { continue }
            let (place, given) = role == .stranger ? (foreign, "admin") : (own, role.rawValue)
            _ = try done("PUT", "/organizations/\(place)/members/\(name)", #"{"role":"\#(given)"}"#)
        }
        let key = try done(
            "POST", "/organizations/\(own)/robots/ci/keys",
            #"{"name":"narrow","scope":[{"repositories":"\#(own)/app","actions":["pull"]}]}"#)
        actors[.robot] = Actor("robot", .secret("\(own)+ci", try key.text("secret")))
        for organization in [own, foreign] {
            _ = try done("POST", "/repositories", #"{"name":"\#(organization)/app","visibility":"private"}"#)
        }
        let image = try pushImages(own, foreign)
        return Household(
            own: own, foreign: foreign, actors: actors, spare: spare, image: image.image, layer: image.layer)
    }

    private func makeOrganization(_ name: String) throws {
        _ = try done("POST", "/organizations", #"{"name":"\#(name)"}"#)
        _ = try done("POST", "/organizations/\(name)/robots", #"{"name":"ci","role":"developer"}"#)
        _ = try done("POST", "/organizations/\(name)/teams", #"{"name":"crew"}"#)
    }

    /// The same image in both.
    private func pushImages(_ organizations: String...) throws -> (image: String, layer: String) {
        let layer = try probe.random(500)
        var digest = ""
        for organization in organizations {
            digest = try probe.pushTagged("\(organization)/app", "v1", layer)
        }
        return (digest, layer.digest)
    }
}

extension Probe {
    /// Pushes an image of one layer as the administrator, and gives its digest.
    func pushTagged(_ repository: String, _ tag: String, _ layer: Content, by actor: Actor = .administrator) throws
        -> String
    {
        let config = Content(#"{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}"#)
        for blob in [config, layer] {
            try v2(actor, "POST", "/v2/\(repository)/blobs/uploads/?digest=\(blob.digest)", blob, MediaType.octetStream)
                .expect(201)
        }
        let manifest = Manifest(
            image: Descriptor(MediaType.ociConfig, config), layers: [Descriptor(MediaType.ociLayer, layer)])
        try v2(actor, "PUT", "/v2/\(repository)/manifests/\(tag)", manifest.content, manifest.type).expect(201)
        return manifest.digest
    }
}
