import Harness

extension RecordedExchange {
    /// The latest moment, milliseconds: a year.
    private static let latest = 31_536_000_000
    /// The largest body, bytes.
    static let largest = 68_719_476_736

    /// Why it can be no exchange, or `nil`: what it says becomes a request's first line, and sums are made of its numbers.
    package var complaint: String? {
        guard (0...Self.latest).contains(at) else { return "'at' is no number of milliseconds up to a year" }
        let lengths = [body?.length, answerBody?.length].compactMap { $0 }
        guard lengths.allSatisfy((0...Self.largest).contains) else {
            return "'length' is no number of bytes up to 64 GiB"
        }
        guard !method.isEmpty, method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            return "'method' is none of HTTP"
        }
        guard url.hasPrefix("/") || url.hasPrefix("@") else { return "'url' is no path" }
        // Of what is not sent, secrets may have been masked.
        guard url.hasPrefix("/v2") || url.hasPrefix("@") else { return nil }
        guard url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return "'url' is no path" }
        let path = url.prefix { $0 != "?" && $0 != "#" }
        guard !path.split(separator: "/").contains(where: { $0 == "." || $0 == ".." }), !url.contains("#") else {
            return "'url' is no plain path: it has '.', '..' or '#' in it"
        }
        return nil
    }
}

/// A step of a replay, with what each arrival replaces by its own.
struct ReplayStep: Sendable {
    enum Work: Sendable {
        /// `/v2/REPOSITORY` + rest; digests in it are replaced.
        case plain(repository: String, rest: String)
        case begin(repository: String, query: String, upload: Int?)
        /// A piece of a blob: its bytes' range, and its digest when this is the last.
        case piece(upload: Int, blob: String, range: Range<Int>, isLast: Bool)
        case manifest(repository: String, tag: String?, text: String)
    }

    let at: Duration
    let operation: Operation
    let method: String
    let work: Work
    let fields: [String]
    let isChunked: Bool
    let status: Int
}

/// A recording made ready to be sent many times, each time with content and repositories of its own.
package struct ReplayPlan: Sendable {
    let steps: [ReplayStep]
    /// Lengths of the blobs that are uploaded, by recorded digest.
    let blobs: [String: Int]
    /// Short blobs that are sent as they were.
    let texts: [String: String]
    /// Manifests pushed, by recorded digest.
    let manifests: [String: String]
    /// Why exchanges are not sent, and how many.
    package private(set) var left: [String: Int] = [:]
    /// The recording's.
    package let title: String

    /// Nothing of the recording can be sent.
    package var isEmpty: Bool { steps.isEmpty }

    /// Sizes that a ``ContentLibrary`` must know.
    package var sizes: [Int] { blobs.values.filter { $0 >= BlobContent.trailerLength } }

    /// Works out which upload carries which blob. Exchanges that lean on content from before the recording are left out.
    package init(_ recording: Recording) {
        var builder = ReplayBuilder(
            Recording(title: recording.title, exchanges: recording.exchanges.sorted { $0.at < $1.at }))
        steps = builder.build()
        blobs = builder.blobs
        texts = builder.texts
        manifests = builder.manifests
        left = builder.left
        title = recording.title
    }
}
