import Vocabulary

/// What the API tells of tags, manifests and blobs.
enum ContentChecks {
    static let checks: [ManagementCheck] = [
        ManagementCheck("api.tags.shown", "openapi: Tag", "a tag tells its digest, its size, and who pushed it") {
            probe in
            let (repository, image) = try probe.newRepository(in: try probe.newOrganization())
            let manifest = try probe.pulls(.administrator, repository).expect(200)
            let shown = try probe.api(.administrator, "GET", place(repository, "v1")).expect(200)
            try shown.expectMember("digest", "\"\(image)\"")
            let json = try manifest.json()
            let sizes = ([json["config"]].compactMap { $0 } + (json["layers"]?.array ?? [])).compactMap {
                $0["size"]?.integer
            }
            try shown.expectMember("size", "\(sizes.reduce(manifest.body.count, +))")
            if case .password(let user, _) = try probe.management().administrator.proof {
                try shown.expectMember("pushed_by", JSONText.string(user))
            }
            let list = try probe.items(.administrator, "\(RepositoryChecks.place(repository))/tags")
            try require(
                list.count == 1 && list[0].text == (try shown.json().text), "the same in the list",
                list.map(\.text).joined(separator: ", "))
        },
        ManagementCheck(
            "api.tags.history", "openapi: TagMove",
            "the history tells where a tag has pointed, newest first, by whom, and its deletion"
        ) {
            probe in
            let (repository, first) = try probe.newRepository(in: try probe.newOrganization())
            let second = try probe.pushTagged(repository, "v1", probe.random(200))
            try probe.api(.administrator, "DELETE", place(repository, "v1")).expect(204)
            try probe.api(.administrator, "GET", place(repository, "v1")).problem(404)
            try probe.pulls(.administrator, repository).expect(404)
            let moves = try probe.items(.administrator, place(repository, "v1") + "/history").map {
                $0["digest"]?.string
            }
            try require(moves == [nil, second, first], "null, \(second), \(first)", "\(moves.map { $0 ?? "null" })")
        },
        ManagementCheck(
            "api.tags.restore", "openapi: tags.restore",
            "a tag is pointed to what the repository has, and to nothing else"
        ) { probe in
            let (repository, first) = try probe.newRepository(in: try probe.newOrganization())
            _ = try probe.pushTagged(repository, "v1", probe.random(200))
            let body = #"{"digest":"\#(first)"}"#
            try probe.api(.administrator, "POST", place(repository, "v1") + "/restore", body).expect(200)
                .expectMember("digest", "\"\(first)\"")
            try probe.pulls(.administrator, repository).expect(200).expectHeader(HeaderNames.digest, first)
            let other = try probe.newRepository(in: try probe.newOrganization()).image
            try probe.api(.administrator, "POST", place(repository, "v1") + "/restore", #"{"digest":"\#(other)"}"#)
                .problem(404)
            try probe.pulls(.administrator, repository).expect(200).expectHeader(HeaderNames.digest, first)
        },
        ManagementCheck("api.tags.delete.stays", "openapi: tags.delete", "a deleted tag leaves what it pointed to") {
            probe in
            let (repository, image) = try probe.newRepository(in: try probe.newOrganization())
            try probe.api(.administrator, "DELETE", place(repository, "v1")).expect(204)
            try probe.pulls(.administrator, repository, image).expect(200)
            try require(
                try probe.items(.administrator, RepositoryChecks.place(repository) + "/tags").isEmpty, "no tags", "some"
            )
        },
        ManagementCheck(
            "api.manifests.parts", "openapi: Manifest",
            "a manifest tells its config, its layers, their sizes and its tags"
        ) { probe in
            let (repository, image) = try probe.newRepository(in: try probe.newOrganization())
            let pulled = try probe.pulls(.administrator, repository).expect(200).json()
            for reference in ["v1", image] {
                let shown = try probe.api(
                    .administrator, "GET", RepositoryChecks.place(repository) + "/manifests/" + queryEscaped(reference)
                ).expect(200)
                try shown.expectMember("digest", "\"\(image)\"")
                try shown.expectMember("tags", "[\"v1\"]")
                let json = try shown.json()
                let wanted = (pulled["layers"]?.array ?? []).map {
                    "\($0["digest"]?.string ?? "") \($0["size"]?.integer ?? 0)"
                }
                let layers = (json["layers"]?.array ?? []).map {
                    "\($0["digest"]?.string ?? "") \($0["size"]?.integer ?? 0)"
                }
                try require(layers == wanted, "layers \(wanted)", "\(layers)", shown)
                let config = json[path: "config", "digest"]?.string
                try require(config == pulled[path: "config", "digest"]?.string, "its config", config ?? "none", shown)
            }
        },
        ManagementCheck(
            "api.manifests.tree", "openapi: Referrers", "what refers to a manifest is told, and what refers to that"
        ) { probe in
            let (repository, image) = try probe.newRepository(in: try probe.newOrganization())
            let subject = try probe.pulls(.administrator, repository).expect(200)
            var parent = Descriptor(type: MediaType.ociManifest, digest: image, size: subject.body.count)
            var chain: [String] = []
            for name in ["signature", "countersignature"] {
                let manifest = Manifest(
                    index: [],
                    members: [("artifactType", "\"application/vnd.aerugo.\(name)\""), ("subject", parent.json)])
                try probe.v2(
                    .administrator, "PUT", "/v2/\(repository)/manifests/\(manifest.digest)", manifest.content,
                    manifest.type
                ).expect(201)
                chain.append(manifest.digest)
                parent = manifest.descriptor()
            }
            let answer = try probe.api(
                .administrator, "GET",
                RepositoryChecks.place(repository) + "/manifests/\(queryEscaped(image))/referrers"
            ).expect(200)
            let first = try answer.json()["referrers"]?.array ?? []
            let second = first.first?["referrers"]?.array ?? []
            let found = (first + second).compactMap { $0["digest"]?.string }
            try require(found == chain, "a signature and, below it, its own: \(chain)", "\(found)", answer)
        },
        ManagementCheck(
            "api.blobs.list", "openapi: Blob", "the blobs of a repository are listed with their sizes, and no other's"
        ) { probe in
            let repository = try probe.newRepository(in: try probe.newOrganization()).name
            let json = try probe.pulls(.administrator, repository).expect(200).json()
            let parts = [json["config"]].compactMap { $0 } + (json["layers"]?.array ?? [])
            let wanted = Set(parts.map { "\($0["digest"]?.string ?? "") \($0["size"]?.integer ?? 0)" })
            let blobs = try probe.items(.administrator, RepositoryChecks.place(repository) + "/blobs")
            let found = blobs.map { "\($0["digest"]?.string ?? "") \($0["size"]?.integer ?? 0)" }
            try require(Set(found) == wanted && found.count == wanted.count, "\(wanted.sorted())", "\(found)")
        },
    ]

    private static func place(_ repository: String, _ tag: String) -> String {
        "\(RepositoryChecks.place(repository))/tags/\(tag)"
    }
}
