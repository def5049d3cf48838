import Foundation
import Service
import Testing
import Vocabulary

@Suite("Lists")
struct ListTests {
    /// Follows `Link` from `target` to the end; gives what all pages had.
    private func follow(_ client: Client, _ target: String, _ member: String) async throws -> (
        items: [String], pages: Int
    ) {
        var (items, pages): ([String], Int) = ([], 0)
        var next: String? = target
        while let target = next, pages < 100 {
            let answer = try await client.get(target)
            items += try answer.texts(member)
            next = try answer.next()
            pages += 1
        }
        return (items, pages)
    }

    private static let tags = ["A", "Z.9", "_x", "a", "a-1", "a.1", "a_1", "b", "v1.0", "v1.10", "v1.2", "z"]

    private func pushed() async throws -> (Client, String) {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try await client.push(Content.config, to: repository)
        let manifest = Content.image()
        let query = Self.tags.shuffled().map { "tag=\($0)" }.joined(separator: "&")
        _ = try await client.put(manifest, repository, "\(Content.digest(manifest))?\(query)")
        return (client, repository)
    }

    @Test("the whole list is in byte order and bears the repository's name")
    func all() async throws {
        let (client, repository) = try await pushed()
        let answer = try await client.get("/v2/\(repository)/tags/list")
        #expect(answer["Content-Type"]?.hasPrefix("application/json") == true)
        #expect(try answer.object()["name"] as? String == repository)
        #expect(try answer.texts("tags") == Self.tags)
        #expect(answer["Link"] == nil)
        let head = try await client.head("/v2/\(repository)/tags/list")
        #expect(head["Content-Length"] == answer["Content-Length"])
    }

    @Test("following Link gives every tag once, for every n", arguments: [1, 2, 3, 5, 11, 12, 13, 1000])
    func paging(n: Int) async throws {
        let (client, repository) = try await pushed()
        let (items, pages) = try await follow(client, "/v2/\(repository)/tags/list?n=\(n)", "tags")
        #expect(items == Self.tags)
        #expect(pages == max(1, (Self.tags.count + n - 1) / n))
    }

    @Test("n=0 is an empty list without Link")
    func zero() async throws {
        let (client, repository) = try await pushed()
        for target in [
            "/v2/\(repository)/tags/list?n=0", "/v2/\(repository)/tags/list?n=0&last=a", "/v2/_catalog?n=0",
            "/v2/_catalog?n=00",
        ] {
            let answer = try await client.get(target)
            #expect(try answer.texts(target.contains("catalog") ? "repositories" : "tags").isEmpty)
            #expect(answer["Link"] == nil)
        }
        let referrers = try await client.get("/v2/\(repository)/referrers/\(Content.digest([]))?n=0")
        #expect(try referrers.manifests().isEmpty)
        #expect(referrers["Link"] == nil)
    }

    @Test(
        "a huge n is as good as none (CVE-2023-2253)",
        arguments: [
            "2147483648", "4294967297", "9223372036854775807", "9223372036854775808",
            String(repeating: "9", count: 1000),
        ])
    func huge(n: String) async throws {
        let (client, repository) = try await pushed()
        #expect(try await client.get("/v2/\(repository)/tags/list?n=\(n)").texts("tags") == Self.tags)
        #expect(try await client.get("/v2/_catalog?n=\(n)").texts("repositories").contains(repository))
        #expect(try await client.get("/v2/\(repository)/referrers/\(Content.digest([]))?n=\(n)").status == 200)
    }

    @Test(
        "an n that is no number is 400",
        arguments: [
            "-1", "-9223372036854775809", "x", "", "1.5", "0x10", "1e3", "+5", "%201", "１".addingPercents, "NaN",
        ])
    func noNumber(n: String) async throws {
        let (client, repository) = try await pushed()
        for target in [
            "/v2/\(repository)/tags/list", "/v2/_catalog", "/v2/\(repository)/referrers/\(Content.digest([]))",
        ] {
            try expect(await client.get("\(target)?n=\(n)"), 400, ErrorCode.unsupported, "\(target)")
        }
    }

