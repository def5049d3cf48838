import Vocabulary

/// Docker V2 "Listing Repositories" (`_catalog`): optional, held to its rules where it is offered.
enum CatalogChecks {
    private static let section = "Docker V2: Listing Repositories"

    private static func page(_ probe: Probe, _ place: Place) throws -> (names: [String], answer: Answer) {
        let answer = try probe.get(place)
        if [401, 403, 404, 405].contains(answer.status) || answer.maySayUnsupported {
            throw Skip("the registry offers no catalog here (status \(answer.status))")
        }
        try answer.expect(200)
        let json = try answer.json()
        if json["repositories"]?.isNull == true { return ([], answer) }
        guard let names = json["repositories"]?.strings else {
            throw answer.failure("a repositories array of strings", "none", .form)
        }
        return (names, answer)
    }

    /// All names from a first query, at most `limit` pages.
    private static func all(_ probe: Probe, _ query: String, limit: Int = 400) throws -> [String] {
        var place = Place.path("/v2/_catalog?" + query)
        var found: [String] = []
        for _ in 0..<limit {
            let (names, answer) = try page(probe, place)
            found += names
            guard let next = try probe.nextPage(answer) else { return found }
            place = next
        }
        throw CheckFailure(expected: "a catalog that ends", got: "\(limit) pages and another Link")
    }

    /// Those of `names` that stand in the catalog, in its order, from a first query; 20 pages at most.
    private static func ours(_ probe: Probe, _ query: String, _ names: [String]) throws -> [String] {
        var place = Place.path("/v2/_catalog?" + query)
        var found: [String] = []
        for _ in 0..<20 {
            let (page, answer) = try page(probe, place)
            found += page.filter { names.contains($0) }
            guard found.count < names.count, let next = try probe.nextPage(answer) else { break }
            place = next
        }
        return found
    }

    private static func twoRepositories(_ probe: Probe) throws -> [String] {
        let names = ["a", "b"].map { probe.repository($0) }
        for name in names { _ = try probe.newTaggedImage(in: name) }
        return names
    }

    static let checks: [Check] = [
        Check("catalog.lists", .may, section, "the catalog holds the repositories that were pushed to") { probe in
            let names = try twoRepositories(probe)
            let found = try all(probe, "n=1000")
            for name in names {
                try require(found.contains(name), "\(name) in the catalog", "not among \(found.count) names")
            }
        },
        Check("catalog.once", .may, section, "the catalog holds a repository once") { probe in
            _ = try twoRepositories(probe)
            let ours = try all(probe, "n=1000").filter { $0.hasPrefix(probe.repository("")) }
            try require(Set(ours).count == ours.count, "each name once", "\(ours)")
        },
        Check("catalog.n", .may, section, "n=1 gives one repository and a Link to the next") { probe in
            _ = try twoRepositories(probe)
            let (names, answer) = try page(probe, .path("/v2/_catalog?n=1"))
            try require(names.count == 1, "one repository", "\(names.count)", answer)
            try require(try probe.nextPage(answer) != nil, "a Link to the rest", "no Link", answer)
        },
        Check("catalog.last", .may, section, "last gives the repositories behind it, itself not included") { probe in
            let names = try twoRepositories(probe)
            let (found, answer) = try page(probe, .path("/v2/_catalog?n=1&last=" + queryEscaped(names[0])))
            try require(found == [names[1]], "\(names[1]) behind \(names[0])", "\(found)", answer)
            let (rest, whole) = try page(probe, .path("/v2/_catalog?last=" + queryEscaped(names[0])))
            try require(!rest.contains(names[0]), "a list without \(names[0]), also without n", "a list with it", whole)
        },
        Check(
            "catalog.sorted", .may, section, "the catalog is sorted, and whole without n: what is left out has a Link"
        ) { probe in
            let names = ["a", "b", "c", "d", "e"].map { probe.repository($0) }
            for name in names { _ = try probe.newTaggedImage(in: name) }
            // From just before our own names on: what else a used registry holds takes many pages.
            let start = String(names[0].dropLast())
            for query in ["", "n=1000&"] {
                let found = try ours(probe, query + "last=" + queryEscaped(start), names)
                try require(found == names, "\(names), in order", "\(found)")
            }
        },
        Check("catalog.nested", .may, section, "the catalog holds repositories however deep their names are") { probe in
            let name = probe.repository("a") + "/b/c/d"
            let opening = try probe.postUpload(in: name)
            if [400, 403, 404].contains(opening.status) {
                throw Skip("the registry takes no name so deep (status \(opening.status))")
            }
            _ = try probe.newTaggedImage(in: name)
            let found = try ours(probe, "last=" + queryEscaped(probe.repository("a")), [name])
            try require(found == [name], "\(name) in the catalog", "a catalog without it")
        },
        Check(
            "catalog.n.zero", .may, section, "n=0 gives no repositories, as it asks for up to n, or is refused by 4xx"
        ) { probe in
            _ = try twoRepositories(probe)
            let answer = try probe.get(.path("/v2/_catalog?n=0"))
            if (400..<500).contains(answer.status) { throw Skip("n=0 is refused, or no catalog (\(answer.status))") }
            let (names, again) = try page(probe, .path("/v2/_catalog?n=0"))
            try require(names.isEmpty, "no names", "\(names.count)", again)
        },
        Check("catalog.content-type", .should, section, "the catalog is told as JSON", ["opinion"]) { probe in
            _ = try twoRepositories(probe)
            let (_, answer) = try page(probe, .path("/v2/_catalog?n=1"))
            let type = try answer.expectHeader("Content-Type")
            try require(type.lowercased().hasPrefix("application/json"), "Content-Type: application/json", type, answer)
        },
        Check("catalog.link", .may, section, "following Link goes through the catalog to its end, each name once") {
            probe in
            let names = try twoRepositories(probe)
            let start = String(names[0].dropLast())
            var place = Place.path("/v2/_catalog?n=1&last=" + queryEscaped(start))
            var found: [String] = []
            for _ in 0..<2 {
                let (names, answer) = try page(probe, place)
                found += names
                guard let next = try probe.nextPage(answer) else { break }
                place = next
            }
            let ours = found.filter { names.contains($0) }
            try require(ours == names, "\(names), a page each", "\(found)")
        },
        Check("catalog.n.odd", .may, "CVE-2023-2253: n of every shape", "n of every shape is 4xx or a list, never 5xx")
        {
            probe in
            _ = try twoRepositories(probe)
            for number in ["0", "-1", "abc", "2147483648", "9223372036854775808", "1e9", ""] {
                let answer = try probe.get(.path("/v2/_catalog?n=" + number))
                if answer.status == 401 || answer.status == 404 { throw Skip("no catalog here (\(answer.status))") }
                try require(
                    answer.status == 200 || (400..<500).contains(answer.status), "200 or 4xx for n=\(number)",
                    "status \(answer.status)", answer)
            }
        },
    ]
}
