import Yams

extension Scenario {
    /// Reads a scenario. `file` is only for messages. Throws for anything that is not understood.
    package init(yaml: String, file: String) throws(ScenarioError) {
        self.init()
        let root: Node?
        do {
            root = try Yams.compose(yaml: yaml)
        } catch {
            throw ScenarioError("\(file): no YAML: \(error)")
        }
        guard let root else { throw ScenarioError("\(file): the file is empty") }
        var fields = try YAMLFields(root, file: file, path: "the scenario")
        name = try fields.read("name") { $0 } ?? file
        about = try fields.read("about") { $0 } ?? ""
        namespace = try fields.read("namespace", Self.namespace)
        choices = try Self.choices(&fields)
        try readImages(&fields)
        try readAccounts(&fields)
        try readHabits(&fields)
        try readSchedule(&fields)
        try fields.refuseOthers()
        if existing != nil, fields.node("images") != nil {
            throw ScenarioError("\(file): 'images' and 'existing' are one or the other")
        }
        if existing != nil, let odd = choices.first(where: { !$0.action.worksWithExisting }) {
            throw ScenarioError("\(file): arrivals: '\(odd.action.rawValue)' cannot be done with 'existing' images")
        }
    }

    /// Reads a namespace: the first parts of a repository's name.
    package static func namespace(_ text: String) throws(QuantityError) -> String {
        guard Existing(repository: text, references: ["x"]).complaint == nil, text.utf8.count <= Limits.namespace else {
            throw QuantityError(
                text, wanted: "a namespace such as alice or team/load, of at most \(Limits.namespace) characters")
        }
        return text
    }

    private static func choices(_ fields: inout YAMLFields) throws(ScenarioError) -> [Choice] {
        guard let (line, node) = fields.node("arrivals") else {
            throw ScenarioError("\(fields.file): the key 'arrivals' is missing: what shall clients do?")
        }
        guard let list = node.sequence, !list.isEmpty else {
            throw fields.error(line, "arrivals", "must be a list of {do: …, weight: …}")
        }
        var choices: [Choice] = []
        for (place, node) in list.enumerated() {
            var entry = try YAMLFields(node, file: fields.file, path: "arrivals[\(place)]")
            guard let action = try entry.choice("do", Action.self) else {
                throw fields.error(line, "arrivals[\(place)]", "the key 'do' is missing")
            }
            choices.append(Choice(action: action, weight: try entry.number("weight", Limits.weight) ?? 1))
            try entry.refuseOthers()
        }
        guard choices.contains(where: { $0.weight > 0 }) else {
            throw fields.error(line, "arrivals", "at least one weight must be above 0")
        }
        return choices
    }

    private mutating func readImages(_ fields: inout YAMLFields) throws(ScenarioError) {
        if let (line, node) = fields.node("images") {
            var entry = try YAMLFields(node, file: fields.file, path: "images")
            images.count = try entry.integer("count", Limits.images) ?? images.count
            images.repositories = try entry.integer("repositories", Limits.repositories) ?? images.repositories
            images.layers = try entry.integer("layers", Limits.layers) ?? images.layers
            images.compressibility = try entry.number("compressibility", Limits.share) ?? 0
            images.dedupe = try entry.number("dedupe", Limits.share) ?? 0
            images.largest = try entry.read("largest", Quantity.bytes)
            if let sizes = try entry.read("size", SizeDistribution.init(text:)) { images.sizes = sizes }
            guard images.sizes.size(at: 0) >= BlobContent.trailerLength else {
                throw fields.error(line, "images", "a layer has at least \(BlobContent.trailerLength) bytes")
            }
            guard images.largestLayer <= Limits.layer else {
                throw fields.error(line, "images", "a layer may have at most 64 GiB")
            }
            try entry.refuseOthers()
        }
        if let (line, node) = fields.node("existing") {
            var entry = try YAMLFields(node, file: fields.file, path: "existing")
            let repository = try entry.read("repository") { $0 }
            let references = entry.node("references")?.value.array().map { $0.scalar?.string ?? "" } ?? []
            try entry.refuseOthers()
            guard let repository, !repository.isEmpty, !references.isEmpty else {
                throw fields.error(line, "existing", "needs 'repository' and a list 'references'")
            }
            let found = Existing(repository: repository, references: references)
            if let reason = found.complaint { throw fields.error(line, "existing", reason) }
            existing = found
        }
    }

