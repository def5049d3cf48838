import Vocabulary

/// Two identities: what one may not read is not there for the other.
enum TenantChecks {
    private static let section = "Isolation between identities"
    private static let need: Set<Need> = [.push, .credentials, .secondIdentity]

    /// A check that is asked of each of the other identities.
    private static func check(
        _ name: String, _ level: Level, _ section: String, _ gist: String, _ statements: [String],
        _ body: @escaping @Sendable (Probe, Identity) throws -> Void
    ) -> Check {
        Check("tenants." + name, level, section, gist, statements, needs: need) { probe in
            for other in probe.run.strangers { try body(probe, other) }
        }
    }

    private static let refusals = [401, 403, 404]

    static let checks: [Check] = [
        check(
            "pull", .must, section, "what one identity pushed another cannot pull, by any route",
            ["oauth-covers"]
        ) { probe, other in
            let image = try probe.newTaggedImage()
            let blob = try probe.newBlob()
            try probe.push(try probe.newReferrer(to: image.descriptor()))
            for place in [
                probe.manifestPlace("latest"), probe.manifestPlace(image.digest), probe.blobPlace(blob.digest),
            ] {
                for method in ["GET", "HEAD"] {
                    try probe.other(other, method, place).expect(anyOf: refusals + [405], "as \(other.name)")
                }
            }
            for (place, member) in [(probe.tagsPlace(), "tags"), (probe.referrersPlace(image.digest), "manifests")] {
                try probe.other(other, "GET", place).expectNothing(in: member, as: other)
            }
        },
        check(
            "push", .must, section, "nobody pushes into another's repository", ["oauth-covers"]
        ) { probe, other in
            let image = try probe.newTaggedImage()
            try probe.other(other, "POST", probe.uploadsPlace()).expect(anyOf: refusals, "as \(other.name)")
            try probe.other(other, "PUT", probe.manifestPlace("theirs"), body: image.content, type: image.type)
                .expect(anyOf: refusals, "as \(other.name)")
            try probe.get(probe.manifestPlace("theirs"), ("Accept", image.type)).expect(404)
        },
        check(
            "delete", .must, section, "nobody deletes in another's repository", ["oauth-covers"]
        ) { probe, other in
            let image = try probe.newTaggedImage()
            for reference in ["latest", image.digest] {
                try probe.other(other, "DELETE", probe.manifestPlace(reference))
                    .expect(anyOf: refusals + [400, 405], "as \(other.name)")
            }
            try probe.get(probe.manifestPlace("latest"), ("Accept", image.type)).expect(200)
        },
        check(
            "mount", .must, "CVE-2024-39897: mount authorization",
            "nobody mounts a blob that they may not read, with from or without", ["oauth-covers"]
        ) { probe, other in
            let blob = try probe.newBlob()
            let theirs = "\(other.name)/\(probe.run.seed)/mount"
            try probe.each(["mount=\(blob.digest)&from=\(probe.repository)", "mount=\(blob.digest)"]) { query in
                let answer = try probe.other(other, "POST", probe.uploadsPlace(query, in: theirs))
                try require(answer.status != 201, "any status but 201 for \(other.name)", "201", answer)
            }
        },
        check(
            "session", .must, "CVE-2026-32589: upload sessions across identities",
            "an upload is its owner's alone: GET, PATCH, PUT and DELETE", ["oauth-covers"]
        ) { probe, other in
            let upload = try probe.beginUpload()
            let content = try probe.random(40)
            for (method, place, body) in [
                ("GET", upload.place, nil), ("PATCH", upload.place, content),
                ("PUT", upload.place.adding("digest=" + content.digest), content), ("DELETE", upload.place, nil),
            ] as [(String, Place, Content?)] {
                try probe.other(other, method, place, body: body, type: body == nil ? nil : MediaType.octetStream)
                    .expectClientError("as \(other.name)")
            }
            try probe.get(upload.place).expect(204)
        },
        check(
            "token", .must, "Docker V2: Token Scope",
            "a token that was asked for more than its owner may does not allow it", ["oauth-covers"]
        ) { probe, other in
            let service = try probe.tokenService()
            _ = try probe.newTaggedImage()
            let answer = try probe.askToken(
                service, scopes: ["repository:\(probe.repository):pull,push,delete"], as: other)
            if (400..<500).contains(answer.status) { return }
            let token = try probe.token(in: answer)
            try probe.with(token: token, "GET", probe.manifestPlace("latest")).expect(401, 403, 404)
            try probe.with(token: token, "POST", probe.uploadsPlace()).expect(401, 403, 404)
        },
        check(
            "catalog", .should, "CVE-2026-27771: private on every route",
            "the catalog of one identity does not name what another may not see", ["opinion"]
        ) { probe, other in
            _ = try probe.newTaggedImage()
            let answer = try probe.other(other, "GET", .path("/v2/_catalog?n=10000"))
            guard answer.status == 200 else { return try answer.expectDenied() }
            let names = try answer.json()["repositories"]?.strings ?? []
            try require(!names.contains(probe.repository), "no \(probe.repository)", "it is named", answer)
        },
        check(
            "existence", .should, "Headers that tell too much",
            "an answer to a stranger does not tell whether a private repository exists", ["opinion"]
        ) { probe, other in
            _ = try probe.newTaggedImage()
            let real = try probe.other(other, "GET", probe.manifestPlace("latest"))
            let unreal = try probe.other(
                other, "GET", probe.manifestPlace("latest", in: probe.repository("never-made")))
            try require(
                real.status == unreal.status && Set(real.errorCodes) == Set(unreal.errorCodes),
                "the same answer for what exists and what does not: \(unreal.status) \(unreal.errorCodes)",
                "\(real.status) \(real.errorCodes)", real)
        },
    ]
}

extension Answer {
    /// A list that somebody may not see is refused, or holds nothing, as one that is not there.
    func expectNothing(in member: String, as identity: Identity) throws {
        if status != 200 {
            try expectClientError("as \(identity.name)")
            return
        }
        let found = try json()[member]?.array ?? []
        try require(found.isEmpty, "\(request): nothing for \(identity.name)", "\(found.count) entries", self)
    }

    /// A refusal of any kind.
    func expectDenied() throws {
        try expectClientError("or 200")
    }
}
