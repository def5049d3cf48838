import Access
import Model
import Runtime
import Store

/// A service account, as it is shown.
package struct Robot: Sendable {
    package let id: PrincipalID
    package let name: String
    /// `organization+name`.
    package let login: String
    package let role: Role?
    package let isDisabled: Bool
    package let createdAt: Timestamp
}

extension Organizations {
    /// An organization's robots.
    package func robots(_ grant: NamespaceGrant) async throws(RegistryError) -> [Robot] {
        try grant.demand(.view)
        let namespace = grant.target
        return try await store.look { (db) throws(StoreError) in
            var robots: [Robot] = []
            for record in try db.robots(of: namespace.id) { robots.append(try db.shown(record, in: namespace)) }
            return robots
        }
    }

    /// Makes a robot, with a role in the organization or without: then it may do what permissions say.
    /// Throws `.nameTaken`, `.fieldInvalid` for a role that people alone can have.
    package func addRobot(
        _ name: AccountName, role: Role?, _ grant: NamespaceGrant, keeping: Keeping<Robot>? = nil
    ) async throws(RegistryError) -> Robot {
        try grant.demand(.manage)
        if role == .owner || role == .admin {
            throw RegistryError(
                .fieldInvalid, "a robot is a reader, developer or maintainer", detail: ["field": "role"])
        }
        let namespace = grant.target
        return try await store.transact(keeping: keeping) { (db) throws(StoreError) -> Result<Robot, Refusal> in
            try db.hold(grant)
            guard try db.robot(name.description, of: namespace.id) == nil else {
                return .failure(RegistryError(.nameTaken, "\(namespace.name) has a robot '\(name)' already"))
            }
            let id = try db.addPrincipal(.robot, name.description, in: namespace.id)
            if let role { try db.setRole(role.rawValue, of: id, in: namespace.id) }
            try db.audit(AuditEntry(grant, "robot.create", "\(namespace.name)+\(name)", in: namespace.id))
            guard let record = try db.principal(id) else { throw StoreError(.missing, "principal \(id) is gone") }
            return .success(try db.shown(record, in: namespace))
        }
    }

    /// Disables a robot, or enables it again. Throws `.accountUnknown`.
    package func setDisabled(
        _ isDisabled: Bool, robot name: AccountName, if expectation: Expectation = .anything, _ grant: NamespaceGrant
    ) async throws(RegistryError) -> Robot {
        try await change(name, isDisabled ? "robot.disable" : "robot.enable", if: expectation, grant) {
            (db, robot) throws(StoreError) in
            try db.setDisabled(isDisabled, robot.id)
            guard let changed = try db.principal(robot.id) else { throw StoreError(.missing, "the robot is gone") }
            return try db.shown(changed, in: grant.target)
        }
    }

    /// Removes a robot with its keys. Throws `.accountUnknown`.
    package func removeRobot(_ name: AccountName, _ grant: NamespaceGrant) async throws(RegistryError) {
        try await change(name, "robot.delete", grant) { (db, robot) throws(StoreError) in
            try db.removePrincipal(robot.id)
        }
    }

    private func change<T: Sendable>(
        _ name: AccountName, _ action: String, if expectation: Expectation = .anything, _ grant: NamespaceGrant,
        _ body: @Sendable @escaping (SQLTransaction, PrincipalRecord) throws(StoreError) -> T
    ) async throws(RegistryError) -> T {
        try grant.demand(.manage)
        let namespace = grant.target
        return try await store.transact { (db) throws(StoreError) -> Result<T, Refusal> in
            try db.hold(grant)
            guard let robot = try db.robot(name.description, of: namespace.id) else {
                return .failure(.unknownRobot(name, namespace.name))
            }
            if let refusal = expectation.refusal(try db.shown(robot, in: namespace).tag) { return .failure(refusal) }
            let value = try body(db, robot)
            try db.audit(AuditEntry(grant, action, "\(namespace.name)+\(name)", in: namespace.id))
            return .success(value)
        }
    }
}

extension SQLTransaction {
    fileprivate func shown(_ record: PrincipalRecord, in namespace: Namespace) throws(StoreError) -> Robot {
        Robot(
            id: record.id, name: record.name, login: "\(namespace.name)+\(record.name)",
            role: try role(of: record.id, in: namespace.id).flatMap(Role.init(rawValue:)),
            isDisabled: record.disabledAt != nil, createdAt: record.createdAt)
    }
}

extension RegistryError {
    static func unknownRobot(_ name: AccountName, _ organization: String) -> RegistryError {
        RegistryError(.accountUnknown, "\(organization) has no robot '\(name)'")
    }
}
