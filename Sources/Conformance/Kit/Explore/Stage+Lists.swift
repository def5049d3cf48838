import Vocabulary

/// Lists of tags and of repositories.
extension Stage {
    func askTags(_ probe: Probe, _ at: Int, _ question: TagQuestion) throws {
        switch question {
        case .odd(let number):
            let answer = try probe.get(probe.tagsPlace("n=" + number, in: names[at]))
            try hold(.oddNumber) {
                try require(
                    answer.status == 200 || (400..<500).contains(answer.status),
                    "\(answer.request): 200 or 4xx", "status \(answer.status)", answer)
            }
            guard answer.status == 200 else { return }
            let page = try hold(.tagList) { try probe.tagPage(answer) }
            return try expectTags(page, at, answer, isWhole: false)
        case .whole: _ = try wholeList(probe, at)
        case .pages(let count):
            guard let all = try wholeList(probe, at) else { return }
            try askPages(probe, at, count, all)
        case .behind(let last, let count):
            guard let all = try wholeList(probe, at), !all.isEmpty else { return }
            try askBehind(probe, at, last, count, all)
        }
    }

    /// The whole list, judged; nil where the repository is not there to this registry.
    private func wholeList(_ probe: Probe, _ at: Int) throws -> [String]? {
        let holding = world.holdings[at]
        let answer = try probe.get(probe.tagsPlace(in: names[at]))
        if holding.liveTags.isEmpty {
            let situation = holding.situation
            try hold(.tagList) { _ = try answer.expect(200, 404) }
            if let situation { try settle("the tags of a repository that " + situation, "\(answer.status)", answer) }
            try expectCode(answer, ErrorCode.nameUnknown)
            if answer.status == 404 { return nil }
        }
        var found: [String] = []
        var page = answer
        for _ in 0..<200 {
            found += try tagPage(probe, page, at)
            guard let next = try hold(.tagPages, { try probe.nextPage(page) }) else { break }
            page = try probe.get(next)
        }
        try expectTags(found, at, answer, isWhole: true)
        try expectPulledListed(probe, found, at, answer)
        return found
    }

    /// A tag of which nothing is known is listed if it pulls: two views of one thing agree.
    private func expectPulledListed(_ probe: Probe, _ found: [String], _ at: Int, _ answer: Answer) throws {
        guard probe.run.lateness == .zero else { return }
        for tag in world.holdings[at].unsureTags.subtracting(found).sorted().prefix(2) {
            let pulled = try probe.head(probe.manifestPlace(tag, in: names[at]), ("Accept", MediaTypes.all))
            try hold(.tagList) {
                try require(
                    pulled.status != 200, "\(answer.request): \(tag), which pulls", "\(found)", answer)
            }
        }
    }

    private func tagPage(_ probe: Probe, _ answer: Answer, _ at: Int) throws -> [String] {
        try hold(.tagList) {
            let page = try probe.tagPage(answer)
            let name = try answer.json()["name"]?.string
            try require(name == names[at], "\(answer.request): name: \(names[at])", name ?? "no name", answer)
            let type = try answer.expectHeader("Content-Type")
            try require(
                type.lowercased().hasPrefix("application/json"), "\(answer.request): Content-Type: application/json",
                type, answer)
            return page
        }
    }

    /// What is listed is there, each once and in order; of a whole list, what is there is listed.
    private func expectTags(_ found: [String], _ at: Int, _ answer: Answer, isWhole: Bool) throws {
        let holding = world.holdings[at]
        let live = Set(holding.liveTags.keys)
        try hold(.tagList) {
            let extra = Set(found).subtracting(live).subtracting(holding.unsureTags)
            let lost = isWhole ? live.subtracting(found) : []
            try require(
                extra.isEmpty && lost.isEmpty, "\(answer.request): the tags \(live.sorted())",
                "\(found)\(extra.isEmpty ? "" : ", of which \(extra.sorted()) are not there")", answer)
            try require(Set(found).count == found.count, "\(answer.request): each tag once", "\(found)", answer)
        }
        let orders = try hold(.tagOrder) {
            let orders = TagOrder.all(of: found)
            try require(!orders.isEmpty, "\(answer.request): tags in order", "\(found)", answer)
            return orders
        }
        if orders.count == 1 { try settle(Stage.tagOrder, orders[0].rawValue, answer) }
    }

    static let tagOrder = "the order of tags"
    static let fullPage = "a Link behind a full page of tags"

    /// The orders that this registry may list tags in, as far as it has shown.
    private func orders(of all: [String]) -> [TagOrder] {
        habits[Stage.tagOrder].flatMap { TagOrder(rawValue: $0) }.map { [$0] } ?? TagOrder.all(of: all)
    }

