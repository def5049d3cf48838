/// A curl script that sends a failed check's requests again and says whether the failure shows.
/// It exits 1 when it does and 0 when it does not; it holds no credentials.
package struct Script {
    let check: Check
    let exchanges: [Exchange]
    let failure: CheckFailure
    let target: Target
    let masker: Masker

    /// Prepares the script of one failure; `masker` masks what came from the run, never the shell around it.
    package init(check: Check, exchanges: [Exchange], failure: CheckFailure, target: Target, masker: Masker) {
        (self.check, self.exchanges, self.failure) = (check, exchanges, failure)
        (self.target, self.masker) = (target, masker)
    }

    /// The whole script, for bash with curl and openssl.
    package var text: String {
        let shown = exchanges.prefix { $0.number <= (failure.exchange ?? Int.max) }
        var lines = head
        for exchange in shown { lines += step(exchange) }
        lines += ending(shown.last)
        return lines.joined(separator: "\n") + "\n"
    }

    private func comment(_ text: String) -> String {
        "# " + text.replacing("\n", with: " ")
    }

    private var head: [String] {
        [
            "#!/usr/bin/env bash", comment("\(check.id) (\(check.level.rawValue)) - \(check.section)"),
            comment("asked: \(check.gist)"), comment("expected: " + masker.text(failure.expected)),
            comment("got: " + masker.text(failure.got)),
            "# Needs curl and openssl. BASE is the registry; AERUGO_USER and AERUGO_PASSWORD, or AERUGO_TOKEN, log in.",
            "# Exits 1 when the failure shows again, 0 when it does not.", "set -u",
            "BASE=${BASE:-\(target.base.origin)}",
            "OPTIONS=(-sS -g --path-as-is --max-time \(target.deadline.components.seconds)\(target.trust.insecure ? " -k" : ""))",
            Script.functions,
        ] + managementHead
    }

    /// The shell functions of every script.
    private static let functions = #"""
        W=$(mktemp -d); trap 'rm -rf "$W"' EXIT
        ORIGIN=$(printf %s "$BASE" | sed -E 's#^(https?://[^/]+).*#\1#')
        HOST=${ORIGIN#*://}; PORT=80; case $ORIGIN in https:*) PORT=443 ;; esac; case $HOST in *:*) PORT=${HOST##*:} HOST=${HOST%:*} ;; esac
        header() { # number name: the last value of a header of an answer
          tr -d '\r' <"$W/$1.head" | awk -v h="$2" 'BEGIN { h = tolower(h) }
            { i = index($0, ":"); if (i && tolower(substr($0, 1, i - 1)) == h) {
                v = substr($0, i + 1); sub(/^[ \t]+/, "", v) } } END { print v }'
        }
        next() { # number: where the Link with rel=next of an answer points
          tr -d '\r' <"$W/$1.head" | sed -nE 's/^[Ll][Ii][Nn][Kk]: *//p' | sed -E 's/, *</\n</g' |
            grep -iE ';[[:space:]]*rel[[:space:]]*=[[:space:]]*("([^"]* )?next( [^"]*)?"|next([[:space:];]|$))' |
            sed -nE '1s/^[^<]*<([^>]*)>.*/\1/p'
        }
        follow() { # number header query: an absolute URL from an earlier answer
          local u; u=$(header "$1" "$2"); [ "$2" = Link ] && u=$(next "$1")
          case $u in http://*|https://*) ;; /*) u=$ORIGIN$u ;; \?*) u=$(sed 's/[?].*//' "$W/$1.url")$u ;;
            *) u=$(sed -E 's#[?].*##; s#[^/]*$##' "$W/$1.url")$u ;; esac
          if [ -n "$3" ]; then case $u in *\?*) u="$u&$3" ;; *) u="$u?$3" ;; esac; fi
          printf %s "$u"
        }
        login() { # number: the Authorization value that answers a 401
          if [ -n "${AERUGO_TOKEN:-}" ]; then printf 'Bearer %s' "$AERUGO_TOKEN"; return; fi
          local c realm service scope
          c=$(header "$1" WWW-Authenticate)
          case $c in [Bb]asic*) printf 'Basic %s' "$(printf %s "${AERUGO_USER:-}:${AERUGO_PASSWORD:-}" | base64 -w0)"; return ;; esac
          realm=$(printf %s "$c" | sed -nE 's/.*realm="([^"]*)".*/\1/p')
          service=$(printf %s "$c" | sed -nE 's/.*service="([^"]*)".*/\1/p')
          scope=$(printf %s "$c" | sed -nE 's/.*scope="([^"]*)".*/\1/p')
          curl "${OPTIONS[@]}" -G ${AERUGO_USER:+-u "$AERUGO_USER:${AERUGO_PASSWORD:-}"} "$realm" \
            --data-urlencode "service=$service" ${scope:+--data-urlencode "scope=$scope"} |
            sed -nE 's/.*"(access_)?token" *: *"([^"]*)".*/Bearer \2/p'
        }
        send() { # number method url [curl options]: leaves N.head, N.body, N.status, N.url and curl's own N.exit
          local n=$1 m=$2 u=$3 verb; shift 3; printf %s "$u" >"$W/$n.url"
          if [ "$m" = HEAD ]; then verb=(-I); else verb=(-X "$m"); fi
          curl "${OPTIONS[@]}" "${verb[@]}" -D "$W/$n.head" -o "$W/$n.body" -w '%{http_code}' \
            -H 'Expect:' -H 'Accept:' -H 'Content-Type:' "$@" "$u" >"$W/$n.status"; echo $? >"$W/$n.exit"
          if [ "$(cat "$W/$n.status")" = 401 ] && [ -n "${AERUGO_USER:-}${AERUGO_TOKEN:-}" ]; then
            curl "${OPTIONS[@]}" "${verb[@]}" -D "$W/$n.head" -o "$W/$n.body" -w '%{http_code}' \
              -H 'Expect:' -H 'Accept:' -H 'Content-Type:' -H "Authorization: $(login "$n")" "$@" "$u" >"$W/$n.status"
            echo $? >"$W/$n.exit"
          fi
          printf '%s. %s %s -> %s, curl %s\n' "$n" "$m" "$u" "$(cat "$W/$n.status")" "$(cat "$W/$n.exit")"
        }
        random() { # key offset count: bytes of a key stream
          head -c "$(($2 + $3))" /dev/zero | openssl enc -aes-128-ctr -K "$1" -iv 00000000000000000000000000000000 |
            tail -c "+$(($2 + 1))"
        }
        padded() { printf %s "$1"; head -c "$2" /dev/zero | tr '\0' a; printf %s "$3"; }
        """#

    private func step(_ exchange: Exchange) -> [String] {
        if let raw = exchange.raw { return rawStep(exchange, raw) }
        if let actor = exchange.actor { return managementStep(exchange, actor) }
        var lines: [String] = []
        var options = ""
        if let body = exchange.body {
            lines.append("\(generator(body)) >\"$W/\(exchange.number).sent\"")
            options = exchange.framing == .chunked ? " -H 'Transfer-Encoding: chunked'" : ""
            options += " --data-binary @\"$W/\(exchange.number).sent\""
        } else if ["POST", "PUT", "PATCH"].contains(exchange.method) {
            options = " -H 'Content-Length: 0'"
        }
        for field in exchange.headers.fields where field.name.lowercased() != "authorization" {
            options += " -H \(Script.quoted(field.value.isEmpty ? field.name + ";" : "\(field.name): \(field.value)"))"
        }
        options += detour(exchange)
        let place = place(exchange.place)
        lines.append("send \(exchange.number) \(Script.quoted(exchange.method)) \(place)\(options)")
        return lines
    }

    /// The option of curl that sends a request to the node that it went to.
    func detour(_ exchange: Exchange) -> String {
        guard let node = exchange.node else { return "" }
        return " --connect-to \"$HOST:$PORT:\(target.nodes[node].hostAndPort)\""
    }

    private func rawStep(_ exchange: Exchange, _ raw: [UInt8]) -> [String] {
        let node = exchange.node.map { target.nodes[$0] }
        let peer = node.map { "\($0.host)/\($0.port)" } ?? "$HOST/$PORT"
        guard let target = exchange.rawTarget, let range = raw.firstRange(of: Array(target.utf8)) else {
            return rawSteps(exchange.number, peer, "printf '\(Script.escaped(raw))' >&3")
        }
        // The target comes from an earlier answer: this time it is another one.
        let parts = [raw[..<range.lowerBound], raw[range.upperBound...]].map { Script.escaped(Array($0)) }
        return [
            "TARGET=\(place(exchange.place)); TARGET=/${TARGET#*://*/}"
        ] + rawSteps(exchange.number, peer, "printf '\(parts[0])%s\(parts[1])' \"$TARGET\" >&3")
    }

    /// Bytes as the format of `printf`.
    private static func escaped(_ raw: [UInt8]) -> String {
        var escaped = ""
        for byte in raw.prefix(200_000) {
            switch byte {
            case 0x0D: escaped += "\\r"
            case 0x0A: escaped += "\\n"
            case 0x25: escaped += "%%"
            case 0x5C: escaped += "\\\\"
            case 0x27: escaped += "'\\''"
            case 0x20..<0x7F: escaped.unicodeScalars.append(Unicode.Scalar(byte))
            default: escaped += "\\x" + Hex.encode([byte])
            }
        }
        return escaped
    }

    private func rawSteps(_ number: Int, _ peer: String, _ sending: String) -> [String] {
        [
            // A registry that closes before it has read all has said something: that is no end of the script.
            "exec 3<>\"/dev/tcp/\(peer)\"", "trap '' PIPE; \(sending); trap - PIPE",
            "timeout -s KILL 3 cat <&3 >\"$W/\(number).raw\"; exec 3>&-",
            "sed -nE 's#^HTTP/1.. ([0-9]+).*#\\1#p' \"$W/\(number).raw\" | head -n 1 >\"$W/\(number).status\"",
            "cp \"$W/\(number).raw\" \"$W/\(number).head\"; cp \"$W/\(number).raw\" \"$W/\(number).body\"",
        ]
    }

    func place(_ place: Place) -> String {
        switch place {
        case .path(let path): "\"$BASE\"\(Script.quoted(masker.text(path)))"
        case .url(let url): Script.quoted(masker.text(url))
        case .follow(let exchange, let header, _, let query):
            "\"$(follow \(exchange) \(header) \(Script.quoted(masker.text(query))))\""
        }
    }

    func generator(_ content: Content) -> String {
        switch content.recipe {
        case .keystream(let key, let offset): return "random \(key) \(offset) \(content.count)"
        case .padded(let head, let count, let tail):
            return "padded \(Script.quoted(masker.text(head))) \(count) \(Script.quoted(masker.text(tail)))"
        case .literal:
            if let text = String(validating: content.bytes, as: UTF8.self), !text.contains("\0") {
                return "printf %s \(Script.quoted(masker.text(text)))"
            }
            let octal = masker.bytes(content.bytes).map { "\\x" + Hex.encode([$0]) }.joined()
            return "printf '\(octal)'"
        }
    }

    static func quoted(_ text: String) -> String {
        "'" + text.replacing("'", with: "'\\''") + "'"
    }
}
