import Foundation
import HTTP

/// A request to the management API.
struct APICall: Sendable {
    var method: Method
    /// Path and query below `/api/v1/`, encoded.
    var target: String
    /// A JSON object; empty for none.
    var body: [UInt8] = []

    /// A request to what lies at these segments, each of them encoded here. `body`: members that are nil are left out.
    init(_ method: Method, _ segments: [String], query: [(String, String)] = [], body: [String: (any Sendable)?]? = nil)
    {
        self.method = method
        let path = segments.map(\.urlEncoded).joined(separator: "/")
        let question = query.map { "\($0.0)=\($0.1.urlEncoded)" }.joined(separator: "&")
        target = "/api/v1/" + path + (question.isEmpty ? "" : "?" + question)
        guard let body else { return }
        let members = body.compactMapValues { $0 }.mapValues { ($0 as? Null).map { _ in NSNull() } ?? $0 as Any }
        do {
            self.body = Array(try JSONSerialization.data(withJSONObject: members, options: [.sortedKeys]))
        } catch {
            // Texts, numbers, flags and lists of them are all there is, which JSON can say.
            preconditionFailure("no JSON: \(members)")
        }
    }

    /// JSON's null, for a member that is there and says so.
    struct Null: Sendable {}
    static let null = Null()

    /// The target of a list's page that comes after this one.
    static func page(_ target: String, after last: String) -> String {
        target + (target.contains("?") ? "&" : "?") + "after=" + last.urlEncoded
    }
}

/// What came of it.
struct APIAnswer: Sendable {
    let status: Int
    let body: [UInt8]

    var isGood: Bool { (200...299).contains(status) }

    /// The members of the JSON object in it; none where it is something else.
    var members: [String: Any] {
        do {
            return try JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] ?? [:]
        } catch {
            return [:]
        }
    }

    var items: [[String: Any]] { members["items"] as? [[String: Any]] ?? [] }

    /// What a refusal says.
    var reason: String {
        let members = members
        for key in ["detail", "title"] {
            if let text = members[key] as? String, !text.isEmpty { return text }
        }
        // In Docker's form.
        let errors = members["errors"] as? [[String: Any]]
        return errors?.first?["message"] as? String ?? "the registry answered \(status)"
    }
}

/// A way to the management API.
protocol APITransport: Sendable {
    /// Sends a request. Throws `ConfigurationError` where no answer comes.
    func send(_ call: APICall) async throws(ConfigurationError) -> APIAnswer
}

extension String {
    /// As one segment of a path or a value of a query.
    fileprivate var urlEncoded: String {
        var out = ""
        for byte in utf8 {
            let scalar = Unicode.Scalar(byte)
            if byte < 0x80, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-._~".utf8.contains(byte)
            {
                out.unicodeScalars.append(scalar)
            } else {
                out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return out
    }
}
