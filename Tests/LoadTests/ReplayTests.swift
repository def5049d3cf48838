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
        var settings = RunSettings(drive: .open(try Schedule(stages: [.constant(4, lasting: .milliseconds(500))])))
        settings.connections.addresses[target.endpoint] = try AddressBook.addresses(of: target.endpoint)
        let generator = try await Generator.start(settings)
        let client = RegistryClient(endpoint: target.endpoint, credentials: .none)
        let replay = ReplayWorkload(plan: plan, client: client, seed: 7, pace: 1)
        #expect(replay.length == .milliseconds(40))
        let report = try await generator.run(replay)
        #expect(report.arrivals.succeeded == 2, "\(report.arrivals.failures)")
        #expect(server.asked.filter { $0.method == "PATCH" }.map(\.body) == [400, 400])
        try await replay.cleanUp(generator, arrivals: try await generator.arrivalsSoFar(), limit: .seconds(60))
        let deleted = server.asked.filter { $0.method == "DELETE" }.map { $0.path.contains("/blobs/") }
        #expect(deleted == [false, true, false, true])
        try await generator.shutDown()
        try await server.stop()
    }
}
