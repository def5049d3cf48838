import Model
import Vocabulary

/// The management API as a page for people: written from the table of operations, with nothing from elsewhere, no scripts, and
/// headings and disclosures that a keyboard and a screen reader know.
struct APIPage {
    let operations: [Operation]

    /// The operations of the management API among these.
    init(_ operations: [Operation]) {
        self.operations = operations.filter { $0.errorStyle == .problem }
    }

    /// The page, in HTML.
    var html: String {
        let topics = operations.reduce(into: [String]()) { if $0.last != $1.topic { $0.append($1.topic) } }
        let unique = topics.reduce(into: [String]()) { if !$0.contains($1) { $0.append($1) } }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Aerugo management API</title>
            <style>\(Self.style)</style></head>
            <body><a class="skip" href="#main">To the operations</a>
            <header><h1>Aerugo management API</h1>
            <p>Everything below <code>/api/v1/</code>, as JSON. Errors are problem details (RFC 9457) with a stable
            <code>code</code>. Lists come in pages: <code>next</code>, or the <code>Link</code> header, leads on. Slashes in
            names of repositories are sent as <code>%2F</code>. The same for programs:
            <a href="/api/v1/openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
            <p>Say who you are by <code>Authorization: Basic</code> (a user and its password, or any account and an API key),
            <code>X-API-Key</code>, or <code>Authorization: Bearer</code> with a session's access token or an API key.</p>
            </header>
            <nav aria-label="Topics"><ul>\(unique.map { "<li><a href=\"#\($0)\">\($0)</a></li>" }.joined())</ul></nav>
            <main id="main">\(unique.map(section).joined())</main></body></html>

            """
    }

    private func section(_ topic: String) -> String {
        let own = operations.filter { $0.topic == topic }
        return
            "<section aria-labelledby=\"\(topic)\"><h2 id=\"\(topic)\">\(topic)</h2>\(own.map(article).joined())</section>"
    }

    private func article(_ operation: Operation) -> String {
        var parts = [""]
        let parameters =
            operation.pattern.parameters.reversed().map { ("<code>\($0.rawValue)</code>", "in the path", "") }
            + operation.query.map { ("<code>\($0.name)</code>", $0.shape.words, $0.about) }
        if !parameters.isEmpty { parts.append("<h4>Parameters</h4>" + Self.table(parameters)) }
        if case .json(let shape) = operation.body { parts.append("<h4>Body</h4>" + Self.members(shape)) }
        for answer in operation.answers {
            parts.append(
                "<h4>Answer \(answer.status)</h4>"
                    + (answer.shape.map(Self.members) ?? "<p>Nothing but the status.</p>"))
        }
        let codes = operation.errors.map { (ErrorResponse.table($0).status, ErrorResponse.problemCode($0)) }
        let failures = Set(codes.map { "\($0.0) \($0.1)" }).sorted()
        parts.append("<h4>Errors</h4><p>\(failures.map { "<code>\($0)</code>" }.joined(separator: ", "))</p>")
        return """
            <details id="\(operation.spec)"><summary><span class="method \(operation.method.name.lowercased())">\
            \(operation.method.name)</span> <code>\(operation.pattern.text.escaped)</code>
            <span class="about">\(operation.summary.escaped)</span></summary>\(parts.joined())</details>

            """
    }

    private static func members(_ shape: Shape) -> String {
        guard let members = shape.members else { return "<p>\(shape.words.escaped)</p>" }
        guard !members.isEmpty else { return "<p>An object without members.</p>" }
        return table(
            members.map { member in
                (
                    "<code>\(member.name)</code>\(member.isRequired ? "" : " <i>optional</i>")", member.shape.words,
                    member.about
                )
            })
    }

    private static func table(_ rows: [(String, String, String)]) -> String {
        let lines = rows.map { "<tr><th scope=\"row\">\($0)</th><td>\($1.escaped)</td><td>\($2.escaped)</td></tr>" }
        return "<div class=\"scroll\" tabindex=\"0\"><table>\(lines.joined())</table></div>"
    }

    private static let style = """
        :root{color-scheme:light dark;--ink:#1b2420;--dim:#52615a;--paper:#fbfcfb;--card:#fff;--line:#d5ddd8;--link:#0b6b4f}
        @media(prefers-color-scheme:dark){:root{--ink:#e6ece9;--dim:#a3b1aa;--paper:#121715;--card:#1a211e;--line:#33403a;
        --link:#6fd3b0}}
        *{box-sizing:border-box}body{margin:0 auto;max-width:60rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;
        color:var(--ink);background:var(--paper)}a{color:var(--link)}h1{font-size:1.6rem;margin:.5rem 0}
        h2{margin:2rem 0 .5rem;font-size:1.25rem;border-bottom:1px solid var(--line)}h4{margin:1rem 0 .25rem;font-size:1rem}
        nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;list-style:none}
        details{background:var(--card);border:1px solid var(--line);border-radius:6px;margin:.5rem 0;padding:.25rem .75rem}
        summary{cursor:pointer;padding:.35rem 0;overflow-wrap:anywhere}summary code{font-weight:600}
        .about{display:block;color:var(--dim)}.method{display:inline-block;min-width:4.2rem;font:700 .8rem ui-monospace,monospace}
        .get{color:#0a6ea8}.post{color:#0b6b4f}.put,.patch{color:#8a5a00}.delete{color:#b3261e}
        @media(prefers-color-scheme:dark){.get{color:#7cc4f0}.post{color:#6fd3b0}.put,.patch{color:#f0c36d}.delete{color:#ff9a93}}
        code{font:.9rem ui-monospace,monospace}.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.25rem .75rem .25rem 0;border-bottom:1px solid var(--line);
        font-weight:400}td+td{color:var(--dim)}
        :focus-visible{outline:3px solid var(--link);outline-offset:2px}
        .skip{position:absolute;left:-99rem}.skip:focus{position:static}
        """
}

extension Shape {
    /// The members of an object, whatever it is called; nil for what is none.
    fileprivate var members: [Member]? {
        switch self {
        case .object(let members): members
        case .named(_, let shape): shape.members
        case .anything, .flag, .number, .text, .list, .nullable: nil
        }
    }

    /// In a few words.
    fileprivate var words: String {
        switch self {
        case .anything: "JSON"
        case .flag: "true or false"
        case .number(let range):
            range.upperBound == .max ? "a whole number" : "a whole number, \(range.lowerBound) to \(range.upperBound)"
        case .text(let text) where text.format == "date-time": "a time (RFC 3339)"
        case .text(let text) where !text.values.isEmpty: text.values.joined(separator: ", ")
        case .text(let text): "a text of \(text.length.lowerBound) to \(text.length.upperBound) characters"
        case .list(let shape, _): "a list: \(shape.words)"
        case .named(let name, let shape):
            "\(name): \(shape.members?.map(\.name).joined(separator: ", ") ?? shape.words)"
        case .object(let members): members.map(\.name).joined(separator: ", ")
        case .nullable(let shape): "\(shape.words), or null"
        }
    }
}

extension String {
    /// Fit for HTML.
    fileprivate var escaped: String {
        replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
