/// What is wrong with an answer of a management API by its own document.
package struct ContractFault: Sendable {
    /// What of an answer the document speaks of; each is a check's question.
    package enum Part: String, Sendable, CaseIterable {
        /// The status is one that the operation has.
        case status
        /// The body has the content type that goes with it.
        case type
        /// It fits its schema.
        case body
        /// The headers that have to be there are.
        case headers
        /// A problem's `status` and `code` are those of the answer.
        case problem
    }

    /// What it is about.
    package let part: Part
    /// What was expected.
    package let expected: String
    /// What came.
    package let got: String
    /// What a script can test.
    package let assertion: Assertion
}

/// An answer as it was held against the document.
package struct ContractLook: Sendable {
    /// The operation's id.
    package let operation: String
    /// The status that came.
    package let status: Int
    /// The parts that there was anything to look at.
    package let parts: Set<ContractFault.Part>
    /// What is wrong.
    package let faults: [ContractFault]
}

extension APIDocument {
    /// Holds an answer against the document; nil where the request is none of its operations.
    func look(_ method: String, _ target: String, _ status: Int, _ headers: Headers, _ body: [UInt8]) -> ContractLook? {
        guard let operation = operation(method, target) else { return nil }
        let place = "\(operation.id), \(status)"
        guard let answer = operation.answers[status] else {
            let known = operation.statuses.map(String.init).joined(separator: ", ")
            let fault = ContractFault(
                part: .status, expected: "\(operation.id): a status that is documented (\(known))",
                got: "status \(status)", assertion: .status(operation.statuses))
            return ContractLook(operation: operation.id, status: status, parts: [.status], faults: [fault])
        }
        var parts: Set<ContractFault.Part> = [.status]
        var faults: [ContractFault] = []
        for name in answer.headers {
            parts.insert(.headers)
            if headers[name]?.isEmpty != false {
                faults.append(
                    ContractFault(
                        part: .headers, expected: "\(place): a \(name) header", got: "none",
                        assertion: .headerPresent(name)))
            }
        }
        parts.insert(.type)
        let type = headers["Content-Type"].map { String($0.prefix { $0 != ";" }).trimmed.lowercased() }
        guard let schema = type.flatMap({ answer.bodies[$0] }) else {
            if let fault = Self.typeFault(answer, type, body, place) { faults.append(fault) }
            return ContractLook(operation: operation.id, status: status, parts: parts, faults: faults)
        }
        if type?.hasSuffix("/json") == true || type?.hasSuffix("+json") == true {
            parts.insert(.body)
            faults += bodyFaults(schema, body, place)
            if type == "application/problem+json" {
                parts.insert(.problem)
                if let fault = Self.problemFault(codes(status), status, body, place) { faults.append(fault) }
            }
        }
        return ContractLook(operation: operation.id, status: status, parts: parts, faults: faults)
    }

    private static func typeFault(_ answer: Answer, _ type: String?, _ body: [UInt8], _ place: String) -> ContractFault?
    {
        if answer.bodies.isEmpty {
            guard !body.isEmpty else { return nil }
            return ContractFault(
                part: .type, expected: "\(place): no body", got: "\(body.count) bytes", assertion: .described)
        }
        let known = answer.bodies.keys.sorted()
        return ContractFault(
            part: .type, expected: "\(place): a body of type \(known.joined(separator: " or "))", got: type ?? "none",
            assertion: known.count == 1 ? .header("Content-Type", known[0]) : .described)
    }

    private func bodyFaults(_ schema: APISchema, _ body: [UInt8], _ place: String) -> [ContractFault] {
        guard let json = JSON(parsing: body) else {
            return [ContractFault(part: .body, expected: "\(place): JSON", got: "none", assertion: .described)]
        }
        guard let fault = schema.fault(of: json, in: schemas) else { return [] }
        return [
            ContractFault(
                part: .body, expected: "\(place): a body of the schema that is documented", got: fault,
                assertion: .described)
        ]
    }

    /// The codes that the document has for a status, of whatever operation.
    private func codes(_ status: Int) -> Set<String> {
        operations.reduce(into: []) { $0.formUnion($1.answers[status]?.codes ?? []) }
    }

    private static func problemFault(
        _ codes: Set<String>, _ status: Int, _ body: [UInt8], _ place: String
    ) -> ContractFault? {
        let json = JSON(parsing: body)
        if json?["status"]?.integer != status {
            return ContractFault(
                part: .problem, expected: "\(place): a problem whose status is \(status)",
                got: json?["status"]?.text ?? "none", assertion: .bodyHolds("\"status\":\(status)"))
        }
        guard let code = json?["code"]?.string, !code.isEmpty else {
            return ContractFault(
                part: .problem, expected: "\(place): a problem with a code", got: "none",
                assertion: .bodyHolds("\"code\""))
        }
        guard !codes.isEmpty, !codes.contains(code) else { return nil }
        return ContractFault(
            part: .problem, expected: "\(place): one of the codes \(codes.sorted().joined(separator: ", "))",
            got: code, assertion: .described)
    }
}
