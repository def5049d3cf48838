/// The uploads of one event loop that were begun and have not ended: what clean-up cancels. Touched on its loop only.
final class OpenUploads {
    /// Beyond so many, the registry's own sweeping has to do.
    private static let most = 100_000
    private var paths: Set<String> = []
    /// Something may have been left in the registry since the start, an open upload or content.
    private(set) var hasLeftSomething = false

    /// Content was taken.
    func stored() {
        hasLeftSomething = true
    }

    /// The upload goes on at `path` from now on, which `earlier` told where it is none that begins.
    func goesOn(at path: String, after earlier: String? = nil) {
        hasLeftSomething = true
        if let earlier { paths.remove(earlier) }
        if paths.count < Self.most { paths.insert(path) }
    }

    /// The upload at `path` has become a blob, or was cancelled.
    func ended(_ path: String) {
        paths.remove(path)
    }

    /// All of them, forgotten here.
    func takeAll() -> [String] {
        defer { paths = [] }
        return Array(paths)
    }
}
