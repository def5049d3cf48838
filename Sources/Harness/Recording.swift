import FoundationEssentials

/// A body of a recording: text where it is short and readable, else only what is needed to make another like it.
package struct RecordedBody: Codable, Sendable, Equatable {
    /// Length in bytes.
    package var length: Int
    /// The sha256 digest.
    package var digest: String
    /// The text itself; nil for a body that is made anew from its length and the digest as a seed.
    package var text: String?

    /// A body from its parts.
    package init(length: Int, digest: String, text: String?) {
        (self.length, self.digest, self.text) = (length, digest, text)
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

    /// A request that has yet to be answered.
    package init(at: Int, method: String, url: String, headers: [String: [String]]) {
        (self.at, self.method, self.url, self.headers, answerHeaders) = (at, method, url, headers, [:])
    }

    /// Reads what `encode(to:)` wrote; the answer's headers may be missing.
    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        at = try fields.decode(Int.self, forKey: .at)
        method = try fields.decode(String.self, forKey: .method)
        url = try fields.decode(String.self, forKey: .url)
        headers = try fields.decode([String: [String]].self, forKey: .headers)
        body = try fields.decodeIfPresent(RecordedBody.self, forKey: .body)
        chunked = try fields.decodeIfPresent(Bool.self, forKey: .chunked)
        status = try fields.decodeIfPresent(Int.self, forKey: .status)
        answerHeaders = try fields.decodeIfPresent([String: [String]].self, forKey: .answerHeaders) ?? [:]
        answerBody = try fields.decodeIfPresent(RecordedBody.self, forKey: .answerBody)
        cut = try fields.decodeIfPresent(Bool.self, forKey: .cut)
    }
}

/// Client traffic as `fixtures/traffic/*.jsonl` holds it: a line with a title, then one exchange a line.
package struct Recording: Sendable {
    /// What was recorded, in words.
    package var title: String
    /// In the order in which the requests began.
    package var exchanges: [RecordedExchange]

    private struct Head: Codable {
        let title: String
        let version: Int
    }

    /// A session from its parts.
    package init(title: String, exchanges: [RecordedExchange]) {
        self.title = title
        self.exchanges = exchanges
    }

    /// Reads a file's text. Throws with the line that is wrong.
    ///
    /// - Parameter complaint: what the reader has against an exchange, if anything.
    package init(
        text: String, file: String, complaint: (RecordedExchange) -> String? = { _ in nil }
    ) throws(RecordingError) {
        let decoder = JSONDecoder()
        var title: String?
        exchanges = []
        for (number, line) in text.split(separator: "\n").enumerated() {
            func wrong(_ reason: String) -> RecordingError {
                RecordingError(description: "\(file):\(number + 1): no recording of client traffic: \(reason)")
            }
            do {
                if title == nil {
                    let head = try decoder.decode(Head.self, from: Data(line.utf8))
                    guard head.version == 1 else { throw wrong("version \(head.version) is not known") }
                    title = head.title
                } else {
                    let exchange = try decoder.decode(RecordedExchange.self, from: Data(line.utf8))
                    if let reason = complaint(exchange) { throw wrong(reason) }
                    exchanges.append(exchange)
                }
            } catch let error as RecordingError {
                throw error
            } catch {
                throw wrong((error as? DecodingError)?.reason ?? "\(error)")
            }
        }
        guard let title else { throw RecordingError(description: "\(file): the recording is empty") }
        self.title = title
    }
}

/// A recording that cannot be read.
package struct RecordingError: Error, Equatable, CustomStringConvertible {
    /// File, line, and what is wrong with it.
    package let description: String
}
