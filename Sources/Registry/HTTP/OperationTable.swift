/// Every operation there is, and the way from a request to one of them.
package struct OperationTable: Sendable {
    /// In the order of the table.
    package let operations: [Operation]
    /// Operations of one path.
    private let groups: [(pattern: PathPattern, operations: [Operation])]

    /// The table of the whole server. Where two patterns fit a path, the one that stands first is meant:
    /// `a/blobs/uploads/x` is never a blob.
    package static let all = OperationTable(
        registry + TokenOperations.operations + SessionOperations.operations + RegistrationOperations.operations
            + UserOperations.operations
            + OrganizationOperations.operations + InvitationOperations.operations
            + RobotOperations.operations + RepositoryOperations.operations + PermissionOperations.operations
            + TagOperations.operations + ContentOperations.operations + AuditOperations.operations
            + SystemOperations.operations)

    /// The description of what stands in `all` (OpenAPI 3.1).
    package static let document = OpenAPI(all.operations).document().text

    /// The same for people.
    package static let page = Array(APIPage(all.operations).html.utf8)

    /// The table of a registry without accounts.
    package static let open = OperationTable(registry)

    private static let registry =
        Health.operations + Base.operations + Uploads.operations + Blobs.operations + Manifests.operations
        + Lists.operations

    /// Where pulls of manifests stand.
    static let pulls =
        all.operations.first { $0.method == .get && $0.pattern.text == "/v2/{name}/manifests/{reference}" }?.place ?? -1

    /// What answers who watches the registry.
    package static let watching = OperationTable(Watching.operations, from: all.operations.count)

    /// Every operation that is counted, each at its place: what stands in `open` is the beginning of `all`.
    package static let counted = all.operations + watching.operations

    private init(_ operations: [Operation], from first: Int = 0) {
        let operations = operations.enumerated().map { Operation($1, place: first + $0) }
        self.operations = operations
        var groups: [(PathPattern, [Operation])] = []
        for operation in operations {
            if let known = groups.firstIndex(where: { $0.0.text == operation.pattern.text }) {
                groups[known].1.append(operation)
            } else {
                groups.append((operation.pattern, [operation]))
            }
        }
        self.groups = groups
    }

    /// What a method on a path is.
    package enum Outcome {
        case found(Operation, PathParameters)
        /// The path is there, the method is not: what is.
        case wrongMethod([Operation])
        case notFound
    }

    /// Finds the operation; HEAD is that of GET.
    package func find(_ method: Method, _ path: Substring) -> Outcome {
        var path = path
        let fitting: (Int, PathPattern.Places)? = path.withUTF8 { bytes in
            let slashes = PathPattern.Slashes(bytes)
            for index in groups.indices {
                if let places = groups[index].pattern.match(bytes, slashes) { return (index, places) }
            }
            return nil
        }
        guard let (index, places) = fitting else { return .notFound }
        let wanted = method == .head ? .get : method
        guard let operation = groups[index].operations.first(where: { $0.method == wanted }) else {
            return .wrongMethod(groups[index].operations)
        }
        return .found(operation, PathParameters(groups[index].pattern, path, places))
    }

    /// The methods that a path takes; those that remove content only if that is possible now.
    func allowed(_ path: Substring, removing isRemoving: Bool) -> [String] {
        guard case .wrongMethod(let operations) = find(.other("-"), path) else { return [] }
        return operations.filter { isRemoving || !$0.removesContent }.flatMap { operation in
            operation.method == .get ? ["GET", "HEAD"] : [operation.method.name]
        }
    }
}
