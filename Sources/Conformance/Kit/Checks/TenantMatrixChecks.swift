import Vocabulary

/// The tenant matrix over `/v2/` of anybody's registry, with the identities that the run was given: what one of them may not
/// do in another's repository, nobody without credentials may do there either, and what is not there is nobody's.
///
/// The rows are those of the matrix that `--management` plays with roles of its own making.
enum TenantMatrixChecks {
    static let checks: [Check] = V2Row.all.filter { $0.id != "mount" }.map(check)

    /// Who asks.
    private enum Who {
        case anonymous
        case identity(Identity)

        var name: String {
            switch self {
            case .anonymous: "nobody"
            case .identity(let identity): identity.name
            }
        }
    }

    /// Where it is asked for.
    private enum Site: String {
        /// In the repository that the run pushed to.
        case own
        /// In one that a stranger pushed to.
        case foreign
        /// In one that nobody made.
        case absent
    }

    private static func check(_ row: V2Row) -> Check {
        Check(
            "tenants.matrix.\(row.id)", .must, "Isolation between identities",
            "\(row.gist): done for who owns the repository, and for no stranger and nobody else, there or not",
            ["oauth-covers"], needs: [.push, .credentials, .secondIdentity]
        ) { probe in
            let own = try probe.newStand(probe.repository)
            if row.id == "referrers" { try probe.refer(to: own) }
            try expectDone(row, own, probe)
            let strangers = probe.run.strangers.map(Who.identity)
            for who in strangers + [.anonymous] {
                try expectRefused(row, own, .own, who, probe)
                try expectRefused(row, own.moved(to: probe.repository("never-made")), .absent, who, probe)
            }
            for stranger in probe.run.strangers {
                guard let theirs = try probe.stand(of: stranger) else { continue }
                do {
                    try expectKept(row, theirs, probe)
                } catch {
                    try probe.remove(theirs, of: stranger)
                    throw error
                }
                try probe.remove(theirs, of: stranger)
            }
            // All of it is there still.
            for reference in ["v1", own.image] {
                try probe.get(probe.manifestPlace(reference), ("Accept", MediaTypes.all)).expect(200)
            }
        }
    }

    /// What a stranger pushed is neither the run's nor nobody's.
    private static func expectKept(_ row: V2Row, _ theirs: V2Stand, _ probe: Probe) throws {
        // An administrator may do everything: of one the pull that comes first tells, and no row says more.
        let pull = try probe.get(probe.manifestPlace("v1", in: theirs.repository), ("Accept", MediaTypes.all))
        if pull.status != 200 { try expectRefused(row, theirs, .foreign, .identity(probe.run.target.identity), probe) }
        try expectRefused(row, theirs, .foreign, .anonymous, probe)
    }

    /// A refusal that everybody gives would prove nothing: its owner has it done.
    private static func expectDone(_ row: V2Row, _ stand: V2Stand, _ probe: Probe) throws {
        guard row.demand != .delete else { return }
        let answer = try probe.send(row.request(stand, probe))
        guard ![405, 501].contains(answer.status), !(row.id == "blob-post" && answer.status == 202) else {
            throw Skip("the registry does not offer \(row.gist)")
        }
        if row.id == "referrers", answer.status == 404 { throw Skip("the registry has no list of referrers") }
        try answer.expect(row.success)
        guard row.id == "upload" else { return }
        if let url = probe.location(answer)?.url(on: probe.base) { probe.ledger.add(.upload(url)) }
    }

    private static func expectRefused(
        _ row: V2Row, _ stand: V2Stand, _ site: Site, _ who: Who, _ probe: Probe
    ) throws {
        var request = try row.request(stand, probe)
        switch who {
        case .anonymous: request.access = .none
        case .identity(let identity): request.access = .identity(identity)
        }
        let answer = try probe.send(request)
        // A list may be empty where one may not see it, as where there is nothing.
        if answer.status == 200, let member = ["tags": "tags", "referrers": "manifests"][row.id] {
            let found = try answer.json()[member]?.array ?? []
            guard !found.isEmpty else { return }
        }
        if row.demand == .delete, [400, 405].contains(answer.status) { return }
        guard [401, 403, 404].contains(answer.status) else {
            if answer.status == 202, row.demand == .push, let url = probe.location(answer)?.url(on: probe.base) {
                probe.ledger.add(.upload(url))
            }
            throw answer.failure(
                "\(row.gist) by \(who.name) in a repository that is \(site.rawValue): 401, 403 or 404",
                "\(answer.status)", .status([401, 403, 404]))
        }
    }
}

