import Vocabulary

extension Probe {
    /// Asks the management API: `path` is what stands behind `/api/v1`. The answer is held against the document.
    @discardableResult
    func api(
        _ actor: Actor, _ method: String, _ path: String, _ json: String? = nil,
        headers: [(String, String)] = [], type: String? = "application/json"
    ) throws -> Answer {
        try ask(
            actor, method, .path("/api/v1" + path), json.map { Content($0) }, headers, type: json == nil ? nil : type)
    }

    /// Asks the distribution API by Basic credentials: `path` is whole.
    @discardableResult
    func v2(
        _ actor: Actor, _ method: String, _ path: String, _ body: Content? = nil, _ type: String? = nil
    ) throws -> Answer {
        try ask(actor, method, .path(path), body, [("Accept", MediaTypes.all)], type: type)
    }

    private func ask(
        _ actor: Actor, _ method: String, _ place: Place, _ body: Content?, _ headers: [(String, String)],
        type: String?
    ) throws -> Answer {
        let management = try management()
        var request = Request(method, place)
        (request.access, request.actor, request.follows) = (.none, actor, false)
        request.headers = headers
        if let value = actor.authorization(management) { request.headers.append(("Authorization", value)) }
        if let type { request.headers.append(("Content-Type", type)) }
        request.body = body
        let answer = try send(request)
        note(answer, request, management)
        return answer
    }

    /// Keeps what an answer gave that later requests take from it, and what was made.
    private func note(_ answer: Answer, _ request: Request, _ management: ManagementRun) {
        guard (200..<300).contains(answer.status), case .path(let path) = request.place, path.hasPrefix("/api/v1/"),
            let json = JSON(parsing: answer.body)
        else { return }
        for member in ["secret", "password", "access_token", "refresh_token", "id"] {
            guard let value = json[member]?.string, !value.isEmpty else { continue }
            if member != "id" { run.masker.learn(value) }
            borrowed.append(Borrowed(value: value, exchange: answer.exchange, member: member))
        }
        guard request.method == "POST", answer.status == 201 else { return }
        if ["/api/v1/users", "/api/v1/auth/register"].contains(path), let name = json["name"]?.string {
            management.noteUser(name)
        }
        if path == "/api/v1/organizations", let name = json["name"]?.string { management.noteOrganization(name) }
        if path == "/api/v1/keys", request.actor == .administrator, let id = json["id"]?.string {
            management.noteKey(id)
        }
    }

    /// All items of a list, over its pages.
    func items(_ actor: Actor, _ path: String) throws -> [JSON] {
        var answer = try api(actor, "GET", path).expect(200)
        var found: [JSON] = []
        for _ in 0..<300 {
            guard let items = try answer.json()["items"]?.array else {
                throw answer.failure("\(answer.request): a list of items", "none", .form)
            }
            found += items
            guard let next = try nextPage(answer) else { return found }
            answer = try ask(actor, "GET", next, nil, [], type: nil).expect(200)
        }
        throw answer.failure("\(answer.request): a list that ends", "300 pages and another Link")
    }

    /// The names of the items of a list.
    func names(_ actor: Actor, _ path: String) throws -> [String] {
        try items(actor, path).compactMap { $0["name"]?.string }
    }

    /// A new user, who has the password of all of them.
    func newUser(_ word: String = "user") throws -> String {
        try prepare("a user") {
            let management = try management()
            let name = management.name(word)
            try api(.administrator, "POST", "/users", #"{"name":"\#(name)","password":"\#(management.password)"}"#)
                .expect(201)
            return name
        }
    }

    /// A new organization of this owner, with members.
    func newOrganization(by owner: Actor = .administrator, _ members: [(String, String)] = []) throws -> String {
        try prepare("an organization") {
            let name = try management().name("org")
            try api(owner, "POST", "/organizations", #"{"name":"\#(name)"}"#).expect(201)
            for (member, role) in members { try setRole(role, of: member, in: name, by: owner) }
            return name
        }
    }

    /// Makes somebody a member.
    func setRole(_ role: String, of user: String, in organization: String, by actor: Actor = .administrator) throws {
        try api(actor, "PUT", "/organizations/\(organization)/members/\(user)", #"{"role":"\#(role)"}"#).expect(204)
    }

    /// A new repository with an image under the tag `v1`, by the administrator; gives the image's digest.
    func newRepository(in organization: String, visibility: String = "private") throws -> (name: String, image: String)
    {
        try prepare("a repository with an image") {
            let name = "\(organization)/\(try management().name("r"))"
            try api(.administrator, "POST", "/repositories", #"{"name":"\#(name)","visibility":"\#(visibility)"}"#)
                .expect(201)
            return (name, try pushTagged(name, "v1", random(300)))
        }
    }

    /// A new key, by its owner or by whoever `path` lets make it; gives its id and its secret.
    func newKey(_ actor: Actor, _ path: String = "/keys", _ more: String = "") throws -> (id: String, secret: String) {
        try prepare("an API key") {
            let answer = try api(actor, "POST", path, #"{"name":"\#(try management().name("key"))"\#(more)}"#).expect(
                201)
            return (try answer.text("id"), try answer.text("secret"))
        }
    }

    /// A session of a user: its tokens.
    func newSession(_ user: String) throws -> (access: String, refresh: String) {
        try prepare("a session") {
            let answer = try login(user).expect(200)
            return (try answer.text("access_token"), try answer.text("refresh_token"))
        }
    }

    /// A login by the password of all accounts of the run.
    func login(_ user: String, _ password: String? = nil) throws -> Answer {
        let password = try password ?? management().password
        return try api(.nobody, "POST", "/auth/login", #"{"name":"\#(user)","password":"\#(password)"}"#)
    }

    /// The status of a pull of the tag `v1`.
    func pulls(_ actor: Actor, _ repository: String, _ tag: String = "v1") throws -> Answer {
        try v2(actor, "GET", "/v2/\(repository)/manifests/\(tag)")
    }
}

extension Answer {
    /// Problem details of this status, and of one of these codes where any are given.
    @discardableResult
    func problem(_ status: Int, _ codes: String...) throws -> Answer {
        try expect(status)
        let told = JSON(parsing: body)?["code"]?.string ?? "no code"
        guard codes.isEmpty || codes.contains(told) else {
            throw failure(
                "\(request): \(status) with the code \(codes.joined(separator: " or "))", told,
                .bodyHolds("\"code\":\"\(codes[0])\""))
        }
        return self
    }

    /// A text member of the JSON body.
    func text(_ name: String) throws -> String {
        guard let value = try json()[name]?.string else {
            throw failure("\(request): a body with the text \(name)", "none", .bodyHolds("\"\(name)\""))
        }
        return value
    }

    /// The member has to be this JSON text.
    func expectMember(_ name: String, _ text: String) throws {
        let got = try json()[name]?.text ?? "nothing"
        guard got != text else { return }
        throw failure("\(request): \(name) is \(text)", "it is \(got)", .bodyHolds("\"\(name)\":\(text)"))
    }
}
