import Foundation
import HTTP
import Logging
import Model
import Runtime
import SQLiteDriver
import Service
import Store
import Testing

/// A registry whose rows a test can look at.
private struct Glass {
    let house: Household
    let database: SQLiteDatabase

    static func with(_ body: (Glass) async throws -> Void) async throws {
        let database = try SQLiteDatabase(path: nil)
        try await TestServer.with(policy: .accounts, database: database) { server in
            _ = try await server.accounts.users.addFirstAdministrator(.parse("root"), password: Household.rootPassword)
            let house = Household(server: server)
            try await house.addUsers("ann", "bob")
            try await body(Glass(house: house, database: database))
        }
    }

    func number(_ sql: String) async throws -> Int64 {
        try await database.read { (db) throws(StoreError) in try db.rows(sql, []).first?.integer(0) ?? -1 }
    }

    /// As a server does when it has started.
    func keepWords() async {
        await house.server.registry.repositories.keepWords(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func execute(_ sql: String) async throws {
        _ = try await database.write { (db) throws(StoreError) in try db.execute(sql, []) }
    }

    func send(_ method: String, _ target: String, _ body: [UInt8]? = nil, index: Bool = false) async throws -> Int {
        let type = "application/vnd.oci.image.\(index ? "index" : "manifest").v1+json"
        return try await house.server.client().send(
            method, target, [house.line("ann")] + (body == nil ? [] : ["Content-Type: \(type)"]), body: body
        ).status
    }

    func push(_ blob: [UInt8], _ repository: String) async throws {
        let path = "/v2/\(repository)/blobs/uploads/?digest=\(Content.digest(blob))"
        let answer = try await house.server.client().send("POST", path, [house.line("ann")], body: blob)
        #expect(answer.status == 201)
    }

    func logicalBytes(_ repository: String) async throws -> Int {
        let path = "/api/v1/repositories/\(repository.replacing("/", with: "%2F"))"
        return try await house.done("ann", "GET", path).object()["logical_bytes"] as? Int ?? -1
    }

    func names(_ who: String, _ query: String) async throws -> [String] {
        let answer = try await house.done(who, "GET", "/api/v1/repositories?\(query)").object()
        return (answer["items"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
    }
}

@Suite("Logical bytes: what the tags of a repository refer to")
struct LogicalBytesTests {
    @Test("each tag counts with all that it refers to, shared or not, each thing once; what moves or goes is taken off")
    func counts() async throws {
        try await Glass.with { its in
            let (layer, config) = (Content.bytes(1000), Content.config)
            for blob in [layer, config] { try await its.push(blob, "ann/app") }
            // The same layer twice is one.
            let (one, two) = (Content.image("one", layers: [layer, layer]), Content.image("two"))
            let size = one.count + 1000 + config.count
            #expect(try await its.send("PUT", "/v2/ann/app/manifests/a", one) == 201)
            #expect(try await its.logicalBytes("ann/app") == size)
            #expect(try await its.send("PUT", "/v2/ann/app/manifests/b", one) == 201)
            #expect(try await its.send("PUT", "/v2/ann/app/manifests/b", one) == 201)
            #expect(try await its.logicalBytes("ann/app") == 2 * size)
            #expect(try await its.send("PUT", "/v2/ann/app/manifests/b", two) == 201)
            #expect(try await its.logicalBytes("ann/app") == size + two.count + config.count)
            let index = Content.index([one, two])
            #expect(try await its.send("PUT", "/v2/ann/app/manifests/i", index, index: true) == 201)
            let both = 2 * (size + two.count + config.count)
            #expect(try await its.logicalBytes("ann/app") == both + index.count)
            let digest = Content.digest(one)
            let restore = try await its.house.send(
                "ann", "POST", "/api/v1/repositories/ann%2Fapp/tags/c/restore", #"{"digest":"\#(digest)"}"#)
            #expect(restore.status == 200)
            #expect(try await its.logicalBytes("ann/app") == both + index.count + size)
            #expect(try await its.send("DELETE", "/v2/ann/app/manifests/i") == 202)
            #expect(try await its.send("DELETE", "/v2/ann/app/manifests/\(digest)") == 202)
            #expect(try await its.logicalBytes("ann/app") == two.count + config.count)
            #expect(
                try await its.number("SELECT logical_bytes FROM namespaces WHERE name = 'ann'")
                    == Int64(two.count + config.count))
        }
    }

    @Test("whatever is done in whatever order, the counters are what counting would give", arguments: 1...3)
    func play(seed: Int) async throws {
        try await Glass.with { its in
            var dice = Dice(seed: UInt64(seed))
            let layers = (1...3).map { Content.bytes(100 * $0, seed: $0) }
            let repositories = ["ann/one", "ann/two"]
            for repository in repositories {
                for blob in layers + [Content.config] { try await its.push(blob, repository) }
            }
            let images = (0..<4).map { Content.image("\($0)", layers: Array(layers.prefix($0))) }
            for _ in 0..<120 {
                let repository = repositories[dice.next(2)]
                let (image, tag) = (images[dice.next(images.count)], "t\(dice.next(5))")
                switch dice.next(6) {
                case 0...2: _ = try await its.send("PUT", "/v2/\(repository)/manifests/\(tag)", image)
                case 3: _ = try await its.send("DELETE", "/v2/\(repository)/manifests/\(tag)")
                case 4: _ = try await its.send("DELETE", "/v2/\(repository)/manifests/\(Content.digest(image))")
                default:
                    let index = Content.index([image, images[dice.next(images.count)]])
                    _ = try await its.send("PUT", "/v2/\(repository)/manifests/\(tag)", index, index: true)
                }
            }
            let wrong = try await its.number(
                """
                SELECT COUNT(*) FROM repositories r WHERE logical_bytes <> COALESCE((SELECT SUM(m.logical_bytes) FROM tags t
                    JOIN manifests m ON m.id = t.manifest_id WHERE t.repository_id = r.id), 0)
                """)
            #expect(wrong == 0)
            #expect(
                try await its.number("SELECT logical_bytes FROM namespaces WHERE name = 'ann'")
                    == its.number("SELECT SUM(logical_bytes) FROM repositories"))
            #expect(try await its.number("SELECT SUM(logical_bytes) FROM repositories") > 0)
        }
    }

    @Test("whoever comes and goes, how much there is of all is what counting would give", arguments: 1...3)
    func totals(seed: Int) async throws {
        try await Glass.with { its in
            var dice = Dice(seed: UInt64(seed))
            let house = its.house
            var open: [String] = []
            for round in 0..<60 {
                let (name, organization) = ("u\(dice.next(4))", "o\(dice.next(3))")
                switch dice.next(9) {
                case 0:
                    _ = try await house.send(
                        "root", "POST", "/api/v1/users",
                        #"{"name":"\#(name)","password":"\#(Household.password(name))"}"#)
                case 1: _ = try await house.send("root", "DELETE", "/api/v1/users/\(name)")
                case 2:
                    _ = try await house.send("root", "POST", "/api/v1/organizations", #"{"name":"\#(organization)"}"#)
                case 3:
                    _ = try await house.send(
                        "root", "DELETE", "/api/v1/organizations/\(organization)?confirm=\(organization)")
                case 4: _ = try await house.push("root", "\(organization)/app\(dice.next(2))", "t\(round)")
                case 5: _ = try await house.send("root", "DELETE", "/api/v1/repositories/\(organization)%2Fapp0")
                case 6:
                    let answer = try await house.server.client().send(
                        "POST", "/v2/ann/up/blobs/uploads/", [house.line("ann")])
                    if let place = answer["Location"] { open.append(place) }
                case 7 where !open.isEmpty:
                    _ = try await house.server.client().send("DELETE", open.removeLast(), [house.line("ann")])
                default:
                    try await its.execute("UPDATE repositories SET deleted_at = 0 WHERE deleted_at IS NOT NULL")
                    await house.server.registry.sweepOnce()
                }
                let told = try await house.done("root", "GET", "/api/v1/system/statistics").object()
                for (name, sql) in Self.counts {
                    #expect(try await Int64(told[name] as? Int ?? -1) == its.number(sql), "\(name) after \(round)")
                }
            }
            #expect(try await its.number("SELECT COUNT(*) FROM totals") == 256)
        }
    }

    private static let counts = [
        ("users", "SELECT COUNT(*) FROM principals WHERE kind = 1 AND deleted_at IS NULL"),
        ("organizations", "SELECT COUNT(*) FROM namespaces WHERE kind = 2 AND deleted_at IS NULL"),
        (
            "repositories",
            "SELECT COUNT(*) FROM repositories r JOIN namespaces n ON n.id = r.namespace_id WHERE n.deleted_at IS NULL"
        ),
        (
            "bytes",
            "SELECT COALESCE(SUM(blob_bytes + manifest_bytes), 0) FROM namespaces WHERE deleted_at IS NULL"
        ),
        ("uploads", "SELECT COUNT(*) FROM upload_sessions"),
    ]

    @Test("what is purged counts for its namespace no more")
    func purge() async throws {
        var limits = Registry.Limits()
        limits.restoreTime = .zero
        try await Household.with(limits: limits) { house in
            try await house.addUsers("ann")
            try await house.addOrganization("acme", owner: "ann")
            #expect(try await house.push("ann", "acme/app") == 201)
            func logical() async throws -> Int? {
                try await house.done("ann", "GET", "/api/v1/organizations/acme").object()["logical_bytes"] as? Int
            }
            #expect(try await logical() == Content.image().count + Content.config.count)
            try await house.done("ann", "DELETE", "/api/v1/repositories/acme%2Fapp")
            try await eventually("the repository is purged") {
                await house.server.registry.sweepOnce()
                return try await logical() == 0
            }
        }
    }
}

/// The same throws for the same seed.
private struct Dice {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next(_ count: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % count
    }
}

@Suite("Search: repositories by the beginning of their names and words")
struct SearchTests {
    private static let made = [
        "ann/api", "ann/nginx-proxy", "ann/nginx.static", "ann/my_nginx", "ann/a/b/kubernetes-dashboard",
        "ann/kubernetes",
    ]

    private static func with(_ body: (Glass) async throws -> Void) async throws {
        try await Glass.with { its in
            for name in made {
                try await its.house.done("ann", "POST", "/api/v1/repositories", #"{"name":"\#(name)"}"#)
            }
            try await body(its)
        }
    }

    @Test(
        "a word is found by its beginning, a name by its own, in either case; the middle of a word is none",
        arguments: [
            ("nginx", ["ann/my_nginx", "ann/nginx-proxy", "ann/nginx.static"]),
            ("NGI", ["ann/my_nginx", "ann/nginx-proxy", "ann/nginx.static"]),
            ("proxy", ["ann/nginx-proxy"]), ("nginx-p", ["ann/nginx-proxy"]),
            ("ann/ng", ["ann/nginx-proxy", "ann/nginx.static"]),
            ("ginx", []), ("kubernetes", ["ann/a/b/kubernetes-dashboard", "ann/kubernetes"]),
            ("kubernetes-d", ["ann/a/b/kubernetes-dashboard"]), ("kubernexx", []),
            ("b/kubernetes", ["ann/a/b/kubernetes-dashboard"]),
            ("/api", ["ann/api"]), ("_nginx", ["ann/my_nginx", "ann/nginx-proxy", "ann/nginx.static"]), ("%25", []),
            ("n_inx", []), ("a_", []),
            ("kubernetes_d", []), ("/", []), ("é", []),
        ])
    func find(text: String, names: [String]) async throws {
        try await Self.with { its in
            let found = try await its.names("ann", "q=\(text.replacing("é", with: "%C3%A9"))")
            #expect(found == names)
        }
    }

    @Test("a search comes in pages, by other filters too, and shows nobody what they may not see")
    func pages() async throws {
        try await Self.with { its in
            #expect(try await its.names("ann", "q=ng&n=2") == ["ann/my_nginx", "ann/nginx-proxy"])
            #expect(try await its.names("ann", "q=ng&n=2&after=ann/nginx-proxy") == ["ann/nginx.static"])
            #expect(try await its.names("bob", "q=ng") == [])
            try await its.house.done(
                "ann", "PATCH", "/api/v1/repositories/ann%2Fmy_nginx", #"{"visibility":"public"}"#)
            #expect(try await its.names("bob", "q=ng") == ["ann/my_nginx"])
            #expect(try await its.names("ann", "q=ng&visibility=private") == ["ann/nginx-proxy", "ann/nginx.static"])
            #expect(try await its.names("ann", "q=ng&namespace=bob") == [])
            try await its.house.done("ann", "DELETE", "/api/v1/repositories/ann%2Fmy_nginx")
            #expect(try await its.names("ann", "q=ng") == ["ann/nginx-proxy", "ann/nginx.static"])
            try await its.house.done("ann", "POST", "/api/v1/repositories/ann%2Fmy_nginx/restore")
            #expect(try await its.names("ann", "q=my") == ["ann/my_nginx"])
        }
    }

    @Test("the rows of a repository's words go with it, and come for those that are older than they")
    func rows() async throws {
        try await Self.with { its in
            let all = try await its.number("SELECT COUNT(*) FROM repository_words")
            #expect(all > 50)
            try await its.execute("DELETE FROM repository_words")
            try await its.execute("UPDATE repositories SET has_words = 0")
            #expect(try await its.names("ann", "q=ng") == [])
            await its.keepWords()
            #expect(try await its.number("SELECT COUNT(*) FROM repository_words") == all)
            #expect(try await its.names("ann", "q=ng").count == 3)
            try await its.house.done("ann", "DELETE", "/api/v1/repositories/ann%2Fmy_nginx")
            try await its.execute("UPDATE repositories SET deleted_at = 0 WHERE deleted_at IS NOT NULL")
            await its.house.server.registry.sweepOnce()
            #expect(try await its.number("SELECT COUNT(*) FROM repositories WHERE name = 'ann/my_nginx'") == 0)
            #expect(try await its.number("SELECT COUNT(*) FROM repository_words WHERE name = 'ann/my_nginx'") == 0)
        }
    }

    @Test(
        "users are found as repositories are: by the beginnings of their names and of the words in them, in pages",
        arguments: [
            ("my", ["my-nginx", "myer"]), ("NGI", ["my-nginx", "nginx", "nginx.two"]), ("nginx.t", ["nginx.two"]),
            ("-my", ["my-nginx", "myer"]), ("er", []), ("x", []), ("longernames", ["a-longernames"]),
            ("longerother", []),
        ])
    func users(word: String, found: [String]) async throws {
        try await Self.with { its in
            try await its.house.addUsers("my-nginx", "myer", "nginx", "nginx.two", "a-longernames")
            func names(_ query: String) async throws -> [String] {
                let answer = try await its.house.done("root", "GET", "/api/v1/users?q=\(query)").object()
                return (answer["items"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            }
            #expect(try await names(word) == found)
            #expect(try await names("ng&n=1") == ["my-nginx"])
            #expect(try await names("ng&after=my-nginx") == ["nginx", "nginx.two"])
            try await its.execute("DELETE FROM user_words")
            try await its.execute("UPDATE principals SET has_words = 0 WHERE kind = 1 AND deleted_at IS NULL")
            await its.keepWords()
            #expect(try await names(word) == found)
            try await its.house.done("root", "DELETE", "/api/v1/users/nginx")
            #expect(try await names(word) == found.filter { $0 != "nginx" })
            #expect(try await its.number("SELECT COUNT(*) FROM user_words WHERE name = 'nginx'") == 0)
        }
    }

    @Test("a name is found by as much of it as somebody types, from any of its words on, and by nothing else")
    func lengths() async throws {
        try await Self.with { its in
            let name = "abcdefghijklmnopqrstuvwxyz0123456789.second-word_of-many-letters"
            try await its.house.addUsers(name, "abcdefghij")
            func names(_ query: String) async throws -> [String] {
                let answer = try await its.house.done("root", "GET", "/api/v1/users?q=\(query)").object()
                return (answer["items"] as? [[String: Any]] ?? []).compactMap { $0["name"] as? String }
            }
            for begin in [name.startIndex, try #require(name.range(of: "second")).lowerBound] {
                for count in 1...name[begin...].count {
                    let word = name[begin...].prefix(count)
                    #expect(try await names("\(word)").contains(name), "\(word)")
                    if count > 1 { #expect(try await names("\(word.dropLast())!") == []) }
                }
            }
            #expect(try await names("abcdefghi") == ["abcdefghij", name])
            #expect(try await names("abcdefghijk") == [name])
        }
    }

    @Test("a search reads its page of the table of words, and sorts and scans nothing")
    func plan() async throws {
        try await Self.with { its in
            let plan = try await its.database.read { (db) throws(StoreError) in
                try db.rows(
                    """
                    EXPLAIN QUERY PLAN SELECT r.id FROM repository_words w JOIN repositories r ON r.id = w.repository_id
                    WHERE w.name > 'a' AND r.deleted_at IS NULL AND r.begun_at IS NOT NULL AND w.prefix = 'ng'
                    ORDER BY w.name LIMIT 100
                    """, []
                ).map { (row) throws(StoreError) in try row.text(3) }
            }
            #expect(plan.count == 2 && plan.allSatisfy { $0.hasPrefix("SEARCH") }, "\(plan)")
            let users = try await its.database.read { (db) throws(StoreError) in
                try db.rows(
                    """
                    EXPLAIN QUERY PLAN SELECT p.id FROM user_words w JOIN principals p ON p.id = w.principal_id
                    WHERE w.name > 'a' AND w.prefix = 'ng' AND p.deleted_at IS NULL ORDER BY w.name LIMIT 100
                    """, []
                ).map { (row) throws(StoreError) in try row.text(3) }
            }
            #expect(users.count == 2 && users.allSatisfy { $0.hasPrefix("SEARCH") }, "\(users)")
        }
    }
}
