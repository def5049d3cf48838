import Crypto
import Foundation
import Synchronization

/// A small, correct registry in memory, with one switch a fault. It is the runner's own judge: written for the tests
/// alone, sharing no code with the runner nor with the registry of this package.
final class StubRegistry: Sendable {
    struct StubManifest {
        var bytes: [UInt8]
        var type: String
    }

    struct StubUpload {
        var bytes: [UInt8] = []
        var repository: String
        var owner: String
        var algorithm: String
        /// A chunk that is too short was taken: it has to be the last.
        var isShort = false
    }

    struct Repository {
        var blobs: [String: [UInt8]] = [:]
        var manifests: [String: StubManifest] = [:]
        var tags: [String: String] = [:]
        /// Order in which tags were first pushed, for a fault.
        var order: [String] = []
    }

    struct State {
        var repositories: [String: Repository] = [:]
        var uploads: [String: StubUpload] = [:]
        var graveyard: [String: [UInt8]] = [:]
        var halfDeleted: Set<String> = []
        var counter = 0
        /// Chunks of each upload, digests that were mounted, manifests that were pushed: for faults of `overlay`.
        var chunks: [String: Int] = [:]
        var mounted: Set<String> = []
        var pushes: [String: Int] = [:]
        /// Answers that a fault keeps, by their target.
        var kept: [String: StubResponse] = [:]
        /// What a fault remembers of earlier requests.
        var marks: [String: [String]] = [:]
    }

    let state = Mutex(State())
    let faults: FaultSet
    let accounts: StubAccounts?
    let latitudes: [Latitude]
    let unseen: Unseen?
    /// What the repositories held, for latitudes whose lists come late.
    let history = StubHistory()

    /// `accounts` nil: open to everybody.
    init(
        faults: FaultSet = FaultSet([]), latitudes: [Latitude] = [], unseen: Unseen? = nil,
        accounts: StubAccounts? = nil
    ) {
        self.faults = faults
        self.unseen = unseen
        self.latitudes = latitudes
        self.accounts = accounts
        for latitude in latitudes {
            if let content = latitude.content { state.withLock { content(&$0) } }
        }
    }

    /// Starts to serve on a free port.
    func serve() throws -> StubServer {
        let habits = latitudes.reduce(WireHabits()) { $0.union($1.habits) }
        return try StubServer(faults: faults, habits: habits) { self.answer($0) }
    }

    func has(_ fault: Fault) -> Bool { faults.has(fault) }

    func answer(_ request: StubRequest) -> StubResponse {
        if let unseen { return unseen.answer(request, Aim(request), self) }
        if latitudes.isEmpty { return core(request) }
        var changed = request
        var response: StubResponse?
        for latitude in latitudes where response == nil { response = latitude.arriving?(&changed, self) }
        var answer = response ?? core(changed)
        for latitude in latitudes.reversed() { latitude.leaving?(&answer, request, self) }
        return answer
    }

    /// The answer of the registry itself.
    func core(_ request: StubRequest) -> StubResponse {
        if faults.isEmpty { return route(request) }
        if let old = kept(request) { return old }
        if has(.busyAtTimes) || has(.busyUntilDate), isBusy() {
            var response = error(429, "TOOMANYREQUESTS")
            response.set("Retry-After", has(.busyAtTimes) ? "0" : httpDate(Date()))
            return response
        }
        var response = route(request)
        spoil(&response, request)
        overlay(&response, request)
        keep(response, request)
        remember(response, request)
        spoilLists(&response, request)
        spoilParts(&response, request)
        disagree(&response, request)
        return response
    }

    /// One request in nine.
    private func isBusy() -> Bool {
        state.withLock { state in
            state.counter += 1
            return state.counter % 9 == 0
        }
    }

    private func route(_ request: StubRequest) -> StubResponse {
        if let accounts, request.path == "/token" { return accounts.token(request, faults) }
        if request.path == "/v2/" || request.path == "/v2" { return version(request) }
        let parts = request.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 3, parts[0].isEmpty, parts[1] == "v2" else { return error(404, "NAME_UNKNOWN") }
        if request.path.contains("//") || parts.contains("..") {
            return has(.dotsAreServed) ? StubResponse(200, [], Array("root:x:0:0".utf8)) : error(404, "NAME_INVALID")
        }
        if request.target.utf8.contains(where: { $0 > 127 }) {
            return has(.eightBitTaken) ? StubResponse(200) : error(400, "NAME_INVALID")
        }
        if request.path == "/v2/_catalog" { return authorized(request, "registry:catalog:*") { catalog(request, $0) } }
        let rest = Array(parts[2...])
        return endpoint(request, rest)
    }

