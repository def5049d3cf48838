import Vocabulary

/// distribution-spec "Listing Tags" (end-8a, end-8b).
enum TagListChecks {
    private static let section = "distribution-spec: Listing Tags"
    private static let names = ["A", "a1", "a2", "b", "B2", "v1.0", "v1.1", "v10", "v2", "_x"]

    static let checks: [Check] = whole + pages + numbers

    /// One manifest under all of the names; gives the names.
    private static func tagged(_ probe: Probe, _ tags: [String] = names) throws -> [String] {
        let image = try probe.newImage()
        for tag in tags { try probe.push(image, as: tag) }
        return tags
    }

    /// The whole list, which has to hold the ten names before a part of it can be asked for.
    private static func ten(_ probe: Probe) throws -> [String] {
        let all = try probe.tags()
        let missing = Set(names).subtracting(all)
        guard missing.isEmpty, all.count >= names.count else {
            throw SetupFailure(
                purpose: "ten tags", failure: CheckFailure(expected: "all of \(names) in the list", got: "\(all)"))
        }
        return all
    }

    private static func requireSame(_ probe: Probe, _ got: [String], _ wanted: [String]) throws {
        let extra = Set(got).subtracting(wanted)
        let missing = Set(wanted).subtracting(got)
        try require(
            missing.isEmpty && (extra.isEmpty || !probe.isRepositoryFresh) && Set(got).count == got.count,
            "the tags \(wanted.sorted())", "\(got)")
    }

    private static let whole: [Check] = [
        Check(
            "tags.list", .must, section, "the list of tags is 200 and holds every tag once, and no other",
            ["tags-200", "tags-json", "category-whole"]
        ) { probe in
            let tags = try tagged(probe)
            try requireSame(probe, try probe.tags(), tags)
        },
        Check("tags.name", .must, section, "the list of tags bears the repository's name", ["tags-json"]) { probe in
            _ = try tagged(probe, ["one"])
            for query in ["", "n=1"] {
                let answer = try probe.get(probe.tagsPlace(query))
                try answer.expect(200)
                let name = try answer.json()["name"]?.string
                try require(name == probe.repository, "name: \(probe.repository)", name ?? "no name", answer)
            }
        },
        Check("tags.content-type", .should, section, "the list of tags is told as JSON", ["tags-json"]) { probe in
            _ = try tagged(probe, ["one"])
            let answer = try probe.get(probe.tagsPlace())
            try answer.expect(200)
            let type = try answer.expectHeader("Content-Type")
            try require(type.lowercased().hasPrefix("application/json"), "Content-Type: application/json", type, answer)
        },
        Check(
            "tags.sorted", .must, section, "the tags are in lexical or in byte order", ["tags-sorted"]
        ) { probe in
            _ = try tagged(probe)
            let tags = try probe.tags()
            try require(!TagOrder.all(of: tags).isEmpty, "tags in order", "\(tags)")
        },
        Check(
            "tags.of-unknown-repository", .must, "distribution-spec: Pushing Manifests",
            "the tags of a repository that does not exist are 404, or none", ["unknown-repository-404"], needs: []
        ) { probe in
            let answer = try probe.get(probe.tagsPlace(in: probe.repository("never-made")))
            // Only a list of a repository that is found is ruled: one without tags may be found, or nobody told.
            if answer.status == 401 || answer.status == 403 {
                throw Skip("the registry does not tell what exists (status \(answer.status))")
            }
            if answer.status == 200, try probe.tagPage(answer).isEmpty {
                throw Skip("to this registry a repository that nobody made is one without tags")
            }
            try answer.expect(404)
        },
        Check(
            "tags.without-tags", .must, section, "a repository of blobs and manifests without tags has an empty list",
            ["tags-200", "tags-json"]
        ) { probe in
            let image = try probe.newImage()
            try probe.push(image)
            let answer = try probe.get(probe.tagsPlace())
            if answer.status == 404 { throw Skip("a repository without tags is not there yet, to this registry") }
            let tags = try probe.tagPage(answer)
            if probe.isRepositoryFresh { try require(tags.isEmpty, "no tags", "\(tags)", answer) }
        },
        Check(
            "tags.none-twice", .must, section, "a tag that was pushed twice is listed once, also in a page",
            ["tags-json"]
        ) { probe in
            _ = try tagged(probe, ["one", "two"])
            let image = try probe.newImage()
            try probe.push(image, as: "one")
            try probe.each(["no query", "n=1000"]) { query in
                try requireSame(probe, try probe.tags(query == "n=1000" ? query : ""), ["one", "two"])
            }
        },
        Check(
            "tags.many", .must, section, "all of 110 tags are listed, over as many pages as it takes",
            ["tags-json", "category-whole"]
        ) { probe in
            let tags = (0..<110).map { "tag-\($0)" }
            let image = try probe.newImage()
            try probe.prepare("110 tags") {
                for first in stride(from: 0, to: tags.count, by: 10) {
                    try pushTags(probe, image, Array(tags[first..<first + 10]))
                }
            }
            try probe.each(["no query", "n=1000"]) { query in
                try requireSame(probe, try probe.tags(query == "n=1000" ? query : ""), tags)
            }
        },
    ]

