import Foundation
import Model
import Runtime
import S3Driver
import Synchronization
import Testing

/// Time as a test has it.
private final class TestTime: Sendable {
    private let elapsed = Mutex(Duration.zero)
    private let start: Timestamp

    init() throws { start = try #require(Timestamp(rfc3339: "2026-01-01T00:00:00Z")) }

    var clocks: Clocks {
        Clocks(wall: { [self] in start + elapsed.withLock { $0 } }, uptime: { [self] in elapsed.withLock { $0 } })
    }

    func pass(_ duration: Duration) { elapsed.withLock { $0 += duration } }
}

private final class Counter: Sendable {
    private let value = Mutex(0)
    var count: Int { value.withLock { $0 } }
    func add() -> Int {
        value.withLock {
            $0 += 1; return $0
        }
    }
}

/// A source that a test answers for.
private struct TestSource: CredentialSource {
    let description = "the test"
    let answer: @Sendable () async -> Result<S3Credentials?, StoreError>

    func fetch() async throws(StoreError) -> S3Credentials? { try await answer().get() }
}

@Suite("S3: credentials")
struct S3CredentialTests {
    @Test("the environment's, with its session token; half of them are none")
    func environment() async throws {
        let whole = ["AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"]
        let found = try await EnvironmentCredentials(whole).fetch()
        #expect(found == S3Credentials(accessKeyID: "AKID", secretAccessKey: "secret", sessionToken: "token"))
        #expect(try await EnvironmentCredentials(["AWS_ACCESS_KEY_ID": "AKID"]).fetch() == nil)
        #expect(try await EnvironmentCredentials(whole.merging(["AWS_SECRET_ACCESS_KEY": ""]) { $1 }).fetch() == nil)
    }

    @Test("a profile of the file that AWS's tools share")
    func file() async throws {
        let scratch = try Scratch()
        let path = "\(scratch.path)/credentials"
        try """
        # comment
        [default]
        aws_access_key_id = ONE
        aws_secret_access_key=first=with=marks
        [ci]
        ; another
          aws_access_key_id=TWO
        aws_secret_access_key =  second
        aws_session_token = tok
        [half]
        aws_access_key_id = THREE
        """.write(toFile: path, atomically: true, encoding: .utf8)
        let lane = BlockingExecutor(name: "test", threads: 1, capacity: 4)
        let environment = ["AWS_SHARED_CREDENTIALS_FILE": path]
        let first = try await SharedFileCredentials(environment, lane).fetch()
        #expect(first == S3Credentials(accessKeyID: "ONE", secretAccessKey: "first=with=marks"))
        let second = try await SharedFileCredentials(environment.merging(["AWS_PROFILE": "ci"]) { $1 }, lane).fetch()
        #expect(second == S3Credentials(accessKeyID: "TWO", secretAccessKey: "second", sessionToken: "tok"))
        for profile in ["half", "none"] {
            #expect(try await SharedFileCredentials(environment, profile: profile, lane).fetch() == nil)
        }
        #expect(try await SharedFileCredentials([:], path: path + ".none", lane).fetch() == nil)
        lane.stop()
    }

    @Test("the machine's role, by the second version of the instance metadata")
    func metadata() async throws {
        let stub = try HTTPStub { request in
            guard request.target != "/latest/api/token" else {
                let isRight =
                    request.method == "PUT" && request.headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
                return .reply(isRight ? 200 : 400, [], Array("the-token==".utf8))
            }
            guard request.headers["x-aws-ec2-metadata-token"] == "the-token==" else { return .reply(401) }
            switch request.target {
            case "/latest/meta-data/iam/security-credentials/": return .reply(200, [], Array("my role\n".utf8))
            case "/latest/meta-data/iam/security-credentials/my%20role":
                let json = """
                    {"Code":"Success","LastUpdated":"2026-01-01T00:00:00Z","Type":"AWS-HMAC","AccessKeyId":"ASIA1",
                    "SecretAccessKey":"s","Token":"t","Expiration":"2026-01-01T06:00:00Z"}
                    """
                return .reply(200, [], Array(json.utf8))
            default: return .reply(404)
            }
        }
        defer { stub.close() }
        let found = try await MetadataCredentials(endpoint: stub.url).fetch()
        #expect(
            found
                == S3Credentials(
                    accessKeyID: "ASIA1", secretAccessKey: "s", sessionToken: "t",
                    expiry: Timestamp(rfc3339: "2026-01-01T06:00:00Z")))
    }