    /// The endpoint by the end of the path, so that a repository may be named like one.
    private func endpoint(_ request: StubRequest, _ parts: [String]) -> StubResponse {
        let count = parts.count
        func name(_ tail: Int) -> String { parts[0..<count - tail].joined(separator: "/") }
        guard count >= 3 else { return unknownRoute(request) }
        let last = parts[count - 1]
        if parts[count - 2] == "tags", last == "list" {
            return inside(request, name(2), ["GET", "HEAD"]) { _ in tags(request, name(2)) }
        }
        if count >= 4, parts[count - 3] == "blobs", parts[count - 2] == "uploads" {
            if last.isEmpty {
                return inside(request, name(3), ["POST"]) { begin(request, name(3), $0) }
            }
            return inside(request, name(3), ["GET", "PATCH", "PUT", "DELETE"]) { session(request, name(3), last, $0) }
        }
        if parts[count - 2] == "manifests" {
            return inside(request, name(2), ["GET", "HEAD", "PUT", "DELETE"]) { manifest(request, name(2), last, $0) }
        }
        if parts[count - 2] == "blobs" {
            return inside(request, name(2), ["GET", "HEAD", "DELETE"]) { blob(request, name(2), last, $0) }
        }
        if parts[count - 2] == "referrers" {
            return inside(request, name(2), ["GET", "HEAD"]) { _ in referrers(request, name(2), last) }
        }
        return unknownRoute(request)
    }

    private func unknownRoute(_ request: StubRequest) -> StubResponse {
        has(.unknownRouteIsFine) ? StubResponse(200) : error(404, "NAME_UNKNOWN")
    }

    private func inside(
        _ request: StubRequest, _ name: String, _ methods: [String], _ work: (String) -> StubResponse
    ) -> StubResponse {
        guard isName(name) else {
            if has(.nameIs500) { return error(500, "UNKNOWN") }
            return error(400, has(.nameCodeWrong) ? "MANIFEST_INVALID" : "NAME_INVALID")
        }
        guard methods.contains(request.method) else {
            if has(.methodIgnored) { return StubResponse(200) }
            if has(.putOnBlobWrites), request.method == "PUT" {
                let digest = request.path.split(separator: "/").last.map(String.init) ?? ""
                state.withLock { $0.repositories[name, default: Repository()].blobs[digest] = request.body }
                return StubResponse(201)
            }
            var response = error(405, "UNSUPPORTED")
            if !has(.noAllow) { response.set("Allow", methods.joined(separator: ", ")) }
            return response
        }
        let action =
            request.method == "GET" || request.method == "HEAD"
            ? "pull" : request.method == "DELETE" ? "delete" : "push"
        return authorized(request, "repository:\(name):\(action)", work)
    }

    private func authorized(_ request: StubRequest, _ scope: String, _ work: (String) -> StubResponse) -> StubResponse {
        guard let accounts else { return work("") }
        switch accounts.check(request, scope, faults) {
        case .success(let user): return work(user)
        case .failure(let refusal): return refusal.response
        }
    }

    private func version(_ request: StubRequest) -> StubResponse {
        if has(.versionMissing) { return error(404, "NAME_UNKNOWN") }
        if request.method == "HEAD", has(.versionHeadRefused) { return error(405, "UNSUPPORTED", allow: "GET") }
        guard ["GET", "HEAD"].contains(request.method) || has(.methodIgnored) else {
            var response = error(405, "UNSUPPORTED")
            if !has(.noAllow) { response.set("Allow", "GET, HEAD") }
            return response
        }
        return authorized(request, "") { _ in
            let header = has(.versionHeaderWrong) ? "registry/9" : "registry/2.0"
            return StubResponse(200, [("Docker-Distribution-API-Version", header)], Array("{}".utf8))
        }
    }

