import Foundation

struct StubUser {
    let id: Int
    let name: String
    var email: String?
    var admin = false
    var disabled = false
    var password: String
    var version = 1
    let created: Date
}

struct StubKey {
    let id: Int
    let owner: Int
    /// The account's login, for a fault.
    let login: String
    let name: String
    var secret: String
    var older: (secret: String, until: Date)?
    let scope: [(pattern: String, actions: [String])]?
    let expires: Date?
    let created = Date()
}

struct StubSession {
    let user: Int
    let access: String
    let refresh: String
    var isOver = false
    var isAccessOver = false
}

struct StubRobot {
    let id: Int
    let name: String
    let role: String?
    var disabled = false
    var version = 1
    let created = Date()
}

struct StubTeam {
    let id: Int
    var members: Set<Int> = []
}

struct StubOrganization {
    let id: Int
    let name: String
    var texts: [String: String] = [:]
    var version = 1
    let created = Date()
    var members: [Int: String] = [:]
    var robots: [String: StubRobot] = [:]
    var teams: [String: StubTeam] = [:]
}

struct StubPermission {
    let grantee: String
    /// Of a user, a robot or a team.
    let id: Int
    var actions: Set<String>
}

struct StubMove {
    let digest: String?
    let by: String
    let at = Date()
}

struct StubRepositoryInfo {
    let name: String
    var description = ""
    var isPublic = false
    var version = 1
    let created = Date()
    var deleted: Date?
    var permissions: [StubPermission] = []
    var history: [String: [StubMove]] = [:]
    var pushedBy: [String: String] = [:]
}

struct StubEvent {
    let id: Int
    let at = Date()
    let action: String
    let subject: String
    let who: String
    let outcome: String
    let request: String
}

/// All that there is but content.
struct StubAccountState {
    var users: [String: StubUser] = [:]
    var organizations: [String: StubOrganization] = [:]
    var keys: [StubKey] = []
    var sessions: [StubSession] = []
    var invitations: [StubInvitation] = []
    var repositories: [String: StubRepositoryInfo] = [:]
    var events: [StubEvent] = []
    var counter = 10
    /// What faults remember: memberships and permissions by name.
    var ghosts: [String: Int] = [:]
    /// First answers by who asked, for what, and by which key.
    var repeats: [String: (body: [UInt8], answer: StubResponse)] = [:]

    mutating func newID() -> Int {
        counter += 1
        return counter
    }

    mutating func secret(_ prefix: String) -> String {
        prefix + UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
    }

    func user(_ id: Int) -> StubUser? { users.values.first { $0.id == id } }

    mutating func note(
        _ action: String, _ subject: String, by who: String, outcome: String = "done", request: String = "none"
    ) {
        events.append(
            StubEvent(id: newID(), action: action, subject: subject, who: who, outcome: outcome, request: request))
    }
}
