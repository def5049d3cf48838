import Harness

/// Turns a recording into steps.
struct ReplayBuilder {
    private let recording: Recording
    private(set) var blobs: [String: Int] = [:]
    private(set) var texts: [String: String] = [:]
    private(set) var manifests: [String: String] = [:]
    private(set) var left: [String: Int] = [:]
    /// Recorded digest of the blob that each upload ends as.
    private var ends: [Int: String] = [:]
    private var sent: [Int: Int] = [:]
    /// Uploads by the last part of their path: of some requests the recorder did not know yet where they belong.
    private var places: [String: Int] = [:]
    /// The moment that counts as the beginning, milliseconds.
    private let origin: Int

    init(_ recording: Recording) {
        self.recording = recording
        origin = recording.exchanges.first?.at ?? 0
        for exchange in recording.exchanges {
            guard let name = Self.uploadName(exchange.url), let place = Self.place(exchange) else { continue }
            places[name] = place
        }
    }

    mutating func build() -> [ReplayStep] {
        var lengths: [Int: Int] = [:]
        var bodies: [Int: String] = [:]
        for exchange in recording.exchanges {
            // What was not answered, or refused, is not sent: its bytes are no part of the blob.
            guard let upload = upload(exchange.url), Self.isTaken(exchange.status) else { continue }
            lengths[upload] = min(lengths[upload, default: 0] + (exchange.body?.length ?? 0), Self.largest)
            if let text = exchange.body?.text, !text.isEmpty { bodies[upload, default: ""] += text }
            guard exchange.method == "PUT", exchange.status == 201, let digest = Self.query(exchange.url)["digest"]
            else {
                continue
            }
            ends[upload] = digest
            blobs[digest] = lengths[upload]
            if lengths[upload] ?? 0 < BlobContent.trailerLength { texts[digest] = bodies[upload] ?? "" }
        }
        return recording.exchanges.compactMap { step($0) }
    }

    private mutating func step(_ exchange: RecordedExchange) -> ReplayStep? {
        guard let status = exchange.status else { return leave("no answer was recorded") }
        if status == 401 || exchange.url.prefix(while: { $0 != "?" }).hasSuffix("/token") {
            return leave("logging in is the run's own affair")
        }
        if status >= 400, status != 404 { return leave("it was refused") }
        if let upload = upload(exchange.url) {
            return Self.isTaken(status) ? piece(exchange, upload, status) : leave("it was refused")
        }
        if Self.uploadName(exchange.url) != nil { return leave("a piece of an upload that is not in the recording") }
        guard exchange.url.hasPrefix("/v2/") else { return leave("not of the distribution API") }
        if exchange.url == "/v2/" { return make(exchange, .ping, .plain(repository: "", rest: ""), status) }
        let path = String(exchange.url.prefix { $0 != "?" })
        let query = String(exchange.url.dropFirst(path.count))
        let marks: [(String, Operation)] = [
            ("/blobs/uploads/", .uploadStart), ("/blobs/", .blobGet), ("/manifests/", .manifestGet),
            ("/tags/list", .tagList),
            ("/referrers/", .referrers),
        ]
        for (mark, operation) in marks {
            guard let range = path.firstRange(of: mark) else { continue }
            let repository = String(path[path.index(path.startIndex, offsetBy: 4)..<range.lowerBound])
            let rest = String(path[range.upperBound...])
            switch operation {
            case .uploadStart:
                let upload = Self.place(exchange)
                let parameters = Self.query(query)
                if parameters["digest"] != nil { return leave("a blob in a single POST") }
                if status == 201, !isKnown(parameters["mount"] ?? "") { return leave(Self.fromBefore) }
                if status == 202, upload.flatMap({ ends[$0] }) == nil { return leave(Self.unended) }
                let work = ReplayStep.Work.begin(repository: repository, query: query, upload: upload)
                return make(exchange, .uploadStart, work, status)
            case .manifestGet where exchange.method == "PUT":
                guard let body = exchange.body, let text = body.text else {
                    return leave("a manifest without its text")
                }
                guard Self.digests(in: text).allSatisfy({ isKnown($0) }) else { return leave(Self.fromBefore) }
                manifests[body.digest] = text
                let tag = rest.contains(":") ? nil : rest
                return make(exchange, .manifestPut, .manifest(repository: repository, tag: tag, text: text), status)
            default:
                if rest.contains(":"), status < 400, !isKnown(rest) { return leave(Self.fromBefore) }
                return make(
                    exchange, Self.operation(operation, exchange.method),
                    .plain(repository: repository, rest: mark + rest + query),
                    status)
            }
        }
        return leave("not of the distribution API")
    }

