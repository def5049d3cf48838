import Access
import Foundation
import Model
import Testing

@Suite("Policy")
struct PolicyTests {
    /// The rules once more, as one would say them to somebody; nothing of `Policy` is used.
    private func mayPlainly(_ right: Right, _ standing: Standing, _ isPublic: Bool) -> Bool {
        guard standing.isActive else { return false }
        if standing.isAdministrator || standing.isAtHome {
            return [.pull, .push, .delete, .administer].contains(right)
        }
        let bits = standing.permitted.rawValue
        switch right {
        case .pull: return isPublic || standing.role != nil || bits != 0
        case .push: return [.developer, .maintainer, .admin, .owner].contains(standing.role) || bits & 0b1010 != 0
        case .delete: return [.maintainer, .admin, .owner].contains(standing.role) || bits & 0b1100 != 0
        case .administer: return [.admin, .owner].contains(standing.role) || bits & 0b1000 != 0
        case .catalog, .base, .account, .create, .view, .manage, .own: return false
        }
    }

    private let name: RepositoryName
    private let repository: Repository

    init() throws {
        name = try RepositoryName.parse("acme/latest")
        repository = Repository(id: RepositoryID(1), namespace: NamespaceID(2), name: name)
    }

    private func caller(_ principal: Principal, _ scope: TokenScope? = nil) -> Caller {
        Caller(Identity(principal, scope: scope), requestID: "r", address: "192.0.2.1")
    }

    @Test("what the rules give one by one is what they give together")
    func reasons() {
        for standing in Self.standings {
            for visibility in [Visibility.open, .hidden] {
                let sum = standing.reasons(visibility).reduce(Rights()) { $0.union($1.rights) }
                #expect(sum == standing.rights(visibility), "\(standing)")
            }
        }
    }

    private static var standings: [Standing] {
        var all: [Standing] = []
        for bits in 0..<Int64(16) {
            for role in [nil] + Role.allCases.map(Optional.some) {
                for flags in 0..<8 {
                    all.append(
                        Standing(
                            isActive: flags & 1 == 0, isAdministrator: flags & 2 != 0, isAtHome: flags & 4 != 0,
                            role: role, permitted: Rights(rawValue: bits)))
                }
            }
        }
        return all
    }

    @Test("what an account may do to a repository is what the rules say in plain words, in every case there is")
    func repositories() {
        for standing in Self.standings {
            for visibility in [Visibility.open, .hidden] {
                let target = Policy.Target.repository(RepositoryFacts(repository, visibility: visibility))
                for right in Right.allCases {
                    let verdict = Policy.accounts.verdict(right, target, caller(.user(PrincipalID(9))), standing)
                    let may = mayPlainly(right, standing, visibility == .open)
                    #expect((verdict == .allowed) == may, "\(right) \(standing) \(visibility)")
                    // Who may not read learns nothing; who may not write hears the same of what is not there.
                    guard !may else { continue }
                    #expect(verdict == (right == .pull || right == .view ? .hidden : .denied))
                    guard right != .push || !standing.duties.contains(.create) else { continue }
                    let absent = Policy.accounts.verdict(right, .absent(name), caller(.user(PrincipalID(9))), standing)
                    #expect(absent == verdict, "\(right) \(standing)")
                }
            }
        }
    }

    @Test("a scope never gives, and takes all that it lacks")
    func scopes() {
        let target = Policy.Target.repository(RepositoryFacts(repository, visibility: .hidden))
        for standing in Self.standings {
            for right in [Right.pull, .push, .delete, .administer] {
                for scoped in [Set<Right>(), [.pull], [.pull, .push], [.pull, .push, .delete]] {
                    let scope = TokenScope(repositories: [name: scoped])
                    let free = Policy.accounts.verdict(right, target, caller(.user(PrincipalID(9))), standing)
                    let bound = Policy.accounts.verdict(right, target, caller(.user(PrincipalID(9)), scope), standing)
                    let wanted = free != .allowed ? free : scoped.contains(right) ? .allowed : .narrow
                    #expect(bound == wanted)
                }
            }
        }
    }

    @Test("anybody may pull what is public, and is asked who they are for all else, there or not")
    func anonymous() {
        for right in Right.allCases {
            for (target, isOpen) in [
                (Policy.Target.repository(RepositoryFacts(repository, visibility: .open)), right == .pull),
                (.repository(RepositoryFacts(repository, visibility: .hidden)), false), (.absent(name), false),
                (.registry, false), (.namespace, false),
            ] {
                let verdict = Policy.accounts.verdict(right, target, caller(.anonymous), Standing())
                #expect(verdict == (isOpen ? .allowed : .challenge), "\(right) \(target)")
            }
        }
    }

    @Test("no name of a tag or a repository changes a decision (CVE-2026-31801)")
    func names() throws {
        for text in ["acme/latest", "acme/admin", "acme/public", "x", "library/x"] {
            let other = Repository(
                id: RepositoryID(1), namespace: NamespaceID(2), name: try RepositoryName.parse(text))
            for standing in Self.standings.shuffled().prefix(50) {
                for right in Right.allCases {
                    let verdicts = [repository, other].map { repository in
                        Policy.accounts.verdict(
                            right, .repository(RepositoryFacts(repository, visibility: .hidden)),
                            caller(.robot(PrincipalID(9))), standing)
                    }
                    #expect(verdicts[0] == verdicts[1])
                }
            }
        }
    }

    @Test("docs/roles.md has the table of roles as it is")
    func page() throws {
        var lines = ["| role | in every repository | with the organization |", "|---|---|---|"]
        let duties: [(String, Duties)] = [
            ("see it", .view), ("make repositories", .create), ("change members, teams and robots", .manage),
            ("make owners, delete it", .own),
        ]
        for role in Role.allCases {
            let rights = Rights.names.filter { role.rights.contains($0.rights) }.map(\.name)
            let may = duties.filter { role.duties.contains($0.1) }.map(\.0)
            lines.append("| \(role.name) | \(rights.joined(separator: ", ")) | \(may.joined(separator: ", ")) |")
        }
        let page = try String(
            contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../docs/roles.md"),
            encoding: .utf8)
        #expect(page.contains(lines.joined(separator: "\n")), "\(lines.joined(separator: "\n"))")
    }
}
