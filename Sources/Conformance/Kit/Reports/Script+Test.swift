extension Script {
    /// What stands behind the requests: the last answer is shown and tested.
    func ending(_ last: Exchange?) -> [String] {
        guard let last else { return ["echo 'this check sends nothing of its own'; exit 2"] }
        let number = last.number
        // Where a rule over all exchanges was broken, another status says that it does not apply.
        var applies = ""
        if case .standing = check.body, let status = last.response?.status {
            applies = "[ \"$(cat \"$W/\(number).status\")\" = \(status) ] && "
        }
        let shown = Script.quoted("shows again; expected: " + masker.text(failure.expected))
        return [
            "echo; cat \"$W/\(number).head\"; head -c 2000 \"$W/\(number).body\" 2>/dev/null; echo",
            "if \(applies)\(test(last)); then echo \(shown); exit 1; fi", "echo 'does not show'; exit 0",
        ]
    }

    /// A condition of the shell that holds when the failure shows.
    private func test(_ last: Exchange) -> String {
        let number = last.number
        func header(_ name: String) -> String { "\"$(header \(number) \(Script.quoted(name)))\"" }
        func grep(_ text: String) -> String { "grep -qF \(Script.quoted(masker.text(text))) \"$W/\(number).body\"" }
        switch failure.assertion {
        case .status(let statuses):
            let wanted = statuses.map(String.init).joined(separator: " ")
            return "! printf '%s\\n' \(wanted) | grep -qx \"$(cat \"$W/\(number).status\")\""
        case .headerPresent(let name): return "[ -z \(header(name)) ]"
        case .headerAbsent(let name): return "[ -n \(header(name)) ]"
        case .headerForm(let name):
            return "[ \(header(name)) = \(Script.quoted(last.response?.headers.all(name).last ?? "")) ]"
        case .notBoth(let one, let other): return "[ -n \(header(one)) ] && [ -n \(header(other)) ]"
        case .headerOnce(let name):
            return "[ \"$(grep -ic \(Script.quoted("^\(name):")) \"$W/\(number).head\")\" -gt 1 ]"
        case .header(let name, let value): return "[ \(header(name)) != \(Script.quoted(masker.text(value))) ]"
        case .bodyDigest(let digest): return "[ \(body(number)) != \(digest) ]"
        case .bodyLacks(let text): return grep(text)
        case .bodyHolds(let text): return "! " + grep(text)
        // No answer, or one that ends before its body does: curl's own exit tells.
        case .same where last.response == nil && last.raw == nil, .form where last.response == nil && last.raw == nil,
            .described where last.response == nil && last.raw == nil:
            return "[ \"$(cat \"$W/\(number).exit\")\" != 0 ]"
        case .same where last.response == nil, .form where last.response == nil,
            .described where last.response == nil:
            return "[ -z \"$(cat \"$W/\(number).status\")\" ]"
        // The content is the same, so a list that is wrong in the same way has the same bytes.
        case .same where last.response?.status == 200 && isList(last.url),
            .form where last.response?.status == 200 && isList(last.url),
            .described where last.response?.status == 200 && isList(last.url):
            return "[ \(body(number)) = \(last.response?.bodyDigest ?? "") ]"
        // Names are the same again, and so is what else stays: a list that is wrong in the same way says the same of them.
        case .form where essence(last) != nil, .described where essence(last) != nil:
            return "[ \"$(essence \(number))\" = \(essence(last) ?? "") ]"
        case .same: return "[ \(body(number)) = \(last.response?.bodyDigest ?? "") ]"
        case .form, .described:
            return "[ \"$(cat \"$W/\(number).status\")\" = \(last.response.map { String($0.status) } ?? "") ]"
        }
    }

    private func body(_ number: Int) -> String {
        "\"sha256:$(sha256sum <\"$W/\(number).body\" | cut -d' ' -f1)\""
    }

    private func isList(_ url: String) -> Bool { url.contains("/tags/list") || url.contains("/referrers/") }
}