    /// Faults that any answer may show.
    private func spoil(_ response: inout StubResponse, _ request: StubRequest) {
        if has(.everything500), request.path != "/v2/" { response = StubResponse(500) }
        if has(.everythingHangs), request.method == "GET", request.path.contains("/manifests/") {
            response.silent = true
        }
        if has(.everythingDropped), request.method == "GET", request.path.contains("/manifests/") {
            response.dropped = true
        }
        if has(.bodyShorterThanTold), request.method == "GET", response.status == 200, request.path != "/v2/" {
            response.announced = response.body.count + 10
        }
        if has(.warningsWithDate) {
            response.headers.append(("Warning", "299 - \"x\" \"Sat, 01 Jan 2022 00:00:00 GMT\""))
        }
        if has(.warningsOther) { response.headers.append(("Warning", "199 host \"x\"")) }
        if has(.warningsHuge) {
            response.headers.append(("Warning", "299 - \"\(String(repeating: "w", count: 5_000))\""))
        }
        spoilLawfully(&response, request)
        if has(.tooManyAtTimes), request.path.hasSuffix("/tags/list") { response = StubResponse(429) }
        if has(.acceptRangesLies), response["Accept-Ranges"] != nil { response.set("Accept-Ranges", "none") }
        if has(.pathsTold), request.path.contains("/blobs/sha") {
            response.headers.append(("X-Accel", "/var/lib/registry/x"))
        }
        if has(.unknownMethodFine), request.method == "FROBNICATE" { response = StubResponse(200) }
        if has(.connectionForgetsAfterErrors), response.status == 404, request.method == "HEAD" {
            response.bodyOnHead = true
        }
        if has(.secondRequestLost), request.path == "/v2/", request.header("Connection") == nil,
            request.header("User-Agent") == nil
        {
            // Closes without a word: who says so may.
            response.announced = response.body.count
        }
        if has(.slowBodyRefused), request.method == "PUT", request.body.count == 300 { response = StubResponse(408) }
        if has(.slowHeadRefused), request.path == "/v2/", request.header("User-Agent") == nil {
            response = StubResponse(408)
        }
        if has(.longNames500), request.target.utf8.count > 2_000 { response = StubResponse(500) }
        if has(.escapes500), request.path.contains("%zz") { response = StubResponse(500) }
    }

    /// What a good registry may do, and Locations that nobody can follow.
    private func spoilLawfully(_ response: inout StubResponse, _ request: StubRequest) {
        if has(.linkSeveral), let link = response["Link"] {
            let next = link.replacingOccurrences(
                of: "; rel=\"next\"", with: "; title=\"a; b, c\" ; rel = \"last next\"")
            response.set("Link", "<\(request.path)?n=1>; rel=first, \(next)")
            response.headers.append(("Link", "<https://docs.invalid/>; rel=\"help\""))
        }
        if has(.linkDeadHost), let link = response["Link"] {
            response.set("Link", link.replacingOccurrences(of: "</", with: "<http://127.0.0.1:1/"))
        }
        if has(.secretsEverywhere) { plant(&response, request) }
        if has(.etagWeak), let tag = response["ETag"] { response.set("ETag", "W/" + tag) }
        if has(.rangeTotalUntold), response.status == 206, let range = response["Content-Range"] {
            response.set("Content-Range", range.prefix { $0 != "/" } + "/*")
        }
        if request.method == "POST", let location = response["Location"], location.hasPrefix("/") {
            if has(.locationDeadHost) { response.set("Location", "http://127.0.0.1:1" + location) }
            if has(.locationOtherScheme) { response.set("Location", "ftp://registry.invalid" + location) }
        }
    }

