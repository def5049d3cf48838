import Vocabulary

/// What the registry said about itself before the run.
package struct TargetFacts: Sendable {
    /// Why pushes are not possible; nil when they are.
    package let pushRefusal: String?
    /// Whether `/v2/` answers 401 to nobody.
    package let asksForCredentials: Bool
    /// The `Server` header or nothing.
    package let server: String
}

/// The target cannot be used at all.
package enum TargetProblem: Error, Sendable, Equatable {
    /// Nobody answers there.
    case unreachable(String)
    /// It answers, but not to these credentials, or not as a registry.
    case unusable(String)
}

extension RunContext {
    /// Looks whether the target answers, takes the credentials and accepts pushes. Throws `TargetProblem`.
    package func preflight() throws -> TargetFacts { try Preflight(context: self).facts() }
}

/// Looks whether the target answers, takes the credentials and accepts pushes.
struct Preflight {
    let context: RunContext

    func facts() throws -> TargetFacts {
        let probe = try Probe(run: context, id: "preflight")
        do {
            var bare = Request("GET", .path("/v2/"))
            bare.access = .none
            let first = try probe.send(bare)
            let answer = first.status == 401 ? try probe.send(Request("GET", .path("/v2/"))) : first
            if answer.status == 401 {
                let isAnonymous = context.target.identity.proof == .anonymous
                throw TargetProblem.unusable(
                    isAnonymous
                        ? "the registry asks for credentials: give --user and --password, or --token"
                        : "the registry refuses the credentials of \(context.target.identity.name) (401 on /v2/)")
            }
            try expectRegistry(answer)
            let refusal = context.target.given == nil ? try pushRefusal(probe) : "the run is read-only"
            if refusal == nil {
                try lookForOthers(probe)
                try lookForLateness()
            }
            if !context.keep { Cleaner(probe).clean() }
            return TargetFacts(
                pushRefusal: refusal, asksForCredentials: first.status == 401,
                server: context.masker.text(first.headers["Server"] ?? ""))
        } catch let failure as TransportFailure {
            throw TargetProblem.unreachable("\(context.target.base.origin): \(failure.detail)")
        }
    }

    /// Something that shows everybody the same page is no registry.
    private func expectRegistry(_ answer: Answer) throws {
        let type = answer.headers["Content-Type"]?.lowercased() ?? ""
        let beginning = String(decoding: answer.body.prefix(256), as: UTF8.self).trimmed.lowercased()
        guard (200..<300).contains(answer.status), answer.headers[HeaderName.dockerAPIVersion] == nil,
            type.hasPrefix("text/html") || beginning.hasPrefix("<!doctype") || beginning.hasPrefix("<html")
        else { return }
        throw TargetProblem.unusable(
            "\(context.target.base.origin)/v2/ answers \(answer.status) with a web page: that is no registry")
    }

    /// Where one repository was named, whether the registry lets a second one be made at all.
    private func lookForOthers(_ probe: Probe) throws {
        guard let only = context.target.onlyRepository else { return }
        let other = probe.repository("other")
        let answer = try probe.postUpload(in: other)
        guard [401, 403, 404, 405].contains(answer.status) else { return }
        context.markOnlyOne("the registry lets \(only) be used, and answers \(answer.status) to an upload to \(other)")
    }

    /// How late lists show what is pushed.
    private func lookForLateness() throws {
        let probe = try Probe(run: context, id: "preflight.lists")
        defer { if !context.keep { Cleaner(probe).clean() } }
        context.markLate(try Lateness(probe).measured())
    }

    /// Only what says "not here" or "not you" is a refusal; anything else the checks have to find.
    private func pushRefusal(_ probe: Probe) throws -> String? {
        var answer = try probe.postUpload()
        if [400, 404].contains(answer.status), context.target.onlyRepository == nil {
            // No sentence says that names of three parts have to be taken.
            let flat = probe.repository.replacing("/\(context.seed)/", with: "/\(context.seed)-")
            let again = try probe.postUpload(in: flat)
            if again.status == 202 { context.markFlat() }
            if again.status == 202 || again.saysNoRepository { answer = again }
        }
        if answer.status == 202 { return nil }
        guard [401, 403, 405, 501].contains(answer.status) || answer.saysUnsupported || answer.saysNoRepository else {
            return nil
        }
        return "POST of an upload is answered \(answer.status) \(answer.errorCodes.joined(separator: " "))".trimmed
    }
}

/// Deletes what a check made, the latest first, and counts what stays.
struct Cleaner {
    let probe: Probe

    init(_ probe: Probe) {
        self.probe = probe
    }

    func clean() {
        var left = 0
        var manifestsGone = true
        for entry in probe.ledger.all {
            switch entry {
            case .upload(let url): _ = delete(.url(url), "upload")
            case .manifest(let repository, let digest):
                if !delete(probe.manifestPlace(digest, in: repository), "manifest") {
                    manifestsGone = false
                    left += 1
                }
            case .blob(let repository, let digest):
                if !delete(probe.blobPlace(digest, in: repository), "blob") { left += 1 }
            case .tag(let repository, let name):
                if !manifestsGone { _ = delete(probe.manifestPlace(name, in: repository), "tag") }
            }
        }
        probe.run.countLeftovers(left)
    }

    /// True when it is gone or was not there.
    private func delete(_ place: Place, _ kind: String) -> Bool {
        guard probe.run.isDeletable(kind) else { return false }
        do {
            let status = try probe.sendQuietly("DELETE", place)
            if status == 405 || status == 501 { probe.run.markUndeletable(kind) }
            return (200..<300).contains(status) || status == 404
        } catch {
            return false
        }
    }
}

extension Probe {
    /// A request that leaves no record and goes out even after an interrupt; gives the status.
    func sendQuietly(_ method: String, _ place: Place) throws -> Int {
        var outgoing = Outgoing(method: method, url: place.url(on: base))
        outgoing.deadline = min(run.target.deadline, .seconds(10))
        return try performAuthorized(&outgoing, Request(method, place)).status
    }
}
