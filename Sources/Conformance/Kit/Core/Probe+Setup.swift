import Vocabulary

extension Probe {
    /// Runs a preparation: what fails in it is told as such, and weighs no more than the check itself.
    package func prepare<Result>(_ purpose: String, _ work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let failure as CheckFailure {
            throw SetupFailure(purpose: purpose, failure: failure)
        }
    }

    /// Runs a step that is the question of other checks, `owners`: where it fails and one of them did as well, this
    /// check is blocked by that one.
    package func leaning<Result>(on owners: String..., work: () throws -> Result) throws -> Result {
        do {
            return try work()
        } catch let failure as CheckFailure {
            throw failure.told(of: owners)
        }
    }

    /// Tries several forms of the same thing; a failure says which of them shows it.
    package func each<Form>(_ forms: [Form], _ work: (Form) throws -> Void) throws {
        for form in forms {
            do {
                try work(form)
            } catch let failure as CheckFailure {
                throw failure.told(form: "with \(form)")
            } catch let setup as SetupFailure {
                throw SetupFailure(purpose: "\(setup.purpose), with \(form)", failure: setup.failure)
            }
        }
    }

    /// Begins an upload.
    package func beginUpload(_ query: String = "", in repository: String? = nil) throws -> Upload {
        try prepare("an upload session") {
            let answer = try postUpload(query, in: repository)
            try answer.expect(202)
            return Upload(
                place: try expectLocation(answer), repository: repository ?? self.repository, opening: answer)
        }
    }

    /// Pushes a blob by POST and PUT.
    package func pushBlob(_ content: Content, in repository: String? = nil) throws {
        try prepare("a pushed blob") {
            let upload = try beginUpload(in: repository)
            let answer = try finish(upload.place, digest: content.digest, in: repository, body: content)
            try answer.expect(201)
        }
    }

    /// Pushes a new random blob and gives its bytes.
    package func newBlob(_ count: Int = 1_000, in repository: String? = nil) throws -> Content {
        let content = try random(count)
        try pushBlob(content, in: repository)
        return content
    }

    /// Pushes a manifest, its blobs being there.
    package func push(_ manifest: Manifest, as reference: String? = nil, in repository: String? = nil) throws {
        try prepare("a pushed manifest") {
            let answer = try putManifest(
                manifest.content, reference ?? manifest.digest, type: manifest.type, in: repository)
            try answer.expect(201)
        }
    }

    /// A configuration blob of its own, pushed.
    package func newConfig(_ type: String = MediaType.ociConfig, in repository: String? = nil) throws -> Descriptor {
        let text = JSONText.object([
            ("architecture", "\"amd64\""), ("os", "\"linux\""), ("author", JSONText.string(try word("author-"))),
            ("rootfs", "{\"type\":\"layers\",\"diff_ids\":[]}"),
        ])
        let content = Content(text)
        try pushBlob(content, in: repository)
        return Descriptor(type, content)
    }

    /// An image manifest with one configuration and `layers` layers, all pushed; the manifest itself is not.
    package func newImage(
        layers: Int = 1, type: String = MediaType.ociManifest, in repository: String? = nil,
        members: [(String, String)] = []
    ) throws -> Manifest {
        let isDocker = type == MediaType.dockerManifest
        let config = try newConfig(isDocker ? MediaType.dockerConfig : MediaType.ociConfig, in: repository)
        let layerType = isDocker ? MediaType.dockerLayerGzip : MediaType.ociLayer
        let blobs = try (0..<layers).map { _ in Descriptor(layerType, try newBlob(300, in: repository)) }
        return Manifest(image: config, layers: blobs, type: type, members: members)
    }

    /// An image, pushed under a tag.
    package func newTaggedImage(_ tag: String = "latest", in repository: String? = nil) throws -> Manifest {
        let image = try newImage(in: repository)
        try push(image, as: tag, in: repository)
        return image
    }

