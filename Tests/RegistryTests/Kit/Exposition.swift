import Foundation

/// Text of metrics, read strictly: whatever a reader could stumble over is an error.
struct Exposition {
    /// A number's name and labels, `name{a="b"}`, as they stand there.
    private(set) var values: [String: Double] = [:]
    /// By family.
    private(set) var kinds: [String: String] = [:]

    /// Version 0.0.4. Throws `WireError`.
    init(_ bytes: [UInt8]) throws {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n") else {
            throw WireError(description: "not UTF-8, or no end of the last line")
        }
        var family = ""
        for line in text.dropLast().split(separator: "\n", omittingEmptySubsequences: false) {
            if let match = line.wholeMatch(of: /# HELP ([a-z_:][a-z0-9_:]*) (.+)/) {
                family = String(match.1)
                guard kinds[family] == nil else { throw WireError(description: "twice: \(line)") }
                kinds[family] = ""
            } else if let match = line.wholeMatch(of: /# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram)/) {
                guard family == match.1, kinds[family] == "" else { throw WireError(description: "stray: \(line)") }
                kinds[family] = String(match.2)
                guard (match.2 == "counter") == family.hasSuffix("_total") else {
                    throw WireError(description: "a name for another kind: \(line)")
                }
            } else {
                try read(line, of: family)
            }
        }
        try checkHistograms()
    }

    private mutating func read(_ line: Substring, of family: String) throws {
        let label = #/([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\["\\n])*)"/#
        guard let head = line.prefixMatch(of: /[a-z_:][a-z0-9_:]*/), let kind = kinds[family], !kind.isEmpty else {
            throw WireError(description: "no number: \(line)")
        }
        let name = String(head.0)
        let names = kind == "histogram" ? ["_bucket", "_sum", "_count"].map { family + $0 } : [family]
        guard names.contains(name) else { throw WireError(description: "of another family: \(line)") }
        var rest = line[head.range.upperBound...]
        if rest.first == "{" {
            rest = rest.dropFirst()
            var seen: Set<String> = []
            while let match = rest.prefixMatch(of: label) {
                guard seen.insert(String(match.1)).inserted else { throw WireError(description: "twice: \(line)") }
                rest = rest[match.range.upperBound...]
                guard rest.first == "," else { break }
                rest = rest.dropFirst()
            }
            guard rest.first == "}", !seen.isEmpty else { throw WireError(description: "labels: \(line)") }
            rest = rest.dropFirst()
        }
        let key = String(line[..<rest.startIndex])
        guard rest.first == " ", let value = Double(rest.dropFirst().replacing("+Inf", with: "inf")) else {
            throw WireError(description: "no number: \(line)")
        }
        guard values.updateValue(value, forKey: key) == nil else { throw WireError(description: "twice: \(line)") }
        guard kind == "gauge" || value >= 0 else { throw WireError(description: "below zero: \(line)") }
    }

    /// Buckets grow, and the last has all.
    private func checkHistograms() throws {
        for (key, count) in values where key.contains("_count{") {
            let start = key.replacing("_count{", with: "_bucket{").dropLast()
            let buckets = values.filter { $0.key.hasPrefix(start + ",le=") }.map { key, value in
                (bound: Double(key.dropFirst(start.count + 5).dropLast(2).replacing("+Inf", with: "inf")), value: value)
            }.sorted { ($0.bound ?? .nan) < ($1.bound ?? .nan) }
            guard buckets.last?.bound == .infinity, buckets.last?.value == count,
                zip(buckets, buckets.dropFirst()).allSatisfy({ $0.value <= $1.value })
            else { throw WireError(description: "buckets of \(key): \(buckets)") }
        }
    }

    /// A number; 0 where there is none.
    subscript(key: String) -> Double { values[key] ?? 0 }

    /// The sum of all numbers of a name whose labels have all of these texts in them.
    func sum(_ name: String, _ labels: String...) -> Double {
        values.filter { key, _ in key.hasPrefix(name + "{") && labels.allSatisfy { key.contains($0) } }
            .reduce(0) { $0 + $1.value }
    }
}