    private mutating func piece(_ exchange: RecordedExchange, _ upload: Int, _ status: Int) -> ReplayStep? {
        guard let blob = ends[upload] else { return leave(Self.unended) }
        guard exchange.method == "PATCH" || exchange.method == "PUT" else { return leave("a look at an upload") }
        let start = sent[upload] ?? 0
        let end = min(start + (exchange.body?.length ?? 0), Self.largest)
        sent[upload] = end
        let isLast = exchange.method == "PUT"
        return make(
            exchange, isLast ? .uploadPut : .uploadPatch,
            .piece(upload: upload, blob: blob, range: start..<end, isLast: isLast), status)
    }

    private static let largest = RecordedExchange.largest
    private static let unended = "an upload that never ended"
    private static let fromBefore = "its content is from before the recording"

    private static func isTaken(_ status: Int?) -> Bool { (200..<300).contains(status ?? 0) }

    /// Pushed in the recording, as far as it has been read: blobs all, manifests those before.
    private func isKnown(_ digest: String) -> Bool { blobs[digest] != nil || manifests[digest] != nil }

    /// What a manifest names.
    private static func digests(in text: String) -> [String] {
        text.split(separator: "\"digest\"").dropFirst().map { part in
            String(part.drop { " \t\r\n:\"".contains($0) }.prefix { $0 != "\"" })
        }
    }

    private func make(
        _ exchange: RecordedExchange, _ operation: Operation, _ work: ReplayStep.Work, _ status: Int
    ) -> ReplayStep {
        let kept = ["accept": "Accept", "content-type": "Content-Type", "range": "Range"]
        let fields = kept.sorted { $0.key < $1.key }.flatMap { name, written in
            (exchange.headers[name] ?? []).filter { !$0.contains("\r") && !$0.contains("\n") }.map {
                "\(written): \($0)"
            }
        }
        return ReplayStep(
            at: .milliseconds(min(max(exchange.at, origin) - origin, 86_400_000)), operation: operation,
            method: exchange.method,
            work: work,
            fields: fields, isChunked: exchange.chunked ?? false, status: status)
    }

    private mutating func leave(_ reason: String) -> ReplayStep? {
        left[reason, default: 0] += 1
        return nil
    }

    private static func operation(_ operation: Operation, _ method: String) -> Operation {
        switch (operation, method) {
        case (.blobGet, "HEAD"): .blobHead
        case (.blobGet, "DELETE"): .blobDelete
        case (.manifestGet, "HEAD"): .manifestHead
        case (.manifestGet, "DELETE"): .manifestDelete
        default: operation
        }
    }

    /// The upload that a request belongs to: N of `@N?…`, or the one whose path it names.
    private func upload(_ url: String) -> Int? {
        Self.number(url) ?? Self.uploadName(url).flatMap { places[$0] }
    }

    private static func number(_ url: String) -> Int? {
        url.hasPrefix("@") ? Int(url.dropFirst().prefix { $0 != "?" }) : nil
    }

    /// The upload that an answer's `Location` names.
    private static func place(_ exchange: RecordedExchange) -> Int? {
        exchange.answerHeaders["location"]?.first.flatMap(number)
    }

    /// UUID of `/v2/NAME/blobs/uploads/UUID?…`.
    private static func uploadName(_ url: String) -> String? {
        let path = url.prefix { $0 != "?" }
        guard let mark = path.firstRange(of: "/blobs/uploads/"), mark.upperBound < path.endIndex else { return nil }
        return String(path[mark.upperBound...])
    }

    static func query(_ url: String) -> [String: String] {
        var found: [String: String] = [:]
        for part in url.drop(while: { $0 != "?" }).dropFirst().split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1)
            if pair.count == 2 { found[String(pair[0])] = queryUnescaped(pair[1]) }
        }
        return found
    }
}
