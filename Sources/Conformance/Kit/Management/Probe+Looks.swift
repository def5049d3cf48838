extension Probe {
    /// Adds to the record of a request of the management API's accounts what scripts and rules need of it: who asked, what
    /// it took from earlier answers, and how the answer fits the document. The body is whole here, and nowhere later.
    func describe(_ exchange: inout Exchange, _ request: Request, _ outgoing: Outgoing, _ incoming: Incoming?) {
        guard let actor = request.actor, let management = run.management else { return }
        exchange.actor = actor
        var texts = [outgoing.url, String(decoding: outgoing.body?.bytes.prefix(65_536) ?? [], as: UTF8.self)]
        if case .secret(_, let secret) = actor.login { texts.append(secret) }
        if case .bearer(let token) = actor.login { texts.append(token) }
        texts += request.headers.map(\.1)
        let all = borrowed + [Borrowed(value: management.password, exchange: 0, member: "password")]
        let sent = Array(texts.joined(separator: "\n").utf8)
        exchange.borrowed = all.filter { sent.holds($0.value) }
        guard let incoming, let target = Address(outgoing.url)?.target else { return }
        exchange.look = management.document.look(
            outgoing.method, target, incoming.status, incoming.headers, incoming.body)
        if let look = exchange.look { management.note(look) }
        guard exchange.look != nil, outgoing.method == "GET", incoming.status == 200 else { return }
        exchange.leaked = all.first { $0.member != "id" && incoming.body.holds($0.value) }?.member
    }
}

extension RunContext {
    /// Deletes what a run with `--management` made and no check has deleted; counts what stays. Goes out after an
    /// interrupt too.
    func removeAccounts() {
        guard management != nil else { return }
        do {
            let probe = try Probe(run: self, id: "api.cleanup.rest")
            probe.isCleaning = true
            if try probe.removeAccounts() != nil { countLeftovers(1) }
        } catch {
            countLeftovers(1)
        }
    }
}

extension [UInt8] {
    /// Whether the text stands somewhere in it: asked of every exchange, for hundreds of texts.
    fileprivate func holds(_ text: String) -> Bool {
        let word = Array(text.utf8)
        guard let first = word.first, count >= word.count else { return false }
        return withUnsafeBufferPointer { bytes in
            for start in 0...(bytes.count - word.count) where bytes[start] == first {
                var length = 1
                while length < word.count, bytes[start + length] == word[length] { length += 1 }
                if length == word.count { return true }
            }
            return false
        }
    }
}