    @Test("last is not in the list, and need not be a tag that is there")
    func last() async throws {
        let (client, repository) = try await pushed()
        for (last, expected) in [
            ("a", ["a-1", "a.1"]), ("a.0", ["a.1", "a_1"]), ("", ["A", "Z.9"]), ("z", []), ("zzzz", []),
            ("%00", ["A", "Z.9"]),
            ("ä".addingPercents, []), ("'", ["A", "Z.9"]),
        ] {
            #expect(
                try await client.get("/v2/\(repository)/tags/list?n=2&last=\(last)").texts("tags") == expected,
                "\(last)")
        }
        #expect(try await client.get("/v2/\(repository)/tags/list?last=v1.0").texts("tags") == ["v1.10", "v1.2", "z"])
    }

    @Test("a repository that was never pushed to is 404 NAME_UNKNOWN, one without tags an empty list")
    func unknown() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        try expect(await client.get("/v2/\(repository)/tags/list"), 404, ErrorCode.nameUnknown)
        try expect(await client.get("/v2/\(repository)/tags/list?n=0"), 404, ErrorCode.nameUnknown)
        _ = try await client.begin(repository)
        try expect(
            await client.get("/v2/\(repository)/tags/list"), 404, ErrorCode.nameUnknown, "an upload alone makes none")
        try await client.pushImage(repository)
        #expect(try await client.get("/v2/\(repository)/tags/list").texts("tags").isEmpty)
    }

    @Test("a page never has more than the operator allows, and Link leads on")
    func cap() async throws {
        var limits = Registry.Limits()
        limits.page = 3
        try await TestServer.with(limits: limits) { server in
            let client = server.client()
            try await client.push(Content.config, to: "r")
            let manifest = Content.image()
            let tags = (0..<10).map { "t\($0)" }
            _ = try await client.put(
                manifest, "r", "\(Content.digest(manifest))?" + tags.map { "tag=\($0)" }.joined(separator: "&"))
            for query in ["", "?n=5", "?n=1000000000000"] {
                #expect(try await client.get("/v2/r/tags/list\(query)").texts("tags") == ["t0", "t1", "t2"])
                let (items, pages) = try await follow(client, "/v2/r/tags/list\(query)", "tags")
                #expect(items == tags)
                #expect(pages == 4)
            }
        }
    }

    @Test("the catalog lists repositories in byte order, in pages")
    func catalog() async throws {
        try await TestServer.with { server in
            let client = server.client()
            #expect(try await client.get("/v2/_catalog").texts("repositories").isEmpty)
            let names = ["a", "a-b", "a.b", "a/b", "a/b/c", "a_b", "b", "library/ubuntu"]
            for name in names.shuffled() { try await client.push(Content.config, to: name) }
            for n in ["", "?n=1", "?n=3", "?n=8", "?n=100"] {
                #expect(try await follow(client, "/v2/_catalog\(n)", "repositories").items == names)
            }
            #expect(try await client.get("/v2/_catalog?last=a/b&n=1").texts("repositories") == ["a/b/c"])
        }
    }
}

