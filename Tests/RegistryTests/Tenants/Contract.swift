import Foundation
import HTTP
import Model
import Testing

/// Holds answers of the management API against what the table of operations says of them.
enum Contract {
    /// Throws where the status is none that the operation has, or the JSON is not of its shape.
    static func check(_ answer: Answer, to method: String, _ target: String) throws {
        let path = Substring(target.prefix { $0 != "?" })
        guard path.hasPrefix("/api/v1/"),
            case .found(let operation, _) = Array(method.utf8).withUnsafeBytes({
                OperationTable.all.find(Method($0), path)
            }),
            operation.errorStyle == .problem, method != "HEAD"
        else { return }
        let place = "\(method) \(target): \(answer.status) \(answer.text)"
        guard operation.statuses.contains(answer.status) else {
            throw WireError(description: "\(operation.spec) has no such status: \(place)")
        }
        let shape = operation.shape(answer.status)
        guard let shape else {
            if answer.body.isEmpty { return }
            throw WireError(description: "\(operation.spec) has no body: \(place)")
        }
        let value = try JSONValue.parse(answer.body, .body, noun: "the answer")
        if let fault = shape.fault(of: value) {
            throw WireError(description: "\(operation.spec): '\(fault.place)' \(fault.what): \(place)")
        }
    }
}

extension Answer {
    /// The members of problem details.
    func problem() throws -> [String: Any] {
        guard self["Content-Type"] == "application/problem+json" else {
            throw WireError(description: "no problem details: \(status) \(text)")
        }
        return try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
    }
}
