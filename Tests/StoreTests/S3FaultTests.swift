import Foundation
import Model
import Runtime
import S3Driver
import Store
import Synchronization
import Testing

private let megabyte = 1 << 20

/// Stands between the driver and the store, and does what networks and stores do.
private final class S3Weather: Sendable {
    typealias Request = HTTPStub.Request

    /// What becomes of a request; nil: it passes.
    typealias Rule = @Sendable (Request, _ number: Int) -> Fate?

    enum Fate: Sendable {
        case answer(HTTPStub.Answer)
        /// The connection is cut before all of the body is read.
        case cut
        /// The store gets it, and its answer is lost.
        case lost
        /// The store gets it with another byte in it.
        case changed
        /// The client gets only so many bytes of the answer.
        case shortened(Int)
        case delayed(Int)
    }

    private struct State {
        var rule: Rule = { _, _ in nil }
        var fates: [Fate?] = []
        var numbers: [String: Int] = [:]
        var hits = 0
    }

    private let state = Mutex(State())
    private let stub: HTTPStub

    var url: String { stub.url }
    /// Requests that did not pass.
    var hits: Int { state.withLock { $0.hits } }

    init() throws {
        let holder = Holder()
        stub = try HTTPStub(takesBody: { request in
            guard case .cut? = holder.weather?.fate(of: request, isCounted: true) else { return true }
            return false
        }) { request in holder.weather?.pass(request) ?? .hangUp }
        holder.weather = self
    }

    private final class Holder: @unchecked Sendable {
        weak var weather: S3Weather?
    }

    func set(_ rule: @escaping Rule) {
        state.withLock { state in
            state.rule = rule
            state.numbers = [:]
            state.hits = 0
        }
    }

    func close() { stub.close() }

    /// Each request is judged once, when its head is there.
    private func fate(of request: Request, isCounted: Bool) -> Fate? {
        state.withLock { state in
            let kind = "\(request.method) \(request.target)"
            if isCounted { state.numbers[kind, default: 0] += 1 }
            let fate = state.rule(request, state.numbers[kind, default: 1])
            if isCounted, fate != nil { state.hits += 1 }
            return fate
        }
    }

    private func pass(_ request: Request) -> HTTPStub.Answer {
        switch fate(of: request, isCounted: false) {
        case nil: return .raw(HTTPStub.forward(request, to: S3Server.port))
        case .answer(let answer)?: return answer
        case .cut?: return .hangUp
        case .lost?:
            _ = HTTPStub.forward(request, to: S3Server.port)
            return .hangUp
        case .changed?:
            var body = request.body
            if !body.isEmpty { body[body.count / 2] ^= 1 }
            let changed = Request(
                method: request.method, target: request.target, headers: request.headers, body: body, head: request.head
            )
            return .raw(HTTPStub.forward(changed, to: S3Server.port))
        case .shortened(let count)?: return .raw(Array(HTTPStub.forward(request, to: S3Server.port).prefix(count)))
        case .delayed(let milliseconds)?:
            return .late(milliseconds, .raw(HTTPStub.forward(request, to: S3Server.port)))
        }
    }
}

private let slowDown = HTTPStub.Answer.reply(
    503, [("Content-Type", "application/xml")],
    Array("<?xml version=\"1.0\"?><Error><Code>SlowDown</Code><Message>Please reduce</Message></Error>".utf8))

extension HTTPStub.Request {
    fileprivate var isPart: Bool { method == "PUT" && target.contains("partNumber=") }
    fileprivate var isPut: Bool { method == "PUT" && !target.contains("?") }
    fileprivate var isCompletion: Bool { method == "POST" && target.contains("?uploadId=") }
    fileprivate var isCreation: Bool { method == "POST" && target.contains("uploads=") }
}

