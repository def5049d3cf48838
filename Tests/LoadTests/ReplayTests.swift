import Foundation
import Harness
import LoadKit
import Testing

@Suite("Replays")
struct ReplayTests {
    /// A push whose second upload is named by its own path, as recorders do that have not read the answer yet.
    private static let recording = """
        {"title":"a push","version":1}
        {"at":90000,"method":"GET","url":"/v2/","headers":{},"status":200}
        {"at":90010,"method":"POST","url":"/v2/r/a/blobs/uploads/","headers":{},"status":202,\
        "answerHeaders":{"location":["@1"]}}
        {"at":90020,"method":"PATCH","url":"/v2/r/a/blobs/uploads/11-22?_state=x","headers":{},"status":202,\
        "answerHeaders":{"location":["@1"]},"body":{"length":400,"digest":"sha256:00"}}
        {"at":90030,"method":"PUT","url":"@1?digest=sha256%3Aaa","headers":{},"status":201,\
        "body":{"length":0,"digest":"sha256:01"}}
        {"at":90040,"method":"PUT","url":"/v2/r/a/manifests/v1","headers":{},"status":201,\
        "body":{"length":90,"digest":"sha256:bb","text":"{\\"layers\\":[{\\"digest\\":\\"sha256:aa\\",\\"size\\":400}]}"}}
        {"at":90050,"method":"PATCH","url":"/v2/r/a/blobs/uploads/33-44","headers":{},"status":202}

        """

    @Test("pieces of an upload that is named by its path reach it, silence before the first exchange is left out")
    func uploads() async throws {
        let server = try await TestServer { ask in
            let place = ("Location", String(ask.path.prefix { $0 != "?" }) + (ask.method == "POST" ? "u7" : ""))
            switch (ask.method, ask.path.contains("/uploads/")) {
            case ("GET", _): return .answer(200, [], "")
            case ("DELETE", _): return .answer(202, [], "")
            case ("PUT", false): return .answer(201, [], "")
            case ("POST", _): return .answer(202, [place], "")
            default:
                guard ask.path.contains("/uploads/u7") else { return .answer(404, [], "") }
                return .answer(ask.method == "PUT" ? 201 : 202, [place], "")
            }
        }
        let target = try Target(parsing: server.url)
        let plan = ReplayPlan(try Recording(text: Self.recording, file: "test"))
        #expect(plan.left == ["a piece of an upload that is not in the recording": 1])
        var settings = RunSettings(profile: .open(try Schedule(stages: [.constant(4, lasting: .milliseconds(500))])))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let replay = ReplayWorkload(plan: plan, client: client, seed: 7, pace: 1)
        #expect(replay.length == .milliseconds(40))
        let report = try await generator.run(replay)
        #expect(report.arrivals.succeeded == 2, "\(report.arrivals.failures)")
        #expect(server.asked.filter { $0.method == "PATCH" }.map(\.body) == [400, 400])
        #expect(await CleanUp(replay, generator).perform(arrivals: try await generator.arrivalsSoFar()).isEmpty)
        for arrival in ["/a0/", "/a1/"] {
            let deleted = server.asked.filter { $0.method == "DELETE" && $0.path.contains(arrival) }
            #expect(deleted.map { $0.path.contains("/blobs/") } == [false, true])
        }
        try await generator.shutDown()
        try await server.stop()
    }

