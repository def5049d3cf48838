import Harness

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
        var builder = ReplayBuilder(recording)
        steps = builder.build()
        blobs = builder.blobs
        texts = builder.texts
        manifests = builder.manifests
        left = builder.left
        title = recording.title
    }
}
