/// What came of replayed recordings.
package enum ReplayReport {
    /// How many exchanges were good, bad, left out.
    package static func count(_ steps: [ReplayStep]) -> (good: Int, bad: Int, left: Int) {
        var counts = (good: 0, bad: 0, left: 0)
        for step in steps {
            switch step.verdict {
            case .good: counts.good += 1
            case .bad: counts.bad += 1
            case .left: counts.left += 1
            }
        }
        return counts
    }

    /// A line for the recording, and one for each exchange that a client could not live with.
    package static func text(_ name: String, _ steps: [ReplayStep]) -> String {
        let counts = count(steps)
        var text = "\(name): \(counts.good) good, \(counts.bad) bad, \(counts.left) left out\n"
        for step in steps {
            guard case .bad(let expected, let got) = step.verdict else { continue }
            text += "  line \(step.line), \(step.request)\n    expected: \(expected)\n    got:      \(got)\n"
        }
        return text
    }

    /// JUnit XML: a suite a recording, a case an exchange.
    package static func junit(_ suites: [(name: String, steps: [ReplayStep])]) -> String {
        var xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"aerugo-conformance replay\">\n"
        for (name, steps) in suites {
            let counts = count(steps)
            xml +=
                "  <testsuite name=\"\(JUnitReport.escaped(name))\" tests=\"\(steps.count)\" failures=\"\(counts.bad)\" "
                + "errors=\"0\" skipped=\"\(counts.left)\">\n"
            for step in steps {
                let title = JUnitReport.escaped("line \(step.line): \(step.request)")
                xml += "    <testcase name=\"\(title)\" classname=\"\(JUnitReport.escaped(name))\""
                switch step.verdict {
                case .good: xml += "/>\n"
                case .left(let reason): xml += "><skipped message=\"\(JUnitReport.escaped(reason))\"/></testcase>\n"
                case .bad(let expected, let got):
                    xml +=
                        "><failure message=\"\(JUnitReport.escaped(got))\">expected: "
                        + "\(JUnitReport.escaped(expected))</failure></testcase>\n"
                }
            }
            xml += "  </testsuite>\n"
        }
        return xml + "</testsuites>\n"
    }
}
