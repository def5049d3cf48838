import Foundation

/// What a command shows of an answer.
enum Output: Sendable {
    /// A list: a heading and a member's name for each column.
    case table([Column])
    /// One thing: what a member is called for people, and the member's name.
    case record([Column])
    /// A sentence for each status that means well.
    case outcome([Int: String])
    /// A sentence, as the answer says no more than that it is done.
    case sentence(String)
    /// A sentence, and a member that is shown here and never again, with what it is called.
    case secret(String, member: String, name: String)

    /// A column of a table.
    struct Column: Sendable {
        let heading: String
        let member: String

        init(_ heading: String, _ member: String) { (self.heading, self.member) = (heading, member) }
    }

    /// As lines.
    func text(_ answers: [APIAnswer]) -> String {
        switch self {
        case .table(let columns): return Self.table(columns, answers.flatMap(\.items))
        case .record(let columns):
            let members = answers.last?.members ?? [:]
            let width = columns.map(\.heading.count).max() ?? 0
            return columns.map {
                "\($0.heading):".padding(toLength: width + 2, withPad: " ", startingAt: 0)
                    + Self.shown(members[$0.member])
            }.joined(separator: "\n")
        case .outcome(let sentences): return answers.last.flatMap { sentences[$0.status] } ?? "done"
        case .sentence(let sentence): return sentence
        case .secret(let sentence, let member, let name):
            guard let secret = answers.last?.members[member] as? String else { return sentence }
            return "\(sentence)\n\(name) (shown only now): \(secret)"
        }
    }

    private static func table(_ columns: [Column], _ items: [[String: Any]]) -> String {
        let rows = [columns.map(\.heading)] + items.map { item in columns.map { shown(item[$0.member]) } }
        let widths = columns.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { row[$0].padding(toLength: widths[$0], withPad: " ", startingAt: 0) }
                .joined(separator: "  ").trimmingSuffix()
        }.joined(separator: "\n")
    }

    /// A value for a person; nothing of it can move a terminal's cursor.
    private static func shown(_ value: Any?) -> String {
        switch value {
        case let text as String: return String(String.UnicodeScalarView(text.unicodeScalars.filter(isPlain)))
        case let number as NSNumber:
            return isFlag(number) ? (number.boolValue ? "yes" : "no") : number.stringValue
        case let rules as [[String: Any]] where rules.first?["rule"] != nil:
            return rules.map { shown($0) }.joined(separator: "; ")
        case let list as [Any]: return list.map { shown($0) }.joined(separator: " ")
        case let object as [String: Any] where object["rule"] != nil:
            return "\(shown(object["rule"])) \(shown(object["detail"])): \(shown(object["actions"]))"
        case let object as [String: Any] where object["architecture"] != nil:
            let parts = ["os", "architecture", "variant"].compactMap { object[$0] as? String }
            return parts.map { shown($0) }.joined(separator: "/")
        case let object as [String: Any]:
            return "\(shown(object["repositories"])):\(shown(object["actions"]).replacing(" ", with: ","))"
        default: return "-"
        }
    }

    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
        default: true
        }
    }

    /// Whether a number was true or false in JSON.
    private static func isFlag(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
}

extension String {
    fileprivate func trimmingSuffix() -> String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
