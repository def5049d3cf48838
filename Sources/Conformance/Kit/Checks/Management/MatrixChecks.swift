import Vocabulary

/// The tenant matrix: every operation, by everybody, everywhere, gives what the runner's own rules say (`Rules`).
enum MatrixChecks {
    static let checks: [ManagementCheck] =
        APIRow.all.filter { $0.demand != .nothing }.map(api) + V2Row.all.map(v2)

    /// A cell in which the registry did something else.
    private struct Deviation {
        let role: Role
        let site: Site
        let expected: Int
        let answer: Answer

        var text: String { "\(role.rawValue) on \(site.rawValue): \(answer.status), not \(expected)" }
    }

    private static func api(_ row: APIRow) -> ManagementCheck {
        ManagementCheck(
            "matrix.\(row.id)", "roles.md", "\(row.id) is for whom the roles say, and no one else", needs: row.needs
        ) { probe in
            let cast = try probe.cast()
            try judge(row.sites, row.id) { role, site in
                // The password of the run's administrator is another one, and nobody changes it.
                if ["auth.password", "auth.email"].contains(row.id), role == .administrator { return nil }
                let expected = Rules.status(row.demand, role, site, success: row.success)
                let actor = cast.actor(role)
                let stand = try probe.stand(row, site, by: actor, cast, bare: expected != row.success)
                return (expected, try probe.ask(stand, by: actor))
            }
        }
    }

    private static func v2(_ row: V2Row) -> ManagementCheck {
        ManagementCheck("matrix.v2.\(row.id)", "roles.md", "\(row.gist), for whom the roles say, and no one else") {
            probe in
            let cast = try probe.cast()
            try judge(Site.allCases, row.gist) { role, site in
                try row.cell(probe, cast, role, site)
            }
        }
    }

    /// Tries all cells; the failure is that of the first that deviates, and names the others.
    private static func judge(
        _ sites: [Site], _ what: String, _ cell: (Role, Site) throws -> (expected: Int, answer: Answer)?
    ) throws {
        var deviations: [Deviation] = []
        var cells = 0
        for site in sites {
            for role in Role.allCases {
                guard let (expected, answer) = try cell(role, site) else { continue }
                cells += 1
                if answer.status != expected {
                    deviations.append(Deviation(role: role, site: site, expected: expected, answer: answer))
                }
            }
        }
        guard let first = deviations.first else { return }
        let others =
            deviations.count > 1
            ? " (of \(cells) cells \(deviations.count): " + deviations.prefix(12).map(\.text).joined(separator: "; ")
                + ")" : ""
        throw first.answer.failure(
            "\(what) by \(first.role.rawValue) on \(first.site.rawValue): \(first.expected)",
            "\(first.answer.status)\(others)", .status([first.expected]))
    }
}

/// An operation of the distribution API in the matrix.
struct V2Row: Sendable {
    let id: String
    let gist: String
    let demand: Demand
    let success: Int
    let method: String
    /// Behind `/v2/`, of `{repository}`, `{image}`, `{layer}`, `{blob}`, `{tag}`, `{other}`.
    let path: String
    /// What has to be there for one use.
    var uses: Use = .nothing

    enum Use: Sendable {
        case nothing, tag, manifest, blob
        /// A manifest is sent.
        case sent
    }

    static let all: [V2Row] = [
        V2Row("manifest-get", "GET of a manifest by tag", .pull, 200, "GET", "{repository}/manifests/v1"),
        V2Row("manifest-digest", "GET of a manifest by digest", .pull, 200, "GET", "{repository}/manifests/{image}"),
        V2Row("manifest-head", "HEAD of a manifest", .pull, 200, "HEAD", "{repository}/manifests/v1"),
        V2Row("blob-get", "GET of a blob", .pull, 200, "GET", "{repository}/blobs/{layer}"),
        V2Row("blob-head", "HEAD of a blob", .pull, 200, "HEAD", "{repository}/blobs/{layer}"),
        V2Row("tags", "the list of tags", .pull, 200, "GET", "{repository}/tags/list"),
        V2Row("referrers", "the list of referrers", .pull, 200, "GET", "{repository}/referrers/{image}"),
        V2Row("upload", "the beginning of an upload", .push, 202, "POST", "{repository}/blobs/uploads/"),
        V2Row(
            "blob-post", "a blob in one POST", .push, 201, "POST", "{repository}/blobs/uploads/?digest={blob}",
            uses: .blob),
        V2Row("manifest-put", "PUT of a manifest", .push, 201, "PUT", "{repository}/manifests/{tag}", uses: .sent),
        V2Row(
            "mount", "a mount from the own organization", .push, 201, "POST",
            "{repository}/blobs/uploads/?mount={layer}&from={own}"),
        V2Row("tag-delete", "DELETE of a tag", .delete, 202, "DELETE", "{repository}/manifests/{tag}", uses: .tag),
        V2Row(
            "manifest-delete", "DELETE of a manifest", .delete, 202, "DELETE", "{repository}/manifests/{manifest}",
            uses: .manifest),
        V2Row("blob-delete", "DELETE of a blob", .delete, 202, "DELETE", "{repository}/blobs/{blob}", uses: .blob),
    ]

