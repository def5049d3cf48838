import Foundation

/// What a request of the stub is aimed at, by its path: the last mark counts, as a repository may be named like one.
struct Aim {
    var kind = ""
    var repository = ""
    var reference = ""

    init(_ request: StubRequest) { self.init(request.path) }

    init(_ path: String) {
        if path == "/v2/_catalog" { kind = "catalog" }
        var end = path.startIndex
        for (name, mark) in [
            ("manifests", "/manifests/"), ("tags", "/tags/list"), ("referrers", "/referrers/"), ("blobs", "/blobs/"),
            ("uploads", "/blobs/uploads/"),
        ] where path.hasPrefix("/v2/") {
            guard let place = path.range(of: mark, options: .backwards), place.upperBound > end else { continue }
            if name == "tags", place.upperBound != path.endIndex { continue }
            end = place.upperBound
            kind = name
            repository = String(path[..<place.lowerBound].dropFirst("/v2/".count))
            reference = String(path[place.upperBound...])
        }
    }

    var isTag: Bool { !reference.contains(":") }
    var isSession: Bool { kind == "uploads" && !reference.isEmpty }
}