    @Test(
        "metadata that is none is an error, in time; a machine without a role has none",
        arguments: ["norole", "refused", "nonsense", "failed", "slow", "huge"])
    func badMetadata(kind: String) async throws {
        let stub = try HTTPStub { request in
            switch (kind, request.target) {
            case ("refused", _): return .reply(403)
            case ("slow", _): return .late(30_000, .reply(200))
            case (_, "/latest/api/token"): return .reply(200, [], Array("t".utf8))
            case ("norole", _): return .reply(404)
            case (_, "/latest/meta-data/iam/security-credentials/"): return .reply(200, [], Array("r".utf8))
            case ("failed", _): return .reply(200, [], Array(#"{"Code":"Failed"}"#.utf8))
            case ("huge", _): return .reply(200, [], [UInt8](repeating: 0x20, count: 1 << 20))
            default: return .reply(200, [], Array("{".utf8))
            }
        }
        defer { stub.close() }
        let source = try MetadataCredentials(endpoint: stub.url)
        guard kind != "norole" else {
            #expect(try await source.fetch() == nil)
            return
        }
        let began = ContinuousClock.now
        #expect(await storeError { _ = try await source.fetch() } == .unavailable)
        #expect(ContinuousClock.now - began < .seconds(25))
    }

    @Test("a role by the token of a web identity, read anew each time")
    func webIdentity() async throws {
        let scratch = try Scratch()
        let file = "\(scratch.path)/token"
        let stub = try HTTPStub { request in
            let form = String(decoding: request.body, as: UTF8.self).split(separator: "&").map(String.init)
            let wanted: Set = [
                "Action=AssumeRoleWithWebIdentity", "Version=2011-06-15", "RoleSessionName=aerugo",
                "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fr",
            ]
            guard request.method == "POST", wanted.isSubset(of: form),
                request.headers["content-type"] == "application/x-www-form-urlencoded"
            else {
                return .reply(400, [], Array("<ErrorResponse><Error><Code>Bad</Code></Error></ErrorResponse>".utf8))
            }
            let token = form.first { $0.hasPrefix("WebIdentityToken=") } ?? ""
            let xml = """
                <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA</AccessKeyId>
                <SecretAccessKey>\(token)</SecretAccessKey><SessionToken>st</SessionToken>
                <Expiration>2026-01-01T06:00:00Z</Expiration></Credentials></AssumeRoleWithWebIdentityResult>
                </AssumeRoleWithWebIdentityResponse>
                """
            return .reply(200, [], Array(xml.utf8))
        }
        defer { stub.close() }
        let environment = ["AWS_WEB_IDENTITY_TOKEN_FILE": file, "AWS_ROLE_ARN": "arn:aws:iam::1:role/r"]
        let source = try #require(try WebIdentityCredentials(environment, region: "r", endpoint: stub.url))
        for token in ["one", "two"] {
            try "\(token)\n".write(toFile: file, atomically: true, encoding: .utf8)
            let found = try await source.fetch()
            #expect(
                found
                    == S3Credentials(
                        accessKeyID: "ASIA", secretAccessKey: "WebIdentityToken=\(token)", sessionToken: "st",
                        expiry: Timestamp(rfc3339: "2026-01-01T06:00:00Z")))
        }
        let wrong = environment.merging(["AWS_ROLE_ARN": "other"]) { $1 }
        let refused = try #require(try WebIdentityCredentials(wrong, region: "r", endpoint: stub.url))
        #expect(await storeError { _ = try await refused.fetch() } == .unavailable)
        #expect(try WebIdentityCredentials(["AWS_ROLE_ARN": "a"], region: "r") == nil)
    }

    private static func lent(_ number: Int, until expiry: Timestamp) -> S3Credentials {
        S3Credentials(accessKeyID: "A\(number)", secretAccessKey: "s", expiry: expiry)
    }

    @Test("they are renewed before they end, while those that hold are used, by one for all")
    func renewal() async throws {
        let (time, counter) = (try TestTime(), Counter())
        let (gate, opening) = AsyncStream<Void>.makeStream()
        let keeper = CredentialKeeper(
            [
                TestSource {
                    let number = counter.add()
                    if number == 2 { for await _ in gate { break } }
                    return .success(Self.lent(number, until: time.clocks.wall() + .seconds(3600)))
                }
            ], clocks: time.clocks)
        let first = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await keeper.current().accessKeyID } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(first == ["A1"])
        #expect(counter.count == 1)
        time.pass(.seconds(3299))
        #expect(try await keeper.current().accessKeyID == "A1")
        #expect(counter.count == 1)
        // Five minutes before their end: asked for, but nobody waits.
        time.pass(.seconds(2))
        for _ in 0..<10 { #expect(try await keeper.current().accessKeyID == "A1") }
        opening.yield()
        try await eventually { try await keeper.current().accessKeyID == "A2" }
        #expect(counter.count == 2)
    }

    @Test("a renewal that fails is tried again, and costs nothing while the old ones hold")
    func failing() async throws {
        let (time, counter) = (try TestTime(), Counter())
        let end = time.clocks.wall() + .seconds(3600)
        let keeper = CredentialKeeper(
            [
                TestSource {
                    counter.add() == 1
                        ? .success(Self.lent(1, until: end)) : .failure(StoreError(.unavailable, "not now"))
                }
            ], clocks: time.clocks)
        #expect(try await keeper.current().accessKeyID == "A1")
        time.pass(.seconds(3400))
        #expect(try await keeper.current().accessKeyID == "A1")
        try await eventually { counter.count == 2 }
        for _ in 0..<100 { #expect(try await keeper.current().accessKeyID == "A1") }
        #expect(counter.count == 2, "not at once again")
        // A minute before their end they are of no use for a request that takes its time.
        time.pass(.seconds(141))
        #expect(await storeError { _ = try await keeper.current() } == .unavailable)
    }

    @Test("refused ones are asked for anew; the first source that has some gives them")
    func distrust() async throws {
        let (time, counter) = (try TestTime(), Counter())
        let keeper = CredentialKeeper(
            [
                TestSource { .success(nil) },
                TestSource { .success(Self.lent(counter.add(), until: time.clocks.wall() + .seconds(3600))) },
            ], clocks: time.clocks)
        let first = try await keeper.current()
        #expect(first.accessKeyID == "A1")
        #expect(keeper.distrust(first))
        #expect(try await keeper.current().accessKeyID == "A2")
        // Who comes late with the first ones takes the new ones.
        #expect(keeper.distrust(first))
        #expect(try await keeper.current().accessKeyID == "A2")
        let nobody = CredentialKeeper([TestSource { .success(nil) }], clocks: time.clocks)
        #expect(await storeError { _ = try await nobody.current() } == .unavailable)
        let late = CredentialKeeper(
            [TestSource { .success(Self.lent(1, until: time.clocks.wall())) }], clocks: time.clocks)
        #expect(await storeError { _ = try await late.current() } == .unavailable, "they have ended already")
    }
}