    /// Tags an image by the query of one push, where that is supported, else by a push each.
    private static func pushTags(_ probe: Probe, _ image: Manifest, _ tags: [String]) throws {
        let query = tags.map { "tag=" + $0 }.joined(separator: "&")
        let answer = try probe.putManifest(image.content, image.digest, type: image.type, query: query)
        let made = Set(answer.headers.list(HeaderName.ociTag))
        for tag in tags {
            if made.contains(tag) {
                probe.ledger.add(.tag(repository: probe.repository, name: tag))
            } else {
                try probe.putManifest(image.content, tag, type: image.type).expect(201)
            }
        }
    }

    private static let pages: [Check] = [
        Check(
            "tags.n", .must, section, "n=3 of ten tags gives the first three, or fewer with a Link", ["tags-n"]
        ) { probe in
            _ = try tagged(probe)
            let all = try ten(probe)
            let answer = try probe.get(probe.tagsPlace("n=3"))
            let page = try probe.tagPage(answer)
            try require(page.count <= 3, "at most 3 tags", "\(page.count): \(page)", answer)
            if page.count < 3 { try answer.expectHeader("Link") }
            try require(page == Array(all.prefix(page.count)), "the first tags of \(all)", "\(page)", answer)
        },
        Check(
            "tags.n.sorted", .must, section, "a page of tags is in order", ["tags-n-sorted"]
        ) { probe in
            _ = try tagged(probe)
            let page = try probe.tagPage(try probe.get(probe.tagsPlace("n=7")))
            try probe.leaning(on: "tags.sorted") {
                try require(!TagOrder.all(of: page).isEmpty, "tags in order", "\(page)")
            }
        },
        Check(
            "tags.n.more-than-there-are", .must, section, "n past the number of tags gives all of them", ["tags-n"]
        ) { probe in
            let tags = try tagged(probe, ["a", "b", "c"])
            try requireSame(probe, try probe.tags("n=100"), tags)
        },
        Check(
            "tags.n.exactly", .must, section, "n equal to the number of tags gives all, and no page of nothing loops",
            ["tags-n"]
        ) { probe in
            let tags = try tagged(probe, ["a", "b", "c"])
            try requireSame(probe, try probe.tags("n=3"), tags)
        },
        Check(
            "tags.n.zero", .must, section, "n=0 gives an empty list without a Link", ["tags-n-zero"]
        ) { probe in
            _ = try tagged(probe, ["a", "b", "c"])
            let answer = try probe.get(probe.tagsPlace("n=0"))
            let page = try probe.tagPage(answer)
            try probe.leaning(on: "tags.n") { try require(page.isEmpty, "no tags", "\(page)", answer) }
            try require(try probe.nextPage(answer) == nil, "no Link to a next page", "one", answer)
        },
        Check(
            "tags.link", .must, section, "following Link from n=3 gives every tag once, in order",
            ["tags-link", "tags-n"]
        ) { probe in
            let tags = try tagged(probe)
            let first = try probe.get(probe.tagsPlace("n=3"))
            if try probe.nextPage(first) == nil { throw Skip("the registry sends no Link") }
            let got = try probe.tags("n=3")
            try requireSame(probe, got, tags)
            try probe.leaning(on: "tags.sorted") {
                try require(!TagOrder.all(of: got).isEmpty, "tags in order over the pages", "\(got)")
            }
        },
        Check(
            "tags.link.prefixes", .must, section,
            "following Link from n=1 passes over no tag that begins with the name of the one before it", ["tags-link"]
        ) { probe in
            let tags = try tagged(probe, ["v1", "v1.0", "v1.0-rc", "v1.00", "v10"])
            if try probe.nextPage(try probe.get(probe.tagsPlace("n=1"))) == nil {
                throw Skip("the registry sends no Link")
            }
            try requireSame(probe, try probe.tags("n=1"), tags)
        },
        Check(
            "tags.link.query-kept", .should, section, "the Link of n=3 leads to a page of at most 3", ["tags-link"]
        ) { probe in
            _ = try tagged(probe)
            guard let next = try probe.nextPage(try probe.get(probe.tagsPlace("n=3"))) else {
                throw Skip("the registry sends no Link")
            }
            let answer = try probe.get(next)
            let page = try probe.tagPage(answer)
            try require((1...3).contains(page.count), "1 to 3 tags", "\(page.count): \(page)", answer)
        },
        Check(
            "tags.last", .must, section, "last=T with n gives the tags behind T, T not included",
            ["tags-last-sorted", "tags-last-not-index"]
        ) { probe in
            _ = try tagged(probe)
            let all = try ten(probe)
            let answer = try probe.get(probe.tagsPlace("n=3&last=" + queryEscaped(all[2])))
            let page = try probe.tagPage(answer)
            try require(
                !page.isEmpty && page == Array(all[3...].prefix(page.count)), "the tags behind \(all[2]) of \(all)",
                "\(page)", answer)
        },
        Check(
            "tags.last.without-n", .should, section, "last works without n", ["tags-last-sorted"]
        ) { probe in
            _ = try tagged(probe)
            let all = try ten(probe)
            let rest = try probe.tags("last=" + queryEscaped(all[6]))
            try probe.leaning(on: "tags.last") {
                try require(rest == Array(all[7...]), "the tags behind \(all[6]) of \(all)", "\(rest)")
            }
        },
        Check(
            "tags.last.at-end", .must, section, "nothing is listed behind the last tag", ["tags-last-sorted"]
        ) { probe in
            _ = try tagged(probe)
            let all = try ten(probe)
            let rest = try probe.tags("n=5&last=" + queryEscaped(all[all.count - 1]))
            try probe.leaning(on: "tags.last") {
                try require(rest.isEmpty, "no tags behind the last of \(all)", "\(rest)")
            }
        },
        Check(
            "tags.last.not-there", .should, section, "last may be a tag that is not there: the list goes on behind it",
            ["tags-last-sorted"]
        ) { probe in
            _ = try tagged(probe, ["a", "c", "e"])
            let rest = try probe.tags("n=5&last=b").filter { ["a", "c", "e"].contains($0) }
            try probe.leaning(on: "tags.last") {
                try require(rest == ["c", "e"], "c and e behind b", "\(rest)")
            }
        },
        Check(
            "tags.last.number", .must, section, "last is a tag also where it is a number, not the place of one",
            ["tags-last-not-index", "tags-last-sorted"]
        ) { probe in
            let tags = try tagged(probe, ["5", "6", "7", "8"])
            let rest = try probe.tags("n=10&last=6").filter { tags.contains($0) }
            try probe.leaning(on: "tags.last") {
                try require(rest == ["7", "8"], "7 and 8 behind 6", "\(rest)")
            }
        },
    ]

    private static let numbers: [Check] = [
        ("negative", "-1"), ("text", "abc"), ("float", "1.5"), ("empty", ""), ("int32", "2147483648"),
        ("int64", "9223372036854775808"), ("digits", String(repeating: "9", count: 60)), ("signed", "%2B3"),
    ].map { name, number in
        Check(
            "tags.n.odd.\(name)", .should, "CVE-2023-2253: n of every shape",
            "n=\(number.prefix(24)) is a client error or a list, never a server's error", ["http-semantics"]
        ) { probe in
            let tags = try tagged(probe, ["a", "b", "c"])
            let answer = try probe.get(probe.tagsPlace("n=" + number))
            if answer.status == 200 {
                let page = try probe.tagPage(answer)
                try require(Set(page).count == page.count, "tags once each", "\(page)", answer)
                if probe.isRepositoryFresh {
                    try require(Set(page).isSubset(of: tags), "tags of \(tags)", "\(page)", answer)
                }
            } else {
                try answer.expectClientError("or 200")
            }
        }
    }
}
