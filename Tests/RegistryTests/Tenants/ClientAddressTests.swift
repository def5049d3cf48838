import HTTP
import Model
import Runtime
import Testing

@Suite("Tenants: clients behind a proxy", .takesTurns)
struct ClientAddressTests {
    private static let proxies = ["10.0.0.0/8", "2001:db8:1::7"].compactMap { AddressBlock($0) }

    /// The client of a request with these lines from `peer`.
    private func client(_ lines: [String], from peer: String = "10.0.0.7") -> String {
        var text: [UInt8] = []
        var fields: [Headers.Field] = []
        for line in lines {
            let halves = line.split(separator: ":", maxSplits: 1).map { Array($0.utf8) }
            let start = text.count
            text += halves[0] + [0x3a] + halves[1] + [0x0d, 0x0a]
            let value = start + halves[0].count + 2
            fields.append(Headers.Field(name: start..<start + halves[0].count, value: value..<text.count - 2))
        }
        var settings = HTTPSettings()
        settings.trustedProxies = Self.proxies
        return Headers(text, fields).client(behind: settings.proxies(of: peer), peer: peer)
    }

    @Test(
        "the client is who the nearest proxy that is not ours heard from, and nobody whom the client made up",
        arguments: [
            (["X-Forwarded-For: 192.0.2.9"], "192.0.2.9"),
            (["X-Forwarded-For: 192.0.2.1, 192.0.2.9"], "192.0.2.9"),
            (["X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 192.0.2.9"], "192.0.2.9"),
            (["X-Forwarded-For: 192.0.2.1, 192.0.2.9, 10.1.1.1"], "192.0.2.9"),
            (["X-Forwarded-For: 192.0.2.9:4711"], "192.0.2.9"),
            (["X-Forwarded-For: [2001:db8::9]:4711, 2001:db8:1::7"], "2001:db8::9"),
            (["X-Forwarded-For: 10.1.1.1, 10.2.2.2"], "10.1.1.1"),
            (["Forwarded: for=192.0.2.1, for=192.0.2.9;proto=https;by=10.0.0.7"], "192.0.2.9"),
            ([#"Forwarded: for="[2001:db8::9]:4711""#], "2001:db8::9"),
            ([#"Forwarded: for="x, for=192.0.2.9"#], "192.0.2.9"),
            // What is no address ends the list.
            (["X-Forwarded-For: 192.0.2.1, unknown"], "10.0.0.7"),
            (["X-Forwarded-For: 192.0.2.1, unknown, 10.1.1.1"], "10.1.1.1"),
            (["X-Forwarded-For: 192.0.2.1, 10.0.0.0/8"], "10.0.0.7"), (["X-Forwarded-For: 192.0.2.1,"], "10.0.0.7"),
            (["Forwarded: for=_hidden"], "10.0.0.7"), (["Forwarded: proto=https"], "10.0.0.7"), ([], "10.0.0.7"),
            // A client that brings the field which its proxy does not write.
            (["Forwarded: for=192.0.2.1", "X-Forwarded-For: 192.0.2.9"], "10.0.0.7"),
            (["Forwarded: for=192.0.2.9", "X-Forwarded-For: 192.0.2.9"], "192.0.2.9"),
        ])
    func chains(_ lines: [String], _ wanted: String) {
        #expect(client(lines) == wanted)
    }

    @Test("who is no proxy of ours is the client, whatever it says")
    func strangers() {
        #expect(client(["X-Forwarded-For: 192.0.2.9"], from: "192.0.2.77") == "192.0.2.77")
        #expect(client(["Forwarded: for=192.0.2.9"], from: "2001:db8:1::8") == "2001:db8:1::8")
        #expect(client(["X-Forwarded-For: 192.0.2.9"], from: "2001:db8:1::7") == "192.0.2.9")
    }

    @Test("one who guesses passwords through a proxy holds up nobody else who comes through it")
    func guessing() async throws {
        var settings = HTTPSettings()
        settings.trustedProxies = ["127.0.0.1"].compactMap { AddressBlock($0) }
        // Who has to wait a second still has, however long this takes.
        let started = Clocks.system.uptime()
        let clocks = Clocks(wall: Clocks.system.wall, uptime: { started })
        try await Household.with(http: settings, clocks: clocks) { house in
            try await house.addUsers("ann")
            let client = house.server.client()
            func logIn(_ password: String, _ from: String) async throws -> Answer {
                let form = "grant_type=password&username=ann&password=\(password.replacing(" ", with: "+"))"
                return try await client.send(
                    "POST", "/auth/token", ["X-Forwarded-For: \(from)"], body: Array(form.utf8))
            }
            #expect(try await logIn(Household.password("ann"), "192.0.2.1").status == 200)
            var statuses: [Int] = []
            for turn in 0..<40 { statuses.append(try await logIn("guess \(turn)", "192.0.2.66").status) }
            #expect(statuses.contains(429))
            // Nor does one who writes the owner's address before his own.
            #expect(try await logIn("guess", "192.0.2.1, 192.0.2.66").status == 429)
            #expect(try await logIn(Household.password("ann"), "192.0.2.1").status == 200)
            let events = try await house.done("root", "GET", "/api/v1/audit").text
            #expect(events.contains("192.0.2.66"))
        }
    }
}