    /// Secrets wherever a registry or what stands before it might tell some.
    private func plant(_ response: inout StubResponse, _ request: StubRequest) {
        response.headers += [("Set-Cookie", "short=Pq7planted; Secure"), ("X-Auth-Token", "planted-token")]
        if request.path.contains("/blobs/uploads/"), let location = response["Location"] {
            let mark = location.contains("?") ? "&" : "?"
            response.set("Location", "\(location)\(mark)_token=planted-utoken&sessionToken=planted-sess")
        }
        guard (400..<500).contains(response.status), response["Content-Type"] == "application/json",
            let text = String(validating: response.body, as: UTF8.self)
        else { return }
        let detail =
            "{\"access_key\":\"PLANTED1ak\",\"told\":\"eyJhbGciOiJI.eyJzdWIiOiJQTEFOVEVEIn0.PLANTED1sig "
            + "Bearer PLANTED1bearer, basic UExBTlRFRDpQTEFOVEVE, cookie Pq7planted\"}"
        response.body = Array(text.replacingOccurrences(of: "\"detail\":\"\"", with: "\"detail\":\(detail)").utf8)
    }

    // MARK: what all handlers use

    func error(_ status: Int, _ code: String, detail: String = "", allow: String? = nil) -> StubResponse {
        var code = code
        if has(.errorCodeOwn) { code = "OUR_OWN_CODE" }
        if has(.errorCodeForm) { code = "Err-1" }
        let message = has(.errorMessageNumber) ? "7" : "\"see the documentation\""
        var text = "{\"errors\":[{\"code\":\"\(code)\",\"message\":\(message),\"detail\":\"\(detail)\"}]}"
        if has(.errorFormatOwn) { text = "{\"error\":\"\(code)\"}" }
        var headers = [("Content-Type", "application/json")]
        if let allow, !has(.noAllow) { headers.append(("Allow", allow)) }
        return StubResponse(status, headers, Array(text.utf8))
    }

    func isName(_ name: String) -> Bool {
        if has(.namesUnchecked) { return true }
        if name.utf8.count > 255 { return false }
        if has(.longNamesRefused), name.utf8.count > 120 { return false }
        if has(.dotsInNamesRefused), name.contains(".") || name.contains("__") || name.contains("--") { return false }
        if has(.deepNamesRefused), name.split(separator: "/").count > 5 { return false }
        if has(.digitNamesRefused), name.hasSuffix("/0/1/2") { return false }
        if has(.namesLikeEndpointsRefused), name.hasSuffix("manifests/blobs/uploads/tags/list") { return false }
        if has(.underscoreNamesRefused), name.contains("_") { return false }
        if has(.shortNamesRefused), name.hasSuffix("/x/y") { return false }
        return name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy(isNamePart)
    }

    /// Words of lower-case letters and digits, with `.`, `_`, `__` or any number of `-` between two of them.
    private func isNamePart(_ part: Substring.UTF8View) -> Bool {
        guard let first = part.first, let last = part.last, isLowerOrDigit(first), isLowerOrDigit(last) else {
            return false
        }
        return part.split(whereSeparator: isLowerOrDigit).allSatisfy { mark in
            mark.elementsEqual(".".utf8) || mark.elementsEqual("_".utf8) || mark.elementsEqual("__".utf8)
                || mark.allSatisfy { $0 == UInt8(ascii: "-") }
        }
    }

    private func isLowerOrDigit(_ byte: UInt8) -> Bool { (97...122).contains(byte) || (48...57).contains(byte) }

    func isTag(_ tag: String) -> Bool {
        if has(.tagsUnchecked) { return true }
        if has(.longTagsRefused), tag.count > 64 { return false }
        if has(.upperTagsRefused), tag != tag.lowercased() { return false }
        let isOfTags = { (byte: UInt8) in
            self.isLowerOrDigit(byte) || (65...90).contains(byte) || "._-".utf8.contains(byte)
        }
        return (1...128).contains(tag.utf8.count) && tag.utf8.allSatisfy(isOfTags)
            && !".-".utf8.contains(tag.utf8.first ?? 0)
    }

    func isDigest(_ digest: String) -> Bool {
        [("sha256:", 64), ("sha512:", 128)].contains { start, count in
            digest.hasPrefix(start) && digest.utf8.count == start.utf8.count + count
                && digest.utf8.dropFirst(start.utf8.count).allSatisfy {
                    (48...57).contains($0) || (97...102).contains($0)
                }
        }
    }

    func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    func digest(_ bytes: [UInt8], like digest: String = "sha256:") -> String {
        digest.hasPrefix("sha512:")
            ? "sha512:" + hex(SHA512.hash(data: bytes)) : "sha256:" + hex(SHA256.hash(data: bytes))
    }
}
