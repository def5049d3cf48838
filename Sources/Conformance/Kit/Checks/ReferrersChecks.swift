import Vocabulary

/// distribution-spec "Pushing Manifests with Subject", "Listing Referrers" (end-12a, end-12b), "Enabling the Referrers API".
enum ReferrersChecks {
    private static let section = "distribution-spec: Listing Referrers"
    private static let type = "application/vnd.aerugo.test"

    static let checks: [Check] = pushing + listing + descriptors + filters + changes

    /// A subject and one referrer, both pushed.
    private static func pair(
        _ probe: Probe, artifactType: String? = type, config: Descriptor? = nil, annotations: [(String, String)] = []
    ) throws -> (subject: Manifest, referrer: Manifest) {
        let subject = try probe.newTaggedImage()
        let referrer = try probe.newReferrer(
            to: subject.descriptor(), artifactType: artifactType, config: config, annotations: annotations)
        try probe.push(referrer)
        return (subject, referrer)
    }

    private static func only(_ entries: [JSON], _ digest: String) throws -> JSON {
        try ReferrerEntryChecks.only(entries, digest)
    }

    private static let pushing: [Check] = [
        Check(
            "referrers.subject-header", .must, "distribution-spec: Pushing Manifests with Subject",
            "a push with a subject is answered with OCI-Subject, where there is a referrers API", ["subject-header"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            _ = try probe.referrers(of: subject.digest)
            let referrer = try probe.newReferrer(to: subject.descriptor())
            let answer = try probe.putManifest(referrer.content, referrer.digest, type: referrer.type)
            try answer.expect(201)
            try answer.expectHeader(HeaderName.ociSubject, subject.digest)
        },
        Check(
            "referrers.subject-missing", .must, "distribution-spec: Push",
            "a manifest whose subject is not there is taken", ["subject-missing-accepted"]
        ) { probe in
            let subject = try probe.newImage()
            let referrer = try probe.newReferrer(to: subject.descriptor())
            try probe.putManifest(referrer.content, referrer.digest, type: referrer.type).expect(201)
        },
        Check(
            "referrers.before-subject", .must, "distribution-spec: Push",
            "referrers that came before their subject are listed", ["subject-missing-accepted", "referrers-new"]
        ) { probe in
            let subject = try probe.newImage()
            let referrer = try probe.newReferrer(to: subject.descriptor())
            try probe.push(referrer)
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
            try probe.push(subject, as: "latest")
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
        },
    ]

    private static let listing: [Check] = [
        Check(
            "referrers.lists", .must, section, "what points at a manifest is listed, 200",
            ["referrers-200", "referrers-new"]
        ) { probe in
            let (subject, referrer) = try pair(probe)
            let entry = try only(try probe.referrers(of: subject.digest), referrer.digest)
            try ReferrerEntryChecks.requireFits(entry, referrer)
        },
        Check(
            "referrers.form", .must, section, "the list is an OCI index: schemaVersion 2, mediaType, manifests",
            ["referrers-index"]
        ) { probe in
            let (subject, _) = try pair(probe)
            let answer = try probe.get(probe.referrersPlace(subject.digest))
            if answer.status == 404 { throw Skip("the registry has no referrers API (404)") }
            try answer.expect(200)
            _ = try probe.referrerPage(answer)
            let json = try answer.json()
            try require(json["schemaVersion"]?.integer == 2, "schemaVersion: 2", "another", answer)
            try require(
                json["mediaType"]?.string == MediaType.ociIndex, "mediaType: \(MediaType.ociIndex)", "another", answer)
        },
        Check(
            "referrers.content-type", .must, section, "the list is told as an OCI index", ["referrers-type"]
        ) { probe in
            let (subject, _) = try pair(probe)
            let answer = try probe.get(probe.referrersPlace(subject.digest))
            if answer.status == 404 { throw Skip("the registry has no referrers API (404)") }
            try answer.expectHeader("Content-Type", MediaType.ociIndex)
        },
        Check(
            "referrers.none", .must, section, "a manifest without referrers has an empty list", ["referrers-empty"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            let found = try probe.referrers(of: subject.digest)
            try require(found.isEmpty, "no referrers", "\(found.count)")
        },
        Check(
            "referrers.of-unknown", .must, section, "a digest that is not there has an empty list, not 404",
            ["referrers-empty", "referrers-no-404"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            _ = try probe.referrers(of: subject.digest)
            let answer = try probe.get(probe.referrersPlace(try probe.random(9).digest))
            try answer.expect(200)
            let found = try probe.referrerPage(answer)
            try require(found.isEmpty, "an empty manifests array", "\(found.count) descriptors", answer)
        },
        Check(
            "referrers.malformed", .must, section, "a malformed digest is 400", ["referrers-400"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            _ = try probe.referrers(of: subject.digest)
            for digest in ["sha256:abc", "nonsense"] {
                try probe.get(probe.referrersPlace(digest)).expect(400)
            }
        },
        Check(
            "referrers.several", .must, section,
            "all of twenty-five referrers are listed, over as many pages as it takes",
            ["referrers-200", "referrers-link", "referrers-link-rel"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            var wanted: Set<String> = []
            let config = try probe.newConfig()
            let layer = Descriptor("application/vnd.aerugo.test.layer", try probe.newBlob(64))
            for number in 1...25 {
                let referrer = Manifest(
                    image: config, layers: [layer],
                    members: [
                        ("artifactType", JSONText.string(type)), ("subject", subject.descriptor().json),
                        ("annotations", "{\"n\":\"\(number)\"}"),
                    ])
                try probe.push(referrer)
                wanted.insert(referrer.digest)
            }
            let found = try probe.referrers(of: subject.digest).compactMap { $0["digest"]?.string }
            try require(
                Set(found) == wanted && found.count == 25, "the 25 referrers, each once",
                "\(found.count) entries, \(Set(found).intersection(wanted).count) of them right")
        },
        Check(
            "referrers.of-others", .must, section, "what points at another manifest is not listed", ["referrers-200"]
        ) { probe in
            let (subject, referrer) = try pair(probe)
            let other = try probe.newImage()
            try probe.push(other, as: "other")
            let found = try probe.referrers(of: other.digest)
            try require(found.isEmpty, "no referrers of another manifest", "\(found.count)")
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
        },
    ]

    private static let descriptors: [Check] = [
        Check(
            "referrers.artifact-type", .must, section, "a descriptor bears the manifest's artifactType",
            ["referrers-artifact-type"]
        ) { probe in
            let (subject, referrer) = try pair(probe, artifactType: "application/vnd.aerugo.sbom")
            let entry = try only(try probe.referrers(of: subject.digest), referrer.digest)
            let got = entry["artifactType"]?.string
            try require(
                got == "application/vnd.aerugo.sbom", "artifactType: application/vnd.aerugo.sbom", got ?? "none")
        },
        Check(
            "referrers.artifact-type.from-config", .must, section,
            "without an artifactType it is the configuration's media type", ["referrers-config-type"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            var config = try probe.newConfig()
            config.type = "application/vnd.aerugo.config"
            let referrer = try probe.newReferrer(to: subject.descriptor(), artifactType: nil, config: config)
            try probe.push(referrer)
            let entry = try only(try probe.referrers(of: subject.digest), referrer.digest)
            let got = entry["artifactType"]?.string
            try require(got == config.type, "artifactType: \(config.type)", got ?? "none")
        },
        Check(
            "referrers.index", .must, section, "an index with a subject is listed with its artifactType",
            ["referrers-200", "referrers-artifact-type"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            let index = Manifest(
                index: [], members: [("artifactType", JSONText.string(type)), ("subject", subject.descriptor().json)])
            try probe.push(index)
            let entry = try only(try probe.referrers(of: subject.digest), index.digest)
            let got = entry["artifactType"]?.string
            try require(got == type, "artifactType: \(type)", got ?? "none")
            try ReferrerEntryChecks.requireFits(entry, index)
        },
        Check(
            "referrers.index.no-artifact-type", .must, section,
            "an index without an artifactType is listed without one",
            ["referrers-index-no-type"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            let index = Manifest(index: [], members: [("subject", subject.descriptor().json)])
            try probe.push(index)
            let entry = try only(try probe.referrers(of: subject.digest), index.digest)
            try require(entry["artifactType"] == nil, "no artifactType", entry["artifactType"]?.string ?? "one")
        },
        Check(
            "referrers.annotations", .must, section, "a descriptor bears the manifest's annotations",
            ["referrers-annotations"]
        ) { probe in
            let wanted = ["org.example.a": "1", "org.example.b": "é \" \\ <>"]
            let (subject, referrer) = try pair(probe, annotations: wanted.sorted { $0.key < $1.key }.map { ($0, $1) })
            let entry = try only(try probe.referrers(of: subject.digest), referrer.digest)
            try ReferrerEntryChecks.requireAnnotations(entry, wanted)
        },
    ]

    private static let filters: [Check] = [
        Check(
            "referrers.filter", .should, section, "artifactType in the query gives those of that type alone",
            ["referrers-filter"]
        ) { probe in
            let (subject, referrer) = try pair(probe, artifactType: "application/vnd.aerugo.one")
            for type in [
                "application/vnd.aerugo.two", "application/vnd.aerugo.one.more", "x-application/vnd.aerugo.one",
            ] {
                try probe.push(try probe.newReferrer(to: subject.descriptor(), artifactType: type))
            }
            let found = try probe.referrers(of: subject.digest, "artifactType=application/vnd.aerugo.one")
            let digests = found.compactMap { $0["digest"]?.string }
            try require(digests == [referrer.digest], "the one referrer of that type", "\(digests.count) entries")
        },
        Check(
            "referrers.filter.header", .must, section, "a filter that was applied is told by OCI-Filters-Applied",
            ["referrers-filter-header"]
        ) { probe in
            let (subject, _) = try pair(probe, artifactType: "application/vnd.aerugo.one")
            let query = "artifactType=" + queryEscaped("application/vnd.aerugo.none")
            let answer = try probe.get(probe.referrersPlace(subject.digest, query))
            if answer.status == 404 { throw Skip("the registry has no referrers API (404)") }
            try answer.expect(200)
            let found = try probe.referrerPage(answer)
            let told = answer.headers.list(HeaderName.ociFiltersApplied)
            try require(
                told.contains("artifactType") == found.isEmpty,
                "OCI-Filters-Applied exactly when the filter was applied",
                "\(found.count) entries and OCI-Filters-Applied: \(told)", answer)
            if !found.isEmpty { throw Skip("the registry applies no filter") }
        },
        Check(
            "referrers.filter.none-asked", .must, section, "without a filter none is told", ["referrers-filter-header"]
        ) { probe in
            let (subject, _) = try pair(probe)
            let answer = try probe.get(probe.referrersPlace(subject.digest))
            if answer.status == 404 { throw Skip("the registry has no referrers API (404)") }
            try answer.expectNoHeader(HeaderName.ociFiltersApplied)
        },
        Check(
            "referrers.filter.from-config", .should, section,
            "the filter also finds manifests whose type comes from their configuration",
            ["referrers-filter", "referrers-config-type"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            var config = try probe.newConfig()
            config.type = "application/vnd.aerugo.config"
            let referrer = try probe.newReferrer(to: subject.descriptor(), artifactType: nil, config: config)
            try probe.push(referrer)
            let found = try probe.referrers(of: subject.digest, "artifactType=" + queryEscaped(config.type))
            _ = try only(found, referrer.digest)
        },
    ]

    private static let changes: [Check] = [
        Check(
            "referrers.after-delete", .must, section, "a referrer that was deleted is no longer listed",
            ["referrers-200"]
        ) { probe in
            let (subject, referrer) = try pair(probe)
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
            try probe.deleteOrSkip(probe.manifestPlace(referrer.digest), "manifest")
            let found = try probe.referrers(of: subject.digest)
            try require(found.isEmpty, "no referrers", "\(found.count)")
        },
        Check(
            "referrers.again", .must, section, "a referrer that was pushed twice, also by tag, is listed once",
            ["referrers-200"]
        ) { probe in
            let (subject, referrer) = try pair(probe)
            try probe.push(referrer)
            try probe.push(referrer, as: "signature")
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
        },
        Check(
            "referrers.tag-schema", .must, "distribution-spec: Enabling the Referrers API",
            "what the referrers tag of a digest lists, and does point at it, is in the API's list",
            ["referrers-preexisting"]
        ) { probe in
            let (subject, referrer) = try pair(probe)
            let index = Manifest(index: [referrer.descriptor([("artifactType", JSONText.string(type))])])
            try probe.push(index, as: subject.digest.replacing(":", with: "-"))
            _ = try only(try probe.referrers(of: subject.digest), referrer.digest)
        },
        Check(
            "referrers.other-repository", .must, section, "referrers of another repository are not listed",
            ["referrers-200"]
        ) { probe in
            let (subject, _) = try pair(probe)
            let other = probe.repository("other")
            _ = try probe.newTaggedImage(in: other)
            let found = try probe.referrers(of: subject.digest, in: other)
            try require(found.isEmpty, "no referrers in another repository", "\(found.count)")
        },
    ]
}
