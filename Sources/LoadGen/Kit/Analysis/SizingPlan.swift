/// What a day's work needs, from what one node was measured to do.
package struct SizingPlan: Sendable {
    /// One kind of work: how much of it a day, and what one node holds.
    package struct Work: Sendable {
        /// `pulls` or `pushes`.
        package var name: String
        /// Arrivals a day.
        package var perDay: Double
        /// Arrivals a second that one node keeps within its objective.
        package var capacity: Double
        /// Bytes that leave and enter a node for one arrival.
        package var bytesOut: Double
        package var bytesIn: Double
        /// Bytes that one arrival adds to storage.
        package var stored: Double
        /// Where capacity and bytes come from.
        package var source: String

        /// Work as given.
        package init(
            name: String, perDay: Double, capacity: Double, bytesOut: Double, bytesIn: Double, stored: Double,
            source: String
        ) {
            self.name = name
            self.perDay = perDay
            self.capacity = capacity
            self.bytesOut = bytesOut
            self.bytesIn = bytesIn
            self.stored = stored
            self.source = source
        }
    }

    /// All that has to be done.
    package var work: [Work]
    /// The busiest second against the day's mean.
    package var peak = 4.0
    /// Share of its capacity that a node is loaded to at the peak.
    package var filling = 0.6
    /// Nodes that may be lost at the peak.
    package var spares = 1
    /// Days that pushed content is kept.
    package var keptDays = 90.0
    /// Copies of each byte in storage.
    package var copies = 1.0

    /// A plan for `work`, with the assumptions above until they are changed.
    package init(work: [Work]) {
        self.work = work
    }

    /// Arrivals of `work` in the busiest second.
    package func peakRate(_ work: Work) -> Double { work.perDay / 86_400 * peak }

    /// Nodes, spares included; 0 when a capacity is unknown.
    package var nodes: Int {
        guard work.allSatisfy({ $0.capacity > 0 || $0.perDay == 0 }) else { return 0 }
        let load = work.reduce(0.0) { $0 + ($1.capacity > 0 ? peakRate($1) / $1.capacity : 0) }
        let needed = (load / filling).rounded(.up)
        return needed < 1e9 ? max(1, Int(needed)) + spares : 0
    }

    /// Bits a second that leave all nodes together at the peak.
    package var bitsOut: Double { work.reduce(0) { $0 + peakRate($1) * $1.bytesOut * 8 } }

    /// Bits a second that enter.
    package var bitsIn: Double { work.reduce(0) { $0 + peakRate($1) * $1.bytesIn * 8 } }

    /// Bytes of storage once as much is deleted as comes.
    package var storage: Double { work.reduce(0) { $0 + $1.perDay * $1.stored } * keptDays * copies }

    /// The table with its assumptions.
    package var lines: [String] {
        var rows = [["", "a day", "at the peak", "one node holds", "load"]]
        for work in work {
            rows.append([
                work.name, Text.significant(work.perDay), Text.significant(peakRate(work)) + "/s",
                Text.significant(work.capacity) + "/s",
                work.capacity > 0 ? Text.significant(peakRate(work) / work.capacity) + " nodes" : "–",
            ])
        }
        var lines = Summary.table(rows)
        lines += [""]
        lines += Summary.table([
            ["nodes", "\(nodes)"], ["network out at the peak", Text.significant(bitsOut / 1e6) + " Mbit/s"],
            ["network in at the peak", Text.significant(bitsIn / 1e6) + " Mbit/s"],
            ["network out a node", Text.significant(bitsOut / 1e6 / Double(max(nodes - spares, 1))) + " Mbit/s"],
            ["storage", Text.bytes(storage)],
        ])
        return lines + ["", "Assumptions"] + assumptions.map { "- " + $0 }
    }

    /// What the figures rest on, to be checked by whoever uses them.
    package var assumptions: [String] {
        var list = work.map { work in
            "\(work.name): one node holds \(Text.significant(work.capacity))/s, each \(Text.bytes(work.bytesOut)) out, "
                + "\(Text.bytes(work.bytesIn)) in, \(Text.bytes(work.stored)) new in storage (\(work.source))"
        }
        if storage > 0 {
            list.append(
                "pushed content is kept \(Text.significant(keptDays)) days, then deleted as fast as new comes; "
                    + "\(Text.significant(copies)) copies of each byte")
        }
        list += [
            "the busiest second has \(Text.significant(peak)) times the day's mean rate",
            "a node is filled to \(Text.significant(filling * 100)) % of what it was measured to hold",
            "\(spares) node(s) may be lost at the peak",
            "different kinds of work add up: a node that is half busy with one has half its capacity for another",
            "nodes scale evenly: they share no bottleneck in metadata or storage; measure that with as many nodes as you plan",
            "the nodes are machines like the one that was measured, with the same storage behind them",
        ]
        return list
    }
}

extension SizingPlan.Work {
    /// From a run whose rate the node kept. Throws when it is none to build on.
    package init(_ name: String, perDay: Double, from report: RunReport, stores: Bool) throws(RunError) {
        guard report.isValid, report.arrivals.succeeded > 0, report.arrivals.errorShare < 0.01 else {
            throw RunError(
                "the run of '\(report.scenario)' is no ground to plan on: "
                    + (report.isValid ? "it failed too often" : report.doubts.joined(separator: "; ")))
        }
        let arrivals = Double(report.arrivals.succeeded)
        let received = Double(report.operations.values.reduce(0) { $0 + $1.bytesIn })
        let sent = Double(report.operations.values.reduce(0) { $0 + $1.bytesOut })
        self.init(
            name: name, perDay: perDay, capacity: report.rateGot, bytesOut: received / arrivals,
            bytesIn: sent / arrivals,
            stored: stores ? sent / arrivals : 0,
            source: "'\(report.scenario)' at \(Text.significant(report.rateAsked))/s, p99 "
                + Text.time(report.arrivals.latency.percentile(99)))
    }
}