@Suite("S3: faults", .enabled(if: S3Server.endpoint != nil, S3Server.missing))
struct S3FaultTests {
    /// Runs `body` with a store behind a weather of its own.
    private func withStore(
        patience: Duration = .seconds(30), _ body: (S3BlobStore, S3Weather, S3Settings) async throws -> Void
    ) async throws {
        let weather = try S3Weather()
        defer { weather.close() }
        var settings = try S3Server.settings(through: weather.url)
        settings.patience = patience
        let store = try await S3BlobStore.open(settings, credentials: S3Server.keys)
        defer { store.close() }
        try await body(store, weather, settings)
    }

    struct Trouble: Sendable, CustomTestStringConvertible {
        let testDescription: String
        fileprivate let fate: S3Weather.Fate
        fileprivate let rule: @Sendable (HTTPStub.Request, Int) -> Bool

        fileprivate init(
            _ text: String, _ fate: S3Weather.Fate, _ rule: @escaping @Sendable (HTTPStub.Request, Int) -> Bool
        ) {
            testDescription = text
            self.fate = fate
            self.rule = rule
        }
    }

    /// All that passes by itself, or by asking again.
    static let troubles = [
        Trouble("503 SlowDown, twice for each request", .answer(slowDown)) { $1 <= 2 },
        Trouble("500 for each first request", .answer(.reply(500))) { $1 == 1 },
        Trouble("no answer to each first request", .answer(.hangUp)) { $1 == 1 },
        Trouble("each first part is cut in its middle", .cut) { $0.isPart && $1 == 1 },
        Trouble("each first answer to a part is lost", .lost) { $0.isPart && $1 == 1 },
        Trouble("the first answer to each PUT is lost", .lost) { $0.isPut && $1 == 1 },
        Trouble("the answer to the completion is lost", .lost) { $0.isCompletion && $1 == 1 },
        Trouble("the answer to the beginning is lost", .lost) { $0.isCreation && $1 == 1 },
        Trouble("half a second for everything", .delayed(500)) { _, _ in true },
        Trouble(
            "an error in the completion's 200",
            .answer(.reply(200, [], Array("<Error><Code>InternalError</Code></Error>".utf8)))
        ) { $0.isCompletion && $1 == 1 },
    ]

    @Test("what passes is waited for: nothing is lost, nothing is told twice", arguments: troubles)
    func passing(trouble: Trouble) async throws {
        try await withStore { store, weather, _ in
            weather.set { request, number in trouble.rule(request, number) ? trouble.fate : nil }
            for content in [bulk(100_000), bulk(11 * megabyte)] {
                let key = store.newKey()
                try await write(content, as: key, to: store)
                #expect(try await store.open(key).digest(.sha256) == sha256(content))
            }
        }
    }

    enum Lie: String, CaseIterable, Sendable {
        case put, completion, part, shorter, otherETag
    }

    @Test("what a store acknowledges and does not keep is not acknowledged", arguments: Lie.allCases)
    func lies(lie: Lie) async throws {
        try await withStore(patience: .seconds(30)) { store, weather, settings in
            weather.set { request, _ in
                switch lie {
                case .put where request.isPut && request.target.contains("/blobs/"):
                    .answer(.reply(200, [("ETag", "\"0123456789abcdef0123456789abcdef\"")]))
                case .completion where request.isCompletion:
                    .answer(
                        .reply(
                            200, [],
                            Array(
                                "<CompleteMultipartUploadResult><ETag>\"a-3\"</ETag></CompleteMultipartUploadResult>"
                                    .utf8)))
                case .part where request.isPart && request.target.contains("partNumber=2"):
                    .answer(.reply(200, [("ETag", "\"0123456789abcdef0123456789abcdef\"")]))
                case .shorter where request.method == "HEAD" && request.target.contains("/blobs/"):
                    .answer(.reply(200, [("Content-Length", "3"), ("ETag", "\"a\"")]))
                case .otherETag where request.method == "HEAD" && request.target.contains("/blobs/"):
                    .answer(.reply(200, [("Content-Length", "\(11 * megabyte)"), ("ETag", "\"a\"")]))
                default: nil
                }
            }
            let isSmall = lie == .put
            let upload = try await store.upload(store.newKey(), from: UploadState(.sha256))
            try await upload.append([bulk(isSmall ? 100_000 : 11 * megabyte)])
            #expect(await storeError { _ = try await upload.finish() } != nil)
            #expect(weather.hits > 0)
        }
    }