/// What the rows of the matrix ask for.
struct V2Stand {
    let repository: String
    /// Under the tag `v1`.
    let image: String
    let layer: String
    /// Of the image.
    var config = ""

    /// The same content in another repository.
    func moved(to repository: String) -> V2Stand { V2Stand(repository: repository, image: image, layer: layer) }
}

extension V2Row {
    /// A use of the row: what is deleted is what is there, what is pushed is new.
    func request(_ stand: V2Stand, _ probe: Probe) throws -> Request {
        var values = [
            "repository": stand.repository, "image": stand.image, "layer": stand.layer, "tag": "v1",
            "manifest": stand.image, "blob": stand.layer,
        ]
        var (body, type): (Content?, String?) = (nil, nil)
        switch (uses, method) {
        case (.sent, _):
            let manifest = Manifest(index: [], members: [("annotations", #"{"a":"\#(try probe.word())"}"#)])
            (body, type, values["tag"]) = (manifest.content, manifest.type, try probe.word("t"))
            probe.ledger.add(.manifest(repository: stand.repository, digest: manifest.digest))
        case (.blob, "POST"):
            let blob = try probe.random(64)
            (body, type, values["blob"]) = (blob, MediaType.octetStream, blob.digest)
            probe.ledger.add(.blob(repository: stand.repository, digest: blob.digest))
        default: break
        }
        var target = path
        for (name, value) in values { target = target.replacing("{\(name)}", with: value) }
        var request = Request(method, .path("/v2/" + target))
        request.headers = [("Accept", MediaTypes.all)] + (type.map { [("Content-Type", $0)] } ?? [])
        request.body = body
        return request
    }
}

extension Probe {
    /// An image with one layer under `v1`, of the run's own identity.
    fileprivate func newStand(_ repository: String) throws -> V2Stand {
        let layer = try newBlob(300, in: repository)
        let image = Manifest(
            image: try newConfig(in: repository), layers: [Descriptor(MediaType.ociLayer, layer)])
        try push(image, as: "v1", in: repository)
        return V2Stand(repository: repository, image: image.digest, layer: layer.digest)
    }

    /// Gives the image a referrer: a list that is empty for everybody tells nothing of who may see it.
    fileprivate func refer(to stand: V2Stand) throws {
        let image = try get(manifestPlace(stand.image, in: stand.repository), ("Accept", MediaTypes.all)).expect(200)
        let subject = Descriptor(type: MediaType.ociManifest, digest: stand.image, size: image.body.count)
        try push(try newReferrer(to: subject, in: stand.repository), in: stand.repository)
    }

    /// The same below a stranger's name, by themselves; nil where they may not push there.
    fileprivate func stand(of stranger: Identity) throws -> V2Stand? {
        let repository = "\(stranger.name)/\(run.seed)/matrix"
        func push(_ content: Content) throws -> Bool {
            let query = "digest=" + content.digest
            return try other(
                stranger, "POST", uploadsPlace(query, in: repository), body: content, type: MediaType.octetStream
            ).status == 201
        }
        let (config, layer) = (
            Content(#"{"architecture":"amd64","os":"linux","author":"\#(try word())"}"#), try random(300)
        )
        guard try push(config), try push(layer) else { return nil }
        let image = Manifest(
            image: Descriptor(MediaType.ociConfig, config), layers: [Descriptor(MediaType.ociLayer, layer)])
        let answer = try other(
            stranger, "PUT", manifestPlace("v1", in: repository), body: image.content, type: image.type)
        return answer.status == 201
            ? V2Stand(repository: repository, image: image.digest, layer: layer.digest, config: config.digest) : nil
    }

    /// Takes away what a stranger pushed, where they may.
    fileprivate func remove(_ stand: V2Stand, of stranger: Identity) throws {
        let config = stand.config
        for place in [manifestPlace(stand.image, in: stand.repository)]
            + [config, stand.layer].map({ blobPlace($0, in: stand.repository) })
        { _ = try other(stranger, "DELETE", place) }
    }
}
