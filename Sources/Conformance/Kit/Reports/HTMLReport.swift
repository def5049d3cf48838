/// The run as one HTML file that needs nothing else: for a phone or a desk, light or dark, filterable.
package enum HTMLReport {
    /// The document.
    package static func text(_ result: RunResult, target: String, seed: String) -> String {
        var titles: [String] = []
        for outcome in result.outcomes where !titles.contains(outcome.group) { titles.append(outcome.group) }
        let sections = titles.map { title in
            section(title, result.outcomes.filter { $0.group == title })
        }
        let broken = [Verdict.fail, .error, .warn].flatMap { verdict in
            result.outcomes.filter { $0.verdict == verdict }
        }
        let first = broken.isEmpty ? "" : section("What is wrong", broken, isOpen: true)
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Conformance of \(escaped(target))</title>
            <style>\(HTMLParts.style)</style></head><body>
            <header><h1>Conformance of <span>\(escaped(target))</span></h1>
            <p class="facts">\(facts(result, seed))</p>
            \(bar(result))
            <div class="filters" role="group" aria-label="Show">\(filters(result))
            <input id="search" type="search" placeholder="Find an id or a word" aria-label="Find"></div></header>
            <main>\(first)\(sections.joined())<p id="nothing" hidden>Nothing fits.</p></main>
            <script>\(HTMLParts.script)</script></body></html>

            """
    }

    private static func escaped(_ text: String) -> String { JUnitReport.escaped(text) }

    private static func facts(_ result: RunResult, _ seed: String) -> String {
        var parts = [
            "\(result.outcomes.count) checks", "\((Milliseconds(result.duration).value / 100).rounded() / 10) s",
            "seed \(seed)",
        ]
        if !result.facts.server.isEmpty { parts.append("Server: \(result.facts.server)") }
        if result.interrupted { parts.append("interrupted") }
        if result.leftovers > 0 { parts.append("\(result.leftovers) things left behind") }
        return parts.map(escaped).joined(separator: " · ")
    }

    private static func bar(_ result: RunResult) -> String {
        let parts = Verdict.allCases.filter { result.count($0) > 0 }.map { verdict in
            "<i class=\"\(verdict.rawValue)\" style=\"flex-grow:\(result.count(verdict))\" "
                + "title=\"\(result.count(verdict)) \(verdict.rawValue)\"></i>"
        }
        return "<div class=\"bar\" aria-hidden=\"true\">\(parts.joined())</div>"
    }

    private static func filters(_ result: RunResult) -> String {
        let verdicts = Verdict.allCases.map { verdict in
            let count = result.count(verdict)
            return "<button type=\"button\" data-verdict=\"\(verdict.rawValue)\" aria-pressed=\"true\" "
                + "class=\"chip \(verdict.rawValue)\"\(count == 0 ? " disabled" : "")><b>\(count)</b> \(verdict.rawValue)</button>"
        }
        let levels = Level.allCases.map { level in
            "<button type=\"button\" data-level=\"\(level.rawValue)\" aria-pressed=\"true\" class=\"chip\">"
                + "\(level.rawValue)</button>"
        }
        return (verdicts + levels).joined()
    }

    private static func section(_ title: String, _ outcomes: [Outcome], isOpen: Bool = false) -> String {
        let counts = Verdict.allCases.compactMap { verdict -> String? in
            let count = outcomes.count { $0.verdict == verdict }
            return count == 0 ? nil : "<span class=\"count \(verdict.rawValue)\">\(count)</span>"
        }
        return "<details class=\"section\"\(isOpen ? " open" : "")><summary><h2>\(escaped(title))</h2>"
            + "<span class=\"counts\">\(counts.joined())</span></summary>\(outcomes.map { row($0, isOpen: isOpen && $0.verdict == .fail) }.joined())</details>\n"
    }

    private static func row(_ outcome: Outcome, isOpen: Bool) -> String {
        let check = outcome.check
        let head =
            "<span class=\"verdict \(outcome.verdict.rawValue)\">\(outcome.verdict.rawValue)</span>"
            + "<code>\(escaped(check.id))</code><span class=\"level\">\(check.level.rawValue)</span>"
            + "<span class=\"gist\">\(escaped(check.gist))</span>"
        let open = isOpen ? " open" : ""
        return "<details class=\"check\" data-verdict=\"\(outcome.verdict.rawValue)\" "
            + "data-level=\"\(check.level.rawValue)\"\(open)><summary>\(head)</summary>"
            + "<div class=\"detail\">\(detail(outcome))</div></details>"
    }

    private static func detail(_ outcome: Outcome) -> String {
        let check = outcome.check
        var html = "<p class=\"section-name\">\(escaped(check.section))"
        if !check.statements.isEmpty { html += " · \(escaped(check.statements.joined(separator: ", ")))" }
        html += "</p>"
        if !outcome.reason.isEmpty { html += "<p>\(escaped(outcome.reason))</p>" }
        if !outcome.expected.isEmpty {
            html +=
                "<dl><dt>expected</dt><dd>\(escaped(outcome.expected))</dd>"
                + "<dt>got</dt><dd>\(escaped(outcome.got))</dd>"
                + (outcome.shown.isEmpty ? "" : "<dt>shown by</dt><dd>\(escaped(outcome.shown))</dd>") + "</dl>"
        }
        if !outcome.exchanges.isEmpty {
            let blocks = outcome.exchanges.map { exchange in
                let shown = exchange.number == outcome.exchange
                return
                    "<details\(shown ? " class=\"shown\"" : "")><summary>\(exchange.number). \(escaped(exchange.line))"
                    + "</summary><pre>\(escaped(exchange.text))</pre></details>"
            }
            html +=
                "<details class=\"fold\"><summary>\(outcome.exchanges.count) exchange\(outcome.exchanges.count == 1 ? "" : "s")"
                + "</summary>\(blocks.joined())</details>"
        }
        if let script = outcome.script {
            html +=
                "<details class=\"fold\"><summary>Try it again with curl</summary>"
                + "<button type=\"button\" class=\"copy\">Copy</button><pre>\(escaped(script))</pre></details>"
        }
        return html
    }
}