    init(
        _ id: String, _ gist: String, _ demand: Demand, _ success: Int, _ method: String, _ path: String,
        uses: Use = .nothing
    ) {
        (self.id, self.gist, self.demand, self.success) = (id, gist, demand, success)
        (self.method, self.path, self.uses) = (method, path, uses)
    }

    /// What the rules say, and what came.
    func cell(_ probe: Probe, _ cast: Household, _ role: Role, _ site: Site) throws -> (expected: Int, answer: Answer) {
        let actor = cast.actor(role)
        let expected = expected(role, site)
        let organization = site == .foreign ? cast.foreign : cast.own
        // What is not there is another name each time: who may make it does.
        let repository = "\(organization)/" + (site == .absent ? try probe.management().name("none") : "app")
        var values = [
            "repository": repository, "image": cast.image, "layer": cast.layer, "own": "\(cast.own)/app", "tag": "none",
            "manifest": "sha256:" + String(repeating: "1", count: 64),
            "blob": "sha256:" + String(repeating: "2", count: 64),
        ]
        var body: Content?
        var type: String?
        switch uses {
        case .nothing: break
        case .sent:
            // An index of nothing: it needs no blobs.
            let manifest = Manifest(index: [], members: [("annotations", #"{"a":"\#(try probe.word())"}"#)])
            (body, type, values["tag"]) = (manifest.content, manifest.type, try probe.management().name("t"))
        case .blob where method == "POST":
            let blob = try probe.random(64)
            (body, type, values["blob"]) = (blob, MediaType.octetStream, blob.digest)
        case .blob, .tag, .manifest:
            if expected == success { try make(probe, repository, &values) }
        }
        var target = path
        for (name, value) in values { target = target.replacing("{\(name)}", with: value) }
        let answer = try probe.v2(actor, method, "/v2/" + target, body, type)
        // A list of referrers is never 404 (distribution-spec): of what one may not see it is empty, as of what is not there.
        if id == "referrers", expected == 404, answer.status == 200,
            try answer.json()["manifests"]?.array?.isEmpty == true
        {
            return (200, answer)
        }
        // A store that has the blob is as good as the blob.
        if id == "blob-get", expected == 200, (301...308).contains(answer.status), answer.headers["Location"] != nil {
            return (answer.status, answer)
        }
        if answer.status == 202, method == "POST", let url = probe.location(answer)?.url(on: probe.base) {
            _ = try probe.v2(actor, "DELETE", Address(url)?.target ?? "/v2/")
        }
        return (expected, answer)
    }

    private func make(_ probe: Probe, _ repository: String, _ values: inout [String: String]) throws {
        try probe.prepare("what is deleted") {
            switch uses {
            case .tag: values["tag"] = try probe.newTag(in: repository, of: values["image"] ?? "")
            case .manifest:
                let manifest = Manifest(index: [], members: [("annotations", #"{"a":"\#(try probe.word())"}"#)])
                try probe.v2(
                    .administrator, "PUT", "/v2/\(repository)/manifests/\(manifest.digest)", manifest.content,
                    manifest.type
                ).expect(201)
                values["manifest"] = manifest.digest
            case .blob:
                let blob = try probe.random(64)
                try probe.v2(
                    .administrator, "POST", "/v2/\(repository)/blobs/uploads/?digest=\(blob.digest)", blob,
                    MediaType.octetStream
                ).expect(201)
                values["blob"] = blob.digest
            case .nothing, .sent: break
            }
        }
    }

    /// The rules of roles.md for the distribution API.
    private func expected(_ role: Role, _ site: Site) -> Int {
        if role == .anonymous { return 401 }
        let rights = Rules.rights(role, site)
        let may = rights.contains(demand) && (site != .absent || demand != .push || rights.contains(.make))
        guard may else { return demand == .pull ? 404 : 403 }
        // The robot's key may pull from the own `app` alone.
        if role == .robot, demand != .pull { return 401 }
        if id == "mount" { return mayReadSource(role) ? 201 : 202 }
        return site == .absent && demand != .push ? 404 : success
    }

    private func mayReadSource(_ role: Role) -> Bool { Rules.rights(role, .own).contains(.pull) }
}
