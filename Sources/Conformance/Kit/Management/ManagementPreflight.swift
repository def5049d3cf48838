import Foundation
import Harness

/// Finds out whose management API there is, and whether the run's administrator is one.
struct ManagementPreflight {
    let context: RunContext

    /// What a run with `--management` starts from; nil where no administrator was given. Throws `TargetProblem`: where the
    /// API is none that the runner can drive, and where the administrator is refused.
    func prepare(isWhole: Bool) throws -> ManagementRun? {
        guard let administrator = context.target.administrator else { return nil }
        let probe = try Probe(run: context, id: "preflight.management")
        do {
            let document = try document(probe)
            let password = (0..<24).compactMap { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement() }
            let run = ManagementRun(
                document: document, administrator: administrator, prefix: "c\(context.seed)",
                password: "cast-" + String(password), isWhole: isWhole)
            context.masker.learn(run.password)
            if case .password(_, let secret) = administrator.proof { context.masker.learn(secret) }
            try expectAdministrator(probe, administrator)
            return run
        } catch let failure as TransportFailure {
            throw TargetProblem.unreachable("\(context.target.base.origin): \(failure.detail)")
        }
    }

    private func get(_ probe: Probe, _ path: String, _ authorization: String? = nil) throws -> Answer {
        var request = Request("GET", .path(path))
        request.access = .none
        if let authorization { request.headers = [("Authorization", authorization)] }
        return try probe.send(request)
    }

    private func document(_ probe: Probe) throws -> APIDocument {
        let answer = try get(probe, "/api/v1/openapi.json")
        if answer.status == 200, let document = APIDocument(answer.body), document.title.contains("Aerugo") {
            return document
        }
        for (path, name) in Self.others {
            let other = try get(probe, path)
            guard other.hasJSON || [401, 403].contains(other.status) else { continue }
            throw TargetProblem.unusable(
                "\(context.target.base.origin) has the management API of \(name): --management drives that of Aerugo alone; "
                    + "without it /v2/ is tried")
        }
        throw TargetProblem.unusable(
            "\(context.target.base.origin)/api/v1/openapi.json is no description of Aerugo's management API (status "
                + "\(answer.status)): --management drives no other; without it /v2/ is tried")
    }

    /// Where other registries have something of their own API.
    private static let others = [
        ("/api/v2.0/systeminfo", "Harbor"), ("/service/rest/v1/status", "Nexus"),
        ("/artifactory/api/system/ping", "Artifactory"), ("/api/v1/discovery", "Quay"), ("/api/v4/version", "GitLab"),
        ("/api/v1/version", "Gitea or Forgejo"),
    ]

    private func expectAdministrator(_ probe: Probe, _ administrator: Identity) throws {
        let answer = try get(probe, "/api/v1/auth/me", administrator.basic)
        guard answer.status == 200 else {
            throw TargetProblem.unusable(
                "the registry refuses the administrator \(administrator.name) (\(answer.status) on /api/v1/auth/me)")
        }
        guard JSON(parsing: answer.body)?["admin"]?.boolean == true else {
            throw TargetProblem.unusable("\(administrator.name) is no administrator of the registry")
        }
    }
}