@Suite("Referrers")
struct ReferrerTests {
    @Test("descriptors have all they must, and come as an index")
    func descriptors() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let subject = Content.digest(Content.bytes(10, seed: 3))
        #expect(
            try await client.get("/v2/\(repository)/referrers/\(subject)").manifests().isEmpty,
            "an unknown repository has none")
        try await client.push(Content.config, to: repository)
        let own = Content.image("own", subject: subject, artifactType: "application/vnd.sbom+json")
        let inherited = Content.image("inherited", subject: subject)
        let subjectText = #","subject":{"mediaType":"\#(MediaType.ociManifest)","digest":"\#(subject)","size":2}"#
        let plainIndex = Content.index([], more: subjectText)
        let typedIndex = Content.index([], more: subjectText + #","artifactType":"a/b","annotations":{"k\"":"ä\n"}"#)
        for (manifest, type) in [
            (own, MediaType.ociManifest), (inherited, MediaType.ociManifest), (plainIndex, MediaType.ociIndex),
            (typedIndex, MediaType.ociIndex),
        ] {
            let answer = try await client.send(
                "PUT", "/v2/\(repository)/manifests/\(Content.digest(manifest))", ["Content-Type: \(type)"],
                body: manifest)
            #expect(answer.status == 201)
            #expect(answer["OCI-Subject"] == subject)
        }
        let answer = try await client.get("/v2/\(repository)/referrers/\(subject)")
        #expect(answer["Content-Type"] == MediaType.ociIndex)
        #expect(answer["OCI-Filters-Applied"] == nil)
        #expect(try answer.object()["schemaVersion"] as? Int == 2)
        #expect(try answer.object()["mediaType"] as? String == MediaType.ociIndex)
        let items = try answer.manifests()
        #expect(items.count == 4)
        for (manifest, type, artifactType) in [
            (own, MediaType.ociManifest, "application/vnd.sbom+json"),
            (inherited, MediaType.ociManifest, MediaType.ociEmpty),
            (plainIndex, MediaType.ociIndex, nil), (typedIndex, MediaType.ociIndex, "a/b"),
        ] as [([UInt8], String, String?)] {
            let item = try #require(items.first { $0["digest"] as? String == Content.digest(manifest) })
            #expect(item["mediaType"] as? String == type)
            #expect(item["size"] as? Int == manifest.count)
            #expect(item["artifactType"] as? String == artifactType)
        }
        let annotated = items.first { $0["digest"] as? String == Content.digest(typedIndex) }
        #expect(annotated?["annotations"] as? [String: String] == ["k\"": "ä\n"])
    }

    @Test("the subject need not exist, and may come later")
    func order() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let image = Content.image("later")
        let digest = try await client.pushImage(repository, mark: "early", subject: Content.digest(image))
        try await client.put(image, repository, "t")
        #expect(
            try await client.get("/v2/\(repository)/referrers/\(Content.digest(image))").manifests().map {
                $0["digest"] as? String
            } == [digest])
        #expect(try await client.delete("/v2/\(repository)/manifests/\(Content.digest(image))").status == 202)
        #expect(try await client.get("/v2/\(repository)/referrers/\(Content.digest(image))").manifests().count == 1)
    }

    @Test("a filter leaves only its type and says that it was applied; pages keep it")
    func filter() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let subject = Content.digest([1, 2, 3])
        for index in 0..<9 {
            try await client.pushImage(
                repository, mark: "\(index)", subject: subject, type: index < 5 ? "application/a+json" : "application/b"
            )
        }
        for type in ["application/a+json", "application%2Fa%2Bjson"] {
            let answer = try await client.get("/v2/\(repository)/referrers/\(subject)?artifactType=\(type)")
            #expect(answer["OCI-Filters-Applied"] == "artifactType")
            #expect(try answer.manifests().count == 5)
            #expect(try answer.manifests().allSatisfy { $0["artifactType"] as? String == "application/a+json" })
            var (digests, next): ([String], String?) = (
                [], "/v2/\(repository)/referrers/\(subject)?artifactType=\(type)&n=2"
            )
            while let target = next, digests.count < 20 {
                let page = try await client.get(target)
                #expect(page["OCI-Filters-Applied"] == "artifactType")
                digests += try page.manifests().compactMap { $0["digest"] as? String }
                next = try page.next()
            }
            #expect(digests == (try answer.manifests().compactMap { $0["digest"] as? String }))
        }
        let none = try await client.get("/v2/\(repository)/referrers/\(subject)?artifactType=application/none")
        #expect(try none.manifests().isEmpty)
        #expect(none["OCI-Filters-Applied"] == "artifactType")
    }

    @Test("following Link gives every referrer once", arguments: [1, 4, 9, 10])
    func paging(n: Int) async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let subject = Content.digest([4, 5, 6], "sha512")
        var pushed: Set<String> = []
        for index in 0..<9 { pushed.insert(try await client.pushImage(repository, mark: "\(index)", subject: subject)) }
        var (digests, next): ([String], String?) = ([], "/v2/\(repository)/referrers/\(subject)?n=\(n)")
        while let target = next, digests.count < 20 {
            let page = try await client.get(target)
            #expect(try page.manifests().count <= n)
            digests += try page.manifests().compactMap { $0["digest"] as? String }
            next = try page.next()
        }
        #expect(digests.count == 9)
        #expect(Set(digests) == pushed)
    }

    @Test("a list larger than a manifest may be comes in pages")
    func large() async throws {
        let (client, repository) = (try await TestServer.shared().client(), TestServer.repository())
        let subject = Content.digest([7])
        try await client.push(Content.config, to: repository)
        for index in 0..<4 {
            try await client.put(Content.image("\(index)", subject: subject, padding: 1_500_000), repository)
        }
        var (digests, pages, next): ([String], Int, String?) = ([], 0, "/v2/\(repository)/referrers/\(subject)")
        while let target = next, pages < 10 {
            let page = try await client.get(target)
            #expect(page.body.count <= 4 << 20)
            digests += try page.manifests().compactMap { $0["digest"] as? String }
            next = try page.next()
            pages += 1
        }
        #expect(pages == 2)
        #expect(Set(digests).count == 4)
    }
}