    @Test("another byte than was sent is refused by the store, and told", arguments: [100_000, 11 * megabyte])
    func changed(count: Int) async throws {
        try await withStore(patience: .seconds(30)) { store, weather, settings in
            weather.set { request, _ in request.isPart || request.isPut ? .changed : nil }
            let upload = try await store.upload(store.newKey(), from: UploadState(.sha256))
            #expect(
                await storeError {
                    try await upload.append([bulk(count)])
                    _ = try await upload.finish()
                } == .unavailable)
            weather.set { _, _ in nil }
            try await upload.abort()
            let left = try await S3Server.contents(of: settings)
            #expect(left.uploads == [])
        }
    }

    @Test("a store that refuses, or says nothing, is told in time; then it works again", arguments: [true, false])
    func away(isRefusing: Bool) async throws {
        try await withStore(patience: .seconds(12)) { store, weather, _ in
            let key = store.newKey()
            try await write(bulk(1000), as: key, to: store)
            weather.set { _, _ in .answer(isRefusing ? .hangUp : .late(15_000, .hangUp)) }
            let began = ContinuousClock.now
            #expect(await storeError { try await store.check() } == .unavailable)
            #expect(await storeError { try await write(bulk(1000), as: store.newKey(), to: store) } == .unavailable)
            #expect(ContinuousClock.now - began < .seconds(120))
            weather.set { _, _ in nil }
            try await store.check()
            #expect(try await read(store.open(key)) == bulk(1000))
        }
    }

    @Test("a read that is cut goes on where it was; one that gets nowhere ends")
    func cutReads() async throws {
        try await withStore(patience: .seconds(30)) { store, weather, _ in
            let (content, key) = (bulk(3 * megabyte), store.newKey())
            try await write(content, as: key, to: store)
            weather.set { request, _ in
                request.method == "GET" && request.target.contains("/blobs/") ? .shortened(700_000) : nil
            }
            #expect(try await read(store.open(key)) == content)
            #expect(weather.hits >= 4)
            weather.set { request, _ in
                request.method == "GET" && request.target.contains("/blobs/") ? .shortened(300) : nil
            }
            #expect(await storeError { _ = try await read(store.open(key)) } == .unavailable)
            // Another object in its place is not read as if it were this one.
            weather.set { _, _ in nil }
            let object = try await store.open(key)
            _ = try await store.remove([key]) { _, _ in }
            try await write(bulk(3 * megabyte, seed: 5), as: key, to: store)
            #expect(await storeError { _ = try await read(object) } == .conflict)
        }
    }

    @Test("credentials that the store refuses are asked for anew at once")
    func refusedCredentials() async throws {
        let right = try #require(S3Server.keys.fixed?.accessKeyID)
        let secret = S3Server.variable("AERUGO_TEST_S3_SECRET_ACCESS_KEY") ?? ""
        let asked = Mutex(0)
        let metadata = try HTTPStub { request in
            guard request.target.hasSuffix("/role") else { return .reply(200, [], Array("role".utf8)) }
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            let id = number == 1 ? "AKIAOLD" : right
            let json = """
                {"AccessKeyId":"\(id)","SecretAccessKey":"\(secret)","Expiration":"2099-01-01T00:00:00Z"}
                """
            return .reply(200, [], Array(json.utf8))
        }
        defer { metadata.close() }
        var keys = S3CredentialSettings(environment: [:])
        keys.source = .metadata
        keys.metadataEndpoint = metadata.url
        let store = try await S3BlobStore.open(try S3Server.settings(), credentials: keys)
        defer { store.close() }
        try await write(bulk(10), as: store.newKey(), to: store)
        #expect(asked.withLock { $0 } == 2)
    }
}