    private func askPages(_ probe: Probe, _ at: Int, _ count: Int, _ all: [String]) throws {
        var answer = try probe.get(probe.tagsPlace("n=\(count)", in: names[at]))
        if count == 0 {
            return try hold(.tagPages) {
                let page = try tagPage(probe, answer, at)
                try require(page.isEmpty, "\(answer.request): no tags", "\(page)", answer)
                let next = try probe.nextPage(answer)
                try require(next == nil, "\(answer.request): no Link with rel=\"next\"", "one", answer)
            }
        }
        var found: [String] = []
        for _ in 0...all.count {
            let page = try tagPage(probe, answer, at)
            found += page
            let next = try hold(.tagPages) {
                try require(page.count <= count, "\(answer.request): at most \(count) tags", "\(page)", answer)
                return try probe.nextPage(answer)
            }
            guard let next else { break }
            answer = try probe.get(next)
        }
        // A registry may send no Link at all: then the first page is all that can be asked for in this way.
        if found.count < all.count, found.count == count {
            try settle(Stage.fullPage, "none", answer)
            return try hold(.tagPages) {
                try require(
                    found == Array(all.prefix(count)), "\(answer.request): the first \(count) of \(all)", "\(found)",
                    answer)
            }
        }
        if found.count > count { try settle(Stage.fullPage, "there", answer) }
        try hold(.tagPages) {
            try require(
                found == all, "\(answer.request): the pages of n=\(count) make up \(all)", "\(found)", answer)
        }
    }

    private func askBehind(_ probe: Probe, _ at: Int, _ last: String, _ count: Int?, _ all: [String]) throws {
        let query = (count.map { "n=\($0)&" } ?? "") + "last=" + queryEscaped(last)
        var answer = try probe.get(probe.tagsPlace(query, in: names[at]))
        var found: [String] = []
        for _ in 0...all.count {
            let page = try tagPage(probe, answer, at)
            if let count {
                try hold(.tagPages) {
                    try require(page.count <= count, "\(answer.request): at most \(count) tags", "\(page)", answer)
                }
            }
            found += page
            guard let next = try hold(.tagPages, { try probe.nextPage(answer) }) else { break }
            answer = try probe.get(next)
        }
        let wanted = orders(of: all).flatMap { $0.behind(last, all) }.uniqued
        let isPart = { (whole: [String]) in found.count < whole.count && found == Array(whole.prefix(found.count)) }
        if let count, found.count == count, habits[Stage.fullPage] != "there", wanted.contains(where: isPart) {
            return try settle(Stage.fullPage, "none", answer)
        }
        try hold(.tagPages) {
            let words = wanted.map { "\($0)" }.joined(separator: " or ")
            try require(
                wanted.contains(found), "\(answer.request): the tags behind \(last): \(words)", "\(found)", answer)
        }
    }

    /// The catalog, where there is one: repositories with tags are in it, never-made ones are not, each once, in order.
    func askCatalog(_ probe: Probe, _ count: Int?, behind last: Int?) throws {
        let sorted = names.sorted { Array($0.utf8).lexicographicallyPrecedes(Array($1.utf8)) }
        let start = last.map { names[$0] } ?? String((sorted.first ?? "").dropLast())
        let isBehind = { (name: String) in Array(start.utf8).lexicographicallyPrecedes(Array(name.utf8)) }
        let query = (count.map { "n=\($0)&" } ?? "") + "last=" + queryEscaped(start)
        var answer = try probe.get(.path("/v2/_catalog?" + query))
        let isOffered = answer.status == 200
        try settle("the catalog\(count == nil ? "" : ", with n")", isOffered ? "there" : "not offered", answer)
        guard isOffered else { return }
        var ours: [String] = []
        for _ in 0..<20 {
            let page = try hold(.catalog) { () -> [String] in
                try answer.expect(200)
                let type = try answer.expectHeader("Content-Type")
                try require(
                    type.lowercased().hasPrefix("application/json"),
                    "\(answer.request): Content-Type: application/json", type, answer)
                let json = try answer.json()
                if json["repositories"]?.isNull == true { return [] }
                guard let page = json["repositories"]?.strings else {
                    throw answer.failure("\(answer.request): a repositories array of strings", "none")
                }
                if let count {
                    try require(page.count <= count, "\(answer.request): at most \(count)", "\(page.count)", answer)
                }
                return page
            }
            ours += page.filter { names.contains($0) }
            let isPast =
                page.last.map { Array((sorted.last ?? "").utf8).lexicographicallyPrecedes(Array($0.utf8)) } ?? false
            guard !isPast, let next = try hold(.catalog, { try probe.nextPage(answer) }) else { break }
            answer = try probe.get(next)
        }
        try hold(.catalog) {
            let wanted = names.indices.filter {
                !world.holdings[$0].liveTags.isEmpty && !world.holdings[$0].liveBlobs.isEmpty
            }.map { names[$0] }.filter(isBehind)
            let never = names.indices.filter { !world.holdings[$0].isMade }.map { names[$0] }
            let lost = Set(wanted).subtracting(ours)
            let extra = Set(ours).intersection(never).subtracting(touched).union(ours.filter { !isBehind($0) })
            // What a catalog leaves out is its own affair, until it is seen to hold all.
            if !wanted.isEmpty, lost.isEmpty { _ = habits.differs("a catalog of all that has tags", "seen") }
            try require(
                lost.isEmpty || habits["a catalog of all that has tags"] == nil,
                "\(answer.request): \(lost.sorted()) in the catalog, as before", "\(ours)", answer)
            try require(
                extra.isEmpty, "\(answer.request): no repositories that nobody made", "\(extra.sorted())", answer)
            try require(ours == ours.uniqued, "\(answer.request): each name once", "\(ours)", answer)
            try require(
                ours == sorted.filter(ours.contains), "\(answer.request): names in order", "\(ours)", answer)
        }
    }

    /// Repositories in which something was begun that may have made them.
    private var touched: Set<String> {
        Set(names.dropLast())
    }
}
