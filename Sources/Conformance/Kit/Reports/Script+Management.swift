extension Script {
    /// What scripts of the management API need beside the usual.
    var managementHead: [String] {
        guard exchanges.contains(where: { $0.actor != nil }) else { return [] }
        let made = exchanges.compactMap(madeAccount).uniqued.reversed()
        return [
            "# AERUGO_ADMIN is NAME:PASSWORD of an administrator; CAST the password of the accounts that are made here.",
            "ADMIN=${AERUGO_ADMIN:-admin}; CAST=${CAST:-cast-$(openssl rand -hex 12)}",
            Self.member, Self.essence,
            "clean() {",
            "  for path in \(made.map { Script.quoted(masker.text($0)) }.joined(separator: " ")); do",
            "    curl \"${OPTIONS[@]}\" -o /dev/null -u \"$ADMIN\" -X DELETE \"$BASE/api/v1/$path\"", "  done; }",
            "trap 'clean; rm -rf \"$W\"' EXIT",
        ]
    }

    private static let member = #"""
        member() { # number name: a text of the JSON that an answer was
          sed -nE 's/.*"'"$2"'" *: *"([^"]*)".*/\1/p' "$W/$1.body" | head -n 1
        }
        """#

    private static let essence = #"""
        essence() { # number: what of a JSON answer stays the same where nothing else is changed
          tr -d ' \t\n' <"$W/$1.body" | LC_ALL=C grep -oE '"[a-z_]+":("[^"]*"|[^]["{},]+)' |
            grep -vE '^"(id|at|[a-z_]+_at|secret|hint|password|[a-z]+_token|request_id|next)":' | LC_ALL=C sort |
            sha256sum | cut -d' ' -f1
        }
        """#

    /// What `essence` gives of the answer of an exchange; nil for what is no good answer of the management API.
    func essence(_ exchange: Exchange) -> String? {
        guard exchange.look != nil, let response = exchange.response, response.status == 200, let json = response.json
        else { return nil }
        let text = String(decoding: json.filter { ![0x20, 0x09, 0x0a].contains($0) }, as: UTF8.self)
        let changing = /"(id|at|[a-z_]+_at|secret|hint|password|[a-z]+_token|request_id|next)":.*/
        let members = text.matches(of: /"[a-z_]+":("[^"]*"|[^\]\["{},]+)/).map { String($0.0) }
            .filter { $0.wholeMatch(of: changing) == nil }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let digest = Content(members.map { $0 + "\n" }.joined()).digest
        return String(digest.dropFirst("sha256:".count))
    }

    /// Where an account that an exchange made is deleted: organizations with all that they have.
    private func madeAccount(_ exchange: Exchange) -> String? {
        guard exchange.method == "POST", exchange.response?.status == 201, case .path(let path) = exchange.place,
            let name = exchange.body.flatMap({ JSON(parsing: $0.bytes)?["name"]?.string })
        else { return nil }
        switch path {
        case "/api/v1/organizations": return "organizations/\(name)?confirm=\(name)"
        case "/api/v1/users", "/api/v1/auth/register": return "users/\(name)"
        default: return nil
        }
    }

    /// A request of the management API, or one that somebody of its accounts made.
    func managementStep(_ exchange: Exchange, _ actor: Actor) -> [String] {
        var lines: [String] = []
        var options = ""
        if let body = exchange.body {
            if case .literal = body.recipe, let text = String(validating: body.bytes, as: UTF8.self),
                !text.contains("\0")
            {
                lines.append("printf %s \(shell(text, exchange)) >\"$W/\(exchange.number).sent\"")
            } else {
                lines.append("\(generator(body)) >\"$W/\(exchange.number).sent\"")
            }
            options += " --data-binary @\"$W/\(exchange.number).sent\""
        } else if ["POST", "PUT", "PATCH"].contains(exchange.method) {
            options += " -H 'Content-Length: 0'"
        }
        for field in exchange.headers.fields where field.name.lowercased() != "authorization" {
            options += " -H \(shell("\(field.name): \(field.value)", exchange))"
        }
        options += detour(exchange)
        switch actor.login {
        case .nobody: break
        case .administrator: options += " -u \"$ADMIN\""
        case .password(let user): options += " -u \(Script.quoted(user + ":"))\"$CAST\""
        case .secret(let user, let secret): options += " -u \(Script.quoted(user + ":"))\(shell(secret, exchange))"
        case .bearer(let token): options += " -H \(Script.quoted("Authorization: Bearer "))\(shell(token, exchange))"
        }
        let where_: String =
            if case .path(let path) = exchange.place { "\"$BASE\"\(shell(path, exchange))" } else {
                place(exchange.place)
            }
        lines.append("# \(exchange.number) by \(actor.name)")
        // No login of the run's own: who asks is who the check says.
        lines.append("AERUGO_USER= AERUGO_TOKEN= send \(exchange.number) \(exchange.method) \(where_)\(options)")
        return lines
    }

    /// Text as words of the shell, in which what earlier answers gave is taken from these.
    private func shell(_ text: String, _ exchange: Exchange) -> String {
        var rest = text[...]
        var words = ""
        while let (range, borrowed) = first(of: exchange.borrowed, in: rest) {
            words += quotedMasked(rest[..<range.lowerBound])
            words += borrowed.exchange == 0 ? "\"$CAST\"" : "\"$(member \(borrowed.exchange) \(borrowed.member))\""
            rest = rest[range.upperBound...]
        }
        return words + (rest.isEmpty && !words.isEmpty ? "" : quotedMasked(rest))
    }

    private func quotedMasked(_ text: Substring) -> String {
        text.isEmpty ? "" : Script.quoted(masker.text(String(text)))
    }

    private func first(of all: [Borrowed], in text: Substring) -> (Range<Substring.Index>, Borrowed)? {
        all.compactMap { borrowed in text.range(of: borrowed.value).map { ($0, borrowed) } }
            .min { ($0.0.lowerBound, $1.0.upperBound) < ($1.0.lowerBound, $0.0.upperBound) }
    }
}
