import Foundation
import Vocabulary

extension Replay {
    /// POST: a new upload, a mount or a single POST.
    func begin(_ exchange: RecordedExchange, _ target: Target) throws -> ReplayStep.Verdict {
        let name = repository(target.repository)
        let handle = exchange.answerHeaders["location"]?.first { $0.hasPrefix("@") }
            .map { String($0.prefix { $0 != "?" }) }
        if let handle { homes[handle] = target.repository }
        if let mounted = target.parameter("mount") { return try mount(exchange, target, mounted, handle) }
        if let told = target.parameter("digest") {
            let content = try bytes(exchange.body)
            let fits = Digests.same(as: told, content.bytes) == told || exchange.status == 201
            let new = told.hasPrefix("sha512:") ? content.digest512 : content.digest
            let answer = try probe.postUpload(
                "digest=" + queryEscaped(fits ? new : digest(told)), in: name, body: content, access: access)
            try ReplayJudge(exchange, answer).status(also: fits ? [202] : [])
            if fits { try spared(answer, old: told, content, in: name, handle) }
            return .good
        }
        let algorithm = target.parameter("digest-algorithm").map { "digest-algorithm=" + $0 } ?? ""
        let answer = try probe.postUpload(algorithm, in: name, access: access)
        try ReplayJudge(exchange, answer).status()
        if let handle { uploads[handle] = try probe.expectLocation(answer) }
        return .good
    }

    private func mount(
        _ exchange: RecordedExchange, _ target: Target, _ mounted: String, _ handle: String?
    ) throws -> ReplayStep.Verdict {
        let name = repository(target.repository)
        let from = target.parameter("from").map { repository($0) }
        if exchange.status == 201, let from, !present.contains("\(from) \(mounted)") {
            try ensureBlob(mounted, 512, body: nil, in: from)
        }
        var query = "mount=" + queryEscaped(digest(mounted))
        if let from { query += "&from=" + queryEscaped(from) }
        let answer = try probe.postUpload(query, in: name, access: access)
        try ReplayJudge(exchange, answer).status(also: [201, 202])
        if answer.status == 201 {
            present.insert("\(name) \(mounted)")
            if let handle { uploads.updateValue(nil, forKey: handle) }
        } else if exchange.status == 201, let content = contents[digest(mounted)] {
            try spared(answer, old: mounted, content, in: name, nil)
        } else if let handle {
            uploads[handle] = try probe.expectLocation(answer)
        }
        return .good
    }

    /// After a 202 where the recording had 201, the client sends the blob by PUT; either way the blob is there then.
    private func spared(
        _ answer: Answer, old: String, _ content: Content, in name: String, _ handle: String?
    ) throws {
        if answer.status == 202 {
            try probe.finish(try probe.expectLocation(answer), digest: content.digest, in: name, body: content).expect(
                201)
        }
        digests[old] = old.hasPrefix("sha512:") ? content.digest512 : content.digest
        contents[content.digest] = content
        present.insert("\(name) \(old)")
    }

    /// A request to an upload's Location.
    func upload(_ exchange: RecordedExchange) throws -> ReplayStep.Verdict {
        let handle = String(exchange.url.prefix { $0 != "?" })
        guard let known = uploads[handle] else { return .left("an upload that the recording did not begin") }
        guard let place = known else { return .left("the registry mounted the blob") }
        switch exchange.method {
        case "PATCH": return try patch(exchange, handle, place)
        case "PUT": return try finish(exchange, handle, place)
        case "GET":
            linger(exchange)
            let answer = try send(exchange, place, body: nil)
            try ReplayJudge(exchange, answer).status()
            if answer.status == 204 {
                uploads[handle] = try probe.expectLocation(answer)
                let last = answer.headers["Range"]?.split(separator: "-").last.flatMap { Int($0) } ?? 0
                // Nobody has more of it than was sent.
                let most = max(1, sent[handle]?.count ?? 0)
                try require(
                    last < most, "Range within the \(most) bytes that were sent", answer.headers["Range"] ?? "", answer)
                offsets[handle] = last == 0 ? 0 : last + 1
            }
            return .good
        default:
            try ReplayJudge(exchange, try send(exchange, place, body: nil)).status()
            return .good
        }
    }