    @Test("what was cut, refused, given up or leans on what was there before is not sent, and its bytes are no blob's")
    func gaps() throws {
        let post = "\"method\":\"POST\",\"url\":\"/v2/r/a/blobs/uploads/"
        let text = """
            {"title":"a cut push","version":1}
            {"at":1,\(post)","headers":{},"status":202,"answerHeaders":{"location":["@1"]}}
            {"at":2,"method":"PATCH","url":"@1","headers":{},"body":{"length":500,"digest":"sha256:0"}}
            {"at":3,"method":"PATCH","url":"@1","headers":{},"status":416,"body":{"length":500,"digest":"sha256:0"}}
            {"at":4,"method":"PATCH","url":"@1","headers":{},"status":202,"body":{"length":300,"digest":"sha256:0"}}
            {"at":5,"method":"PUT","url":"@1?digest=sha256:a","headers":{},"status":201}
            {"at":6,\(post)","headers":{},"status":202,"answerHeaders":{"location":["@2"]}}
            {"at":7,\(post)?mount=sha256:a&from=r/b","headers":{},"status":201}
            {"at":8,\(post)?mount=sha256:c&from=r/b","headers":{},"status":201}
            {"at":9,\(post)?digest=sha256:d","headers":{},"status":201,"body":{"length":9,"digest":"sha256:d"}}
            {"at":10,"method":"PUT","url":"/v2/r/a/manifests/v1","headers":{},"status":201,\
            "body":{"length":9,"digest":"sha256:e","text":"{\\"config\\": {\\"digest\\" : \\"sha256:c\\"}}"}}
            {"at":11,"method":"PUT","url":"/v2/r/a/manifests/v2","headers":{},"status":201,\
            "body":{"length":9,"digest":"sha256:f","text":"{\\"config\\": {\\"digest\\" : \\"sha256:a\\"}}"}}
            {"at":12,"method":"GET","url":"/v2/r/a/manifests/sha256:e","headers":{},"status":200}

            """
        let plan = ReplayPlan(try Recording(text: text, file: "test"))
        #expect(
            plan.left == [
                "no answer was recorded": 1, "it was refused": 1, "an upload that never ended": 1,
                "its content is from before the recording": 3, "a blob in a single POST": 1,
            ])
        #expect(plan.sizes == [300])
    }

    @Test(
        "an exchange that cannot have been is refused with its line",
        arguments: [
            (#""at":-5,"method":"GET","url":"/v2/""#, "'at'"),
            (#""at":9223372036854775807,"method":"GET","url":"/v2/""#, "'at'"),
            (#""at":1,"method":"GET / HTTP/1.1\r\nX: y","url":"/v2/""#, "'method'"),
            (#""at":1,"method":"","url":"/v2/""#, "'method'"), (#""at":1,"method":"GET","url":"v2""#, "'url'"),
            (#""at":1,"method":"GET","url":"/v2/a\r\nX: y/tags/list""#, "'url'"),
            (#""at":1,"method":"DELETE","url":"/v2/../../x/manifests/a""#, "'url'"),
            (#""at":1,"method":"DELETE","url":"/v2/a/./manifests/a""#, "'url'"),
            (#""at":1,"method":"PATCH","url":"@1","body":{"length":-5,"digest":"sha256:0"}"#, "'length'"),
            (#""at":1,"method":"PATCH","url":"@1","body":{"length":70000000000,"digest":"sha256:0"}"#, "'length'"),
            (#""at":1,"url":"/v2/""#, "'method' is missing"), (#""at":"1","method":"GET","url":"/v2/""#, "'at' is of"),
        ])
    func odd(exchange: String, message: String) {
        let text = "{\"title\":\"odd\",\"version\":1}\n{\(exchange),\"headers\":{},\"status\":200}\n"
        let error = #expect(throws: RecordingError.self) {
            try Recording(text: text, file: "test", complaint: \.complaint)
        }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "")")
        #expect(error?.description.hasPrefix("test:2: ") == true)
    }

    @Test("what was recorded of logins is no reason to refuse the rest", arguments: ["docker-20.10.24", "buildah"])
    func logins(client: String) throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../fixtures/traffic/tokens-\(client).jsonl")
        let text = try String(contentsOf: path, encoding: .utf8)
        let plan = ReplayPlan(try Recording(text: text, file: client, complaint: \.complaint))
        #expect(!plan.isEmpty && plan.left["logging in is the run's own affair"] ?? 0 > 0)
    }

    @Test("pieces of more bytes than an upload can have are cut, not added up")
    func sums() throws {
        let patch =
            #""method":"PATCH","url":"@1","headers":{},"status":202,"body":{"length":68719476736,"digest":"sha256:0"}"#
        let text = """
            {"title":"large","version":1}
            {"at":1,"method":"POST","url":"/v2/r/a/blobs/uploads/","headers":{},"status":202,\
            "answerHeaders":{"location":["@1"]}}
            {"at":2,\(patch)}
            {"at":3,\(patch)}
            {"at":4,"method":"PUT","url":"@1?digest=sha256:a","headers":{},"status":201}

            """
        #expect(ReplayPlan(try Recording(text: text, file: "test")).sizes == [68_719_476_736])
    }
}
