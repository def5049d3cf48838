import Vocabulary

/// What the registry said about itself before the run.
package struct TargetFacts: Sendable {
    /// Why pushes are not possible; nil when they are.
    package let pushRefusal: String?
    /// Why nothing can be tried with the credentials; nil when they are taken.
    package var credentialsRefusal: String?
    /// Whether `/v2/` answers 401 to nobody.
    package let asksForCredentials: Bool
    /// The `Server` header or nothing.
    package let server: String
}

/// The target cannot be used at all.
package enum TargetProblem: Error, Sendable, Equatable {
    /// Nobody answers there.
    case unreachable(String)
    /// It answers, but not as a registry.
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
            try expectRegistry(answer)
            let isReadOnly = context.target.given != nil
            let refusal = isReadOnly ? "the run is read-only" : try pushRefusal(probe)
            // Who refuses /v2/ and takes a push, or the other way about, is for the checks to find.
            let credentials = answer.status == 401 && refusal != nil ? credentialsRefusal : nil
            let asks = try first.status == 401 || !isReadOnly && asksWhoPushes(probe)
            if refusal == nil {
                try lookForOthers(probe)
                try lookAtStrangers(probe)
                _ = try answered { try lookForLateness() }
            }
            if !context.keep { Cleaner(probe).clean() }
            return TargetFacts(
                pushRefusal: refusal, credentialsRefusal: credentials, asksForCredentials: asks,
                server: context.masker.text(first.headers["Server"] ?? ""))
        } catch let failure as TransportFailure {
            throw TargetProblem.unreachable("\(context.target.base.origin): \(failure.detail)")
        }
    }

    /// Whether nobody may begin an upload where the run has credentials: `/v2/` alone may be open.
    private func asksWhoPushes(_ probe: Probe) throws -> Bool {
        guard context.target.identity.proof != .anonymous else { return false }
        return try answered { try [401, 403].contains(probe.postUpload(access: .none).status) } ?? false
    }

    /// What came of a request; nil where it was left without an answer, which is for the checks to find.
    private func answered<Result>(_ work: () throws -> Result) throws -> Result? {
        do {
            return try work()
        } catch let failure as TransportFailure where failure.kind != .unreachable {
            return nil
        } catch is Unanswered {
            return nil
        }
    }

    private var credentialsRefusal: String {
        context.target.identity.proof == .anonymous
            ? "the registry asks for credentials: give --user and --password, or --token"
            : "the registry refuses the credentials of \(context.target.identity.name) (401 on /v2/)"
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
        guard let answer = try answered({ try probe.postUpload(in: other) }) else { return }
        guard [401, 403, 404, 405].contains(answer.status) else { return }
        context.markOnlyOne("the registry lets \(only) be used, and answers \(answer.status) to an upload to \(other)")
    }

    /// Which of the other identities a registry that keeps people apart would let do nothing here.
    private func lookAtStrangers(_ probe: Probe) throws {
        guard context.target.identity.proof != .anonymous else { return }
        for other in context.target.others {
            context.markStranger(other, unless: try answered { try whyNoStranger(other, probe) } ?? nil)
        }
    }

    /// Who is refused altogether is nobody to this registry; and a registry that asks for Basic credentials and lets
    /// everybody push who has some knows who somebody is, not who may what.
    private func whyNoStranger(_ other: Identity, _ probe: Probe) throws -> String? {
        let hello = try probe.other(other, "GET", .path("/v2/"))
        if hello.status == 401 { return "the registry refuses the credentials of \(other.name) (401 on /v2/)" }
        let bare = try probe.postUpload(access: .none)
        guard Challenge(bare.headers)?.scheme == "basic" else { return nil }
        let begun = try probe.other(other, "POST", probe.uploadsPlace())
        guard begun.status == 202 else { return nil }
        if let url = probe.location(begun)?.url(on: probe.base) { probe.ledger.add(.upload(url)) }
        return "the registry asks for Basic credentials, and lets \(other.name) push where the run does: it does not "
            + "tell one from the other"
    }

    /// How late lists show what is pushed.
    private func lookForLateness() throws {
        let probe = try Probe(run: context, id: "preflight.lists")
        defer { if !context.keep { Cleaner(probe).clean() } }
        context.markLate(try Lateness(probe).measured())
    }

    /// Only what says "not here" or "not you" is a refusal; anything else the checks have to find.
    private func pushRefusal(_ probe: Probe) throws -> String? {
        guard var answer = try answered({ try probe.postUpload() }) else { return nil }
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

/// Deletes what a check made, the latest first, and counts what stays. Blobs go last: a registry may keep one that a
/// manifest names.
struct Cleaner {
    let probe: Probe

    init(_ probe: Probe) {
        self.probe = probe
    }

    func clean() {
        let entries = probe.ledger.all.uniqued
        var left = 0
        for entry in entries {
            switch entry {
            case .upload(let url): _ = delete(.url(url), "upload")
            case .manifest(let repository, let digest):
                if !delete(probe.manifestPlace(digest, in: repository), "manifest") { left += 1 }
            case .blob, .tag: break
            }
        }
        let manifestsGone = left == 0
        for entry in entries {
            switch entry {
            case .tag(let repository, let name):
                if !manifestsGone { _ = delete(probe.manifestPlace(name, in: repository), "tag") }
            case .blob(let repository, let digest):
                if !delete(probe.blobPlace(digest, in: repository), "blob") { left += 1 }
            case .upload, .manifest: break
            }
        }
        probe.run.countLeftovers(left)
    }

    /// True when it is gone or was not there.
    private func delete(_ place: Place, _ kind: String) -> Bool {
        guard probe.run.isDeletable(kind) else { return false }
        do {
            let status = try probe.sendQuietly("DELETE", place)
            if (200..<300).contains(status) { probe.run.markDeleted(kind) }
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
        let kind = Step.kind(Request(method, place), url: outgoing.url) ?? "\(method) elsewhere"
        let usual = min(run.target.deadline, .seconds(10))
        guard let deadline = run.hangs.cleaningWait(kind, usual: usual) else {
            throw Unanswered(kind: kind)
        }
        outgoing.deadline = deadline
        do {
            let status = try performAuthorized(&outgoing, Request(method, place)).status
            run.hangs.answered(kind)
            return status
        } catch let failure as TransportFailure {
            if failure.kind == .deadline { run.hangs.hung(kind, after: deadline, isTold: false) }
            throw failure
        }
    }
}
