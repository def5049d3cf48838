import Vocabulary

/// What was answered once is no answer for ever: pulls and lists after a push, each asked the same way before it.
enum CacheChecks {
    private static let pulls = "distribution-spec: Checking if content exists"

    static let checks: [Check] = [
        Check(
            "cache.missing-blob", .must, pulls, "a blob that was asked for before it was pushed is there afterwards",
            ["head-200", "blob-get-200"]
        ) { probe in
            _ = try probe.newBlob()
            let blob = try probe.random(1_000)
            let place = probe.blobPlace(blob.digest)
            try probe.head(place).expect(404)
            try probe.get(place).expect(404)
            try probe.pushBlob(blob)
            try probe.head(place).expect(200)
            let answer = try probe.get(place)
            try answer.expect(200)
            try answer.expectBody(blob.bytes)
        },
        Check(
            "cache.missing-manifest", .must, pulls,
            "a tag and a manifest that were asked for before they were pushed are there afterwards",
            ["head-200", "manifest-get-200"]
        ) { probe in
            let image = try probe.newImage()
            let tag = try probe.word("later-")
            let places = [image.digest, tag].map { probe.manifestPlace($0) }
            for place in places {
                try probe.head(place, ("Accept", image.type)).expect(404)
                try probe.get(place, ("Accept", image.type)).expect(404)
            }
            try probe.push(image, as: tag)
            for place in places {
                try probe.head(place, ("Accept", image.type)).expect(200)
                let answer = try probe.get(place, ("Accept", image.type))
                try answer.expect(200)
                try answer.expectBody(image.content.bytes)
            }
        },
        Check(
            "cache.tags", .must, "distribution-spec: Listing Tags",
            "a list of tags, whole or a page, that was asked for before a push has the new tag after it", ["tags-json"]
        ) { probe in
            let queries = ["", "n=1000"]
            for query in queries { _ = try probe.get(probe.tagsPlace(query)) }
            let image = try probe.newImage()
            for tag in ["one", "two"] {
                try probe.push(image, as: tag)
                for query in queries {
                    let tags = try probe.tags(query)
                    try require(tags.contains(tag), "\(tag) in the list", "\(tags)")
                }
            }
        },
        Check(
            "cache.referrers", .must, "distribution-spec: Enabling the Referrers API",
            "a referrer that is pushed after the list was asked for is in the list", ["referrers-new"]
        ) { probe in
            let subject = try probe.newTaggedImage()
            _ = try probe.referrers(of: subject.digest)
            for number in 1...3 {
                let referrer = try probe.newReferrer(to: subject.descriptor())
                try probe.push(referrer)
                let found = try probe.referrers(of: subject.digest).compactMap { $0["digest"]?.string }
                try require(
                    found.contains(referrer.digest), "the referrer that was pushed last in the list",
                    "\(found.count) others, and \(number) were pushed")
            }
        },
    ]
}
