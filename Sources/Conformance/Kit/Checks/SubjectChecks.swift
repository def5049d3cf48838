import Vocabulary

/// distribution-spec "Pushing Manifests with Subject": when OCI-Subject is told, and that subjects stay.
enum SubjectChecks {
    private static let section = "distribution-spec: Pushing Manifests with Subject"

    static let checks: [Check] = [
        Check(
            "referrers.subject-header.every-push", .must, section,
            "OCI-Subject is told for a push by tag, for a second push, and for a subject that is not there",
            ["subject-header"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            _ = try probe.referrers(of: subject.digest)
            let referrer = try probe.newReferrer(to: subject.descriptor())
            for reference in ["signature", referrer.digest, referrer.digest, "signature"] {
                let answer = try probe.putManifest(referrer.content, reference, type: referrer.type)
                try answer.expect(201)
                try answer.expectHeader(HeaderName.ociSubject, subject.digest)
            }
            let missing = try probe.newImage()
            let early = try probe.newReferrer(to: missing.descriptor())
            let answer = try probe.putManifest(early.content, early.digest, type: early.type)
            try answer.expect(201)
            try answer.expectHeader(HeaderName.ociSubject, missing.digest)
        },
        Check(
            "referrers.subject-header.index", .should, section,
            "an index with a subject that the registry lists is answered with OCI-Subject too", ["subject-header"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            let index = Manifest(index: [], members: [("subject", subject.descriptor().json)])
            let answer = try probe.putManifest(index.content, index.digest, type: index.type)
            try answer.expect(201)
            let listed = try probe.referrers(of: subject.digest).contains { $0["digest"]?.string == index.digest }
            if !listed { throw Skip("the registry lists no indexes as referrers") }
            try answer.expectHeader(HeaderName.ociSubject, subject.digest)
        },
        Check(
            "referrers.subject-header.none", .should, section,
            "a push without a subject is answered without OCI-Subject: there is none that could have been processed",
            ["subject-header"]
        ) { probe in
            let image = try probe.newImage()
            let index = Manifest(index: [image.descriptor()])
            for manifest in [image, index] {
                let answer = try probe.putManifest(manifest.content, manifest.digest, type: manifest.type)
                try answer.expect(201)
                try answer.expectNoHeader(HeaderName.ociSubject)
            }
        },
        Check(
            "referrers.bytes", .must, "distribution-spec: Pushing Manifests",
            "a manifest with a subject comes back byte for byte, by tag and by digest", ["manifest-exact-bytes"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            let referrer = try probe.newReferrer(to: subject.descriptor())
            try probe.push(referrer, as: "signature")
            for reference in ["signature", referrer.digest] {
                let pulled = try probe.get(probe.manifestPlace(reference), ("Accept", referrer.type))
                try pulled.expect(200)
                try pulled.expectBody(referrer.content.bytes)
            }
        },
    ]
}