    /// An artifact manifest that points at `subject`, its blobs pushed; the manifest itself is not.
    package func newReferrer(
        to subject: Descriptor, artifactType: String? = "application/vnd.aerugo.test", config: Descriptor? = nil,
        annotations: [(String, String)] = [], in repository: String? = nil
    ) throws -> Manifest {
        let empty = Content("{}")
        try pushBlob(empty, in: repository)
        let layer = Descriptor("application/vnd.aerugo.test.layer", try newBlob(64, in: repository))
        var members: [(String, String)] = []
        if let artifactType { members.append(("artifactType", JSONText.string(artifactType))) }
        members.append(("subject", subject.json))
        if !annotations.isEmpty {
            members.append(("annotations", JSONText.object(annotations.map { ($0.0, JSONText.string($0.1)) })))
        }
        return Manifest(image: config ?? Descriptor(MediaType.ociEmpty, empty), layers: [layer], members: members)
    }

    /// Deletes and expects success; skips the check where the registry says that it deletes nothing of the kind.
    package func deleteOrSkip(_ place: Place, _ what: String) throws {
        let answer = try delete(place)
        if answer.status == 405 || answer.status == 400 {
            throw Skip("the registry has \(what) deletion disabled (status \(answer.status))")
        }
        if answer.status == 409 { throw Skip("the registry keeps a \(what) that is in use (status 409)") }
        try answer.expect(202)
    }

    /// The referrers list of a digest over all its pages; skips the check where there is no referrers API.
    package func referrers(of digest: String, _ query: String = "", in repository: String? = nil) throws -> [JSON] {
        var answer = try get(referrersPlace(digest, query, in: repository))
        if answer.status == 404 { throw Skip("the registry has no referrers API (404)") }
        var found: [JSON] = []
        for _ in 0..<50 {
            try answer.expect(200)
            found += try referrerPage(answer)
            guard let next = try nextPage(answer) else { return found }
            answer = try get(next)
        }
        throw answer.failure("a referrers list that ends", "50 pages and another Link")
    }

    /// The descriptors of one page of a referrers list.
    package func referrerPage(_ answer: Answer) throws -> [JSON] {
        let list = try answer.json()
        guard let page = list["manifests"]?.array else {
            let got = list["manifests"] == nil ? "none" : "manifests that is no array"
            throw answer.failure("\(answer.request): an image index with a manifests array", got, .form)
        }
        return page
    }

    /// Where the `Link` header with `rel="next"` points; nil when there is none. Fails on a malformed one.
    package func nextPage(_ answer: Answer) throws -> Place? {
        let lines = answer.headers.all("Link")
        guard !lines.isEmpty else { return nil }
        let shown = "Link: " + lines.joined(separator: ", ")
        guard let links = WebLink.all(answer.headers), !links.isEmpty, let from = Address(answer.url) else {
            throw answer.failure("\(answer.request): Link: <url>; rel=\"next\"", shown, .headerForm("Link"))
        }
        guard let next = links.first(where: { $0.relations.contains("next") }) else {
            // The last page of a registry that also tells of the first one; the first page has none before it. Links
            // that lead anywhere but to this list are of no concern here.
            let others = WebLink.others.union(answer.url.contains("last=") ? ["prev", "previous"] : [])
            let path = from.target.prefix { $0 != "?" }
            let pages = links.filter { Address(from.resolving($0.reference))?.target.prefix { $0 != "?" } == path }
            if pages.allSatisfy({ !others.isDisjoint(with: $0.relations) }) { return nil }
            throw answer.failure("\(answer.request): a Link with rel=\"next\"", shown, .headerForm("Link"))
        }
        let url = from.resolving(next.reference)
        return .follow(exchange: answer.exchange, header: "Link", url: url, query: "")
    }

    /// The tags of a repository over all pages, from a first query.
    package func tags(_ query: String = "", in repository: String? = nil) throws -> [String] {
        var answer = try get(tagsPlace(query, in: repository))
        var found: [String] = []
        for _ in 0..<200 {
            found += try tagPage(answer)
            guard let next = try nextPage(answer) else { return found }
            answer = try get(next)
        }
        throw answer.failure("a tag list that ends", "200 pages and another Link")
    }

    /// The tags of one page; `tags` may be `null` for an empty list, as Docker's registries have it.
    package func tagPage(_ answer: Answer) throws -> [String] {
        try answer.expect(200)
        let json = try answer.json()
        if json["tags"]?.isNull == true { return [] }
        guard let tags = json["tags"]?.strings else {
            throw answer.failure("\(answer.request): a tags array of strings", "none", .form)
        }
        return tags
    }
}
