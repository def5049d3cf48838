import Foundation

/// A body of a recording: text where it is short and readable, else only what is needed to make another like it.
package struct RecordedBody: Codable, Sendable, Equatable {
    /// Length in bytes.
    package var length: Int
    /// The sha256 digest.
    package var digest: String
    /// The text itself; nil for a body that is made anew from its length and the digest as a seed.
    package var text: String?

    /// Describes bytes; `prefix` are the first of them, all of them when the text is to be kept.
    init(length: Int, digest: String, prefix: [UInt8]) {
        self.length = length
        self.digest = digest
        let isWhole = prefix.count == length && length <= 16_384
        let isText = isWhole && !prefix.contains { $0 < 9 } && String(validating: prefix, as: UTF8.self) != nil
        text = isText ? String(decoding: prefix, as: UTF8.self) : nil
    }
}

/// One request and its answer, as a real client sent and got them. Secrets are masked, upload Locations named `@1`, `@2`, ….
package struct RecordedExchange: Codable, Sendable, Equatable {
    /// Milliseconds from the beginning of the recording to the request.
    package var at: Int
    /// The method.
    package var method: String
    /// Path and query; an upload's is `@N` and its query.
    package var url: String
    /// The headers that matter, names in lower case.
    package var headers: [String: [String]]
    /// The request's body.
    package var body: RecordedBody?
    /// Whether the body came in chunked transfer coding.
    package var chunked: Bool?
    /// The status; nil when the connection ended before an answer came.
    package var status: Int?
    /// The answer's headers that matter, names in lower case; a Location of an upload is `@N`.
    package var answerHeaders: [String: [String]]
    /// The answer's body.
    package var answerBody: RecordedBody?
    /// The connection was cut while the answer was on its way.
    package var cut: Bool?

    /// The exchange with its secrets masked. Manifests and blobs are content: their members' names say nothing.
    func masked(by masker: Masker) -> RecordedExchange {
        var masked = self
        masked.url = masker.text(url)
        masked.headers = headers.mapValues { $0.map(masker.text) }
        masked.answerHeaders = answerHeaders.mapValues { $0.map(masker.text) }
        let isContent = url.hasPrefix("@") || url.contains("/manifests/") || url.contains("/blobs/")
        masked.body?.text = body?.text.map(isContent ? masker.literals : masker.text)
        masked.answerBody?.text = answerBody?.text.map(isContent ? masker.literals : masker.text)
        return masked
    }

    /// The digest of what the answer is about, by tag or digest, whole or in part, with a body or without.
    var contentDigest: String? {
        answerHeaders["docker-content-digest"]?.first ?? (status == 200 && cut != true ? answerBody?.digest : nil)
    }
}

/// A session: JSON lines, one exchange each, a comment line first.
package struct Recording: Sendable {
    /// What was recorded, in words.
    package var title: String
    /// In the order in which the requests began.
    package var exchanges: [RecordedExchange]

    /// The file's text. Throws only when Foundation cannot write JSON.
    package func text(_ masker: Masker) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        var lines = ["{\"title\":\(JSONText.string(title)),\"version\":1}"]
        lines += try exchanges.map { String(decoding: try encoder.encode($0.masked(by: masker)), as: UTF8.self) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads a file. Throws `RunnerFailure` when it is none of this kind.
    package init(path: String) throws {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw RunnerFailure("cannot read \(path)")
        }
        let lines = text.split(separator: "\n")
        guard let head = lines.first, let json = JSON(parsing: Array(head.utf8)), let title = json["title"]?.string,
            json["version"]?.integer == 1
        else { throw RunnerFailure("\(path) is no recording of this program") }
        self.title = title
        do {
            let decoder = JSONDecoder()
            exchanges = try lines.dropFirst().map { try decoder.decode(RecordedExchange.self, from: Data($0.utf8)) }
        } catch {
            throw RunnerFailure("\(path): a line that is no exchange: \(error)")
        }
    }

    /// A session from its parts.
    package init(title: String, exchanges: [RecordedExchange]) {
        self.title = title
        self.exchanges = exchanges
    }
}