    private func patch(_ exchange: RecordedExchange, _ handle: String, _ place: Place) throws -> ReplayStep.Verdict {
        let whole = sent[handle] ?? []
        let told = exchange.headers["content-range"]?.first
        let start = max(0, told.flatMap { $0.split(separator: "-").first.flatMap { Int($0) } } ?? whole.count)
        let fresh = try bytes(exchange.body, salt: start == 0 ? "" : "\(start)")
        let taken = (200..<300).contains(exchange.status ?? 0)
        guard taken || exchange.status == nil else {
            let answer = try send(exchange, place, body: fresh, range: told)
            try ReplayJudge(exchange, answer).status()
            return .good
        }
        // What the client sent twice, since the registry had not kept it, is the same bytes the second time.
        let all = whole + fresh.bytes.dropFirst(max(0, whole.count - start))
        sent[handle] = all
        if exchange.status == nil { return try cut(exchange, place, Content(Array(all[min(start, all.count)...]))) }
        let from = min(offsets[handle] ?? start, all.count)
        offsets[handle] = all.count
        let answer = try send(
            exchange, place, body: Content(Array(all[from...])), range: told == nil ? nil : "\(from)-\(all.count - 1)")
        try ReplayJudge(exchange, answer).status()
        let range = try answer.expectHeader("Range")
        try require(range == "0-\(all.count - 1)", "Range: 0-\(all.count - 1)", range, answer)
        uploads[handle] = try probe.expectLocation(answer)
        return .good
    }

    /// A PATCH whose connection ends before its body does; nobody answers.
    private func cut(_ exchange: RecordedExchange, _ place: Place, _ part: Content) throws -> ReplayStep.Verdict {
        var request = Request("PATCH", place)
        request.access = access
        request.body = Content(part.bytes + [UInt8](repeating: 0, count: 1_000_000))
        request.cutUploadAfter = part.count
        if exchange.chunked == true { request.framing = .chunked }
        do {
            _ = try probe.send(request)
        } catch is TransportFailure {
            cutAt = exchange.at
        }
        return .good
    }

    /// A client that was cut gives the registry a moment to see it before it asks how far it came: as long as recorded.
    private func linger(_ exchange: RecordedExchange) {
        guard let cut = cutAt else { return }
        Thread.sleep(forTimeInterval: min(max(Double(exchange.at) - Double(cut), 0), 1_000) / 1_000)
        cutAt = exchange.at
    }

    private func finish(_ exchange: RecordedExchange, _ handle: String, _ place: Place) throws -> ReplayStep.Verdict {
        let target = exchange.url.replacing(handle, with: "/v2/x/blobs/uploads/x")
        guard let old = Target(target)?.parameter("digest") else { return .left("a PUT without a digest") }
        let before = sent[handle] ?? []
        let body = exchange.body == nil ? nil : try bytes(exchange.body, salt: before.isEmpty ? "" : "\(before.count)")
        let content = Content(before + (body?.bytes ?? []))
        let taken = exchange.status == 201
        let new = old.hasPrefix("sha512:") ? content.digest512 : content.digest
        var request = Request("PUT", place.adding("digest=" + queryEscaped(taken ? new : digest(old))))
        request.access = access
        request.headers = (exchange.headers["content-type"] ?? []).map { ("Content-Type", $0) }
        if let body, body.count > 0 { request.body = body }
        if exchange.chunked == true, request.body != nil { request.framing = .chunked }
        let answer = try probe.send(request)
        try ReplayJudge(exchange, answer).status()
        guard taken else { return .good }
        digests[old] = new
        contents[new] = content
        let name = place.url(on: probe.base).firstMatch(of: /\/v2\/(.+)\/blobs\/uploads\//).map { String($0.output.1) }
        if let name {
            present.insert("\(name) \(old)")
            probe.ledger.add(.blob(repository: name, digest: new))
        }
        try ReplayJudge(exchange, answer).headers { self.digest($0) }
        sent[handle] = nil
        return .good
    }
}
