import ArgumentParser
import ConformanceKit
import Foundation

/// `record`: a proxy that writes down what real clients send and get.
struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Stand between clients and a registry, and write down what passes, secrets masked; ends on SIGINT.")

    @Option(help: "The registry, such as http://127.0.0.1:5000.") var upstream: String
    @Option(help: "HOST:PORT to listen on.") var listen: String
    @Option(help: "The file to write; with --split a folder.") var out: String
    @Option(help: "A file for each value of the N-th part of the repositories' names, counted from 1.") var split: Int?
    @Option(help: "What is recorded, in words.") var title = "a session"

    mutating func run() throws {
        guard upstream.contains("://"), case let there = try TargetOptions.registry(upstream), there.scheme == "http"
        else { throw ValidationError("--upstream is an http URL") }
        guard let here = Address("http://" + listen), listen.hasSuffix(":\(here.port)"), here.target == "/" else {
            throw ValidationError("--listen is HOST:PORT, such as 127.0.0.1:5001")
        }
        if split != nil { try Reports.probe(folder: out) } else { try Reports.probe([out]) }
        let masker = Masker()
        let recorder = try TrafficRecorder(upstream: there, listen: here, masker: masker)
        Console.write("listening on \(listen)\n")
        Interrupts.handle { recorder.stop() }
        recorder.serve()
        let part = split
        let sessions = recorder.recordings(title: title) { url in
            guard let part, url.hasPrefix("/v2/") else { return part == nil ? "all" : nil }
            let parts = url.dropFirst(4).split(separator: "/")
            return part <= parts.count && parts.count > part ? String(parts[part - 1]) : nil
        }
        for (name, recording) in sessions {
            let path = split == nil ? out : "\(out)/\(name).jsonl"
            try Output.write(try recording.text(masker), toFile: path)
            Console.write("\(path): \(recording.exchanges.count) exchanges\n")
        }
    }
}

/// `replay FILE … URL`: sends recordings to any registry.
struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send recordings to a registry with fresh content, and see whether the clients could live with it.")

    @OptionGroup var targeting: TargetOptions
    @Argument(help: "Recordings, before or behind the URL.") var files: [String]
    @Option(help: "JUnit XML.") var junit: String?
    @Option(help: "JSON.") var json: String?
    @Option(help: "An earlier JSON report: only what got worse fails.") var baseline: String?
    @Flag(help: "Leave what was made.") var keep = false

    mutating func run() throws {
        // `replay FILE URL` reads naturally, `replay URL FILE …` takes several: the URL is what has a scheme.
        let all = [targeting.url] + files
        guard let url = all.first(where: { $0.contains("://") }) ?? all.last else { return }
        targeting.url = url
        let files = all.filter { $0 != url }
        let target = try targeting.target()
        let known = try baseline.map { try Reports.read($0) }
        try Reports.probe([junit, json])
        let recordings = try files.map(Reports.recording)
        let context = RunContext(target: target, seed: RunSeed.fresh(), keep: keep, standing: [])
        Interrupts.handle { context.interrupt() }
        _ = try Console.exitingOnProblems { try context.preflight() }
        let suites: [ReplayReport.Suite] = try zip(files, recordings).map { file, recording in
            (URL(fileURLWithPath: file).lastPathComponent, try Replay(recording, context: context).run())
        }
        let bad = suites.map { ReplayReport.count($0.steps).bad }.reduce(0, +)
        let good = suites.map { ReplayReport.count($0.steps).good }.reduce(0, +)
        for suite in suites { Console.write(ReplayReport.text(suite.name, suite.steps)) }
        try put(ReplayReport.junit(suites), junit)
        try put(try ReplayReport.json(suites), json)
        if context.isInterrupted { Console.exit(Status.failures) }
        let left = ReplayReport.reasons(suites.flatMap(\.steps))
        Console.write("\(good) exchanges that clients can live with, \(bad) that they cannot")
        Console.write(left.isEmpty ? "\n" : ", \(left.map(\.count).reduce(0, +)) left out:\n")
        for (reason, count) in left { Console.write("  \(count): \(reason)\n") }
        if good + bad == 0 { Console.exit(Status.nothingSelected) }
        if let known {
            let changes = known.changes(to: ReplayReport.verdicts(suites)).filter(\.isWorse)
            for change in changes { Console.write(Reports.line(change)) }
            if !changes.isEmpty { Console.exit(Status.regression) }
        } else if bad > 0 {
            Console.exit(Status.failures)
        }
    }

    private func put(_ text: String, _ path: String?) throws {
        guard let path else { return }
        try Output.write(text, toFile: path)
    }
}
