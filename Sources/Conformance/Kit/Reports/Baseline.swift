import Foundation

/// The verdicts of an earlier run, read from its JSON report or from a file of expected verdicts.
package struct Baseline: Sendable {
    /// Verdict by check id.
    package let verdicts: [String: String]
    /// Checks whose failure some rounds of a race showed and others did not: the next run may as well pass.
    package let luck: Set<String>

    /// Reads a report. Throws `RunnerFailure` when the file is not there or is no report.
    package init(path: String) throws {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw RunnerFailure("cannot read \(path)")
        }
        guard let json = JSON(parsing: Array(data)), let checks = json["checks"]?.array else {
            throw RunnerFailure("\(path) is no report of this program (no checks)")
        }
        var verdicts: [String: String] = [:]
        var luck: Set<String> = []
        for check in checks {
            guard let id = check["id"]?.string, let verdict = check["verdict"]?.string else {
                throw RunnerFailure("\(path): a check without id or verdict")
            }
            guard Verdict(rawValue: verdict) != nil else {
                throw RunnerFailure("\(path): '\(verdict)' is no verdict (of \(id)); there are \(Baseline.words)")
            }
            verdicts[id] = verdict
            if let odds = check["odds"]?.string, Odds(odds)?.isLuck == true { luck.insert(id) }
        }
        (self.verdicts, self.luck) = (verdicts, luck)
    }

    /// Verdicts given directly.
    package init(verdicts: [String: String], luck: Set<String> = []) {
        (self.verdicts, self.luck) = (verdicts, luck)
    }

    /// The part of it that is about these checks.
    package func of(_ ids: Set<String>) -> Baseline {
        Baseline(verdicts: verdicts.filter { ids.contains($0.key) }, luck: luck)
    }

    private static let words = Verdict.allCases.map(\.rawValue).joined(separator: ", ")

    /// What is no verdict is better than any, so that whatever follows it counts.
    private static func rank(_ verdict: String) -> Int {
        switch Verdict(rawValue: verdict) {
        case nil, .pass: 0
        case .skip, .blocked: 1
        case .warn: 2
        case .fail, .error: 3
        }
    }

    /// A difference between two runs.
    package struct Change: Sendable, Equatable {
        /// The check.
        package let id: String
        /// What it was; nil for a check that was not run.
        package let old: String?
        /// What it is; nil for a check that is not run any more.
        package let new: String?
        /// Whether a race makes the difference, which the same registry may show or not: a note, and no change.
        package var isLuck = false
        /// Whether it got worse: a new failure, error or warning, or a pass that is skipped now. What is blocked is
        /// told by the failure of the check that blocks it.
        package var isWorse: Bool {
            guard !isLuck, let new, new != Verdict.blocked.rawValue else { return false }
            guard let old else { return new == "fail" || new == "error" }
            return Baseline.rank(new) > Baseline.rank(old)
        }
    }

    /// Every check whose verdict differs, in the order of ids.
    package func changes(to newer: Baseline) -> [Change] {
        Set(verdicts.keys).union(newer.verdicts.keys).sorted().compactMap { id in
            var change = Change(id: id, old: verdicts[id], new: newer.verdicts[id])
            // Lost in every round is no luck, whatever it was before.
            let isLost = newer.verdicts[id] == Verdict.fail.rawValue && !newer.luck.contains(id)
            change.isLuck =
                change.old != nil && change.new != nil && !isLost && (luck.contains(id) || newer.luck.contains(id))
            return change.old == change.new ? nil : change
        }
    }

    /// The verdicts of a run.
    package init(_ result: RunResult) {
        verdicts = Dictionary(
            uniqueKeysWithValues: result.outcomes.map { ($0.check.id, $0.verdict.rawValue) })
        luck = Set(result.outcomes.filter { $0.odds?.isLuck == true }.map(\.check.id))
    }
}

/// A badge as a small SVG picture: how many of the checks that count were passed.
package enum Badge {
    /// The picture, from figures of a JSON report's summary.
    package static func svg(pass: Int, fail: Int, warn: Int) -> String {
        let value = fail == 0 ? "\(pass) passed" : "\(fail) failed"
        let color = fail > 0 ? "#c02b2b" : warn > 0 ? "#9a6700" : "#1a7f4b"
        let width = 18 + value.count * 7
        return """
            <svg xmlns="http://www.w3.org/2000/svg" width="\(96 + width)" height="20" role="img" aria-label="conformance: \(value)">
            <rect width="96" height="20" fill="#444"/><rect x="96" width="\(width)" height="20" fill="\(color)"/>
            <g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
            <text x="8" y="14">conformance</text><text x="\(104)" y="14">\(value)</text></g></svg>

            """
    }
}