    private mutating func readAccounts(_ fields: inout YAMLFields) throws(ScenarioError) {
        guard let (line, node) = fields.node("accounts") else { return }
        guard managesAccounts else {
            throw fields.error(
                line, "accounts", "no arrival asks the management API: there is nothing to make them for")
        }
        var entry = try YAMLFields(node, file: fields.file, path: "accounts")
        var found = Accounts()
        found.users = try entry.integer("users", Limits.users) ?? found.users
        found.repositories = try entry.integer("repositories", Limits.repositories) ?? found.repositories
        try entry.refuseOthers()
        accounts = found
    }

    private mutating func readHabits(_ fields: inout YAMLFields) throws(ScenarioError) {
        zipf = try fields.number("zipf", Limits.zipf) ?? zipf
        parallel = try fields.integer("parallel", Limits.parallel) ?? parallel
        verifies = try fields.flag("verify") ?? verifies
        pings = try fields.flag("ping") ?? pings
        pause = try fields.duration("pause") ?? pause
        think = try fields.duration("think") ?? think
        closesConnections = try fields.either("connection", "keep-alive", "close") ?? closesConnections
        putsInOne = try fields.either("upload", "patch", "put") ?? putsInOne
    }

    private mutating func readSchedule(_ fields: inout YAMLFields) throws(ScenarioError) {
        warmUp = try fields.duration("warm-up")
        coolDown = try fields.duration("cool-down")
        spacing = try fields.choice("spacing", Schedule.Spacing.self)
        guard let (line, node) = fields.node("schedule") else { return }
        guard let list = node.sequence, !list.isEmpty else {
            throw fields.error(line, "schedule", "must be a list of stages")
        }
        var stages: [Stage] = []
        for (place, node) in list.enumerated() {
            stages.append(try Self.stage(node, fields, place, line))
        }
        do throws(ScheduleError) {
            _ = try Schedule(stages: stages)
        } catch {
            throw fields.error(line, "schedule", error.description)
        }
        schedule = stages
    }

    private static func stage(
        _ node: Node, _ fields: YAMLFields, _ place: Int, _ line: Int
    ) throws(ScenarioError) -> Stage {
        let rates = 0...Schedule.highestRate
        var entry = try YAMLFields(node, file: fields.file, path: "schedule[\(place)]")
        let length = try entry.duration("for")
        let rate = try entry.number("rate", rates)
        let from = try entry.number("from", rates)
        let to = try entry.number("to", rates)
        let burst = try entry.integer("burst", 1...1_000_000)
        let every = try entry.duration("every")
        try entry.refuseOthers()
        guard let length else { throw fields.error(line, "schedule[\(place)]", "the key 'for' is missing") }
        switch (rate, from, to, burst, every) {
        case (let rate?, nil, nil, nil, nil): return .constant(rate, lasting: length)
        case (nil, let from?, let to?, nil, nil): return .ramp(from: from, to: to, lasting: length)
        case (nil, nil, nil, let burst?, let every?): return .burst(size: burst, every: every, lasting: length)
        default:
            throw fields.error(
                line, "schedule[\(place)]", "needs either 'rate', or 'from' and 'to', or 'burst' and 'every'")
        }
    }
}

extension SizeDistribution {
    /// Reads `fast18`, `1MiB` or `16KiB-4MiB`.
    package init(text: String) throws(QuantityError) {
        if text == "fast18" {
            self = .fast18
            return
        }
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: self = .fixed(try Quantity.bytes(parts[0]))
        case 2:
            let (low, high) = (try Quantity.bytes(parts[0]), try Quantity.bytes(parts[1]))
            guard low > 0, low <= high else { throw QuantityError(text, wanted: "a range of sizes, the smaller first") }
            self = .between(low, high)
        default: throw QuantityError(text, wanted: "'fast18', a size, or a range such as 16KiB-4MiB")
        }
    }
}
