import Foundation

/// What a request of the stub is aimed at, by its path: the last mark counts, as a repository may be named like one.
struct Aim {
    var kind = ""
    var repository = ""
    var reference = ""

    init(_ request: StubRequest) { self.init(request.path) }

    init(_ path: String) {
        if path == "/v2/_catalog" { kind = "catalog" }
        guard path.hasPrefix("/v2/") else { return }
        let bytes = Array(path.utf8)
        var end = 0
        for (name, mark) in Aim.marks {
            guard let place = Aim.last(mark, in: bytes), place + mark.count > end else { continue }
            if name == "tags", place + mark.count != bytes.count { continue }
            end = place + mark.count
            kind = name
            repository = String(decoding: bytes[min(4, place)..<place], as: UTF8.self)
            reference = String(decoding: bytes[end...], as: UTF8.self)
        }
    }

    private static let marks = [
        ("manifests", "/manifests/"), ("tags", "/tags/list"), ("referrers", "/referrers/"), ("blobs", "/blobs/"),
        ("uploads", "/blobs/uploads/"),
    ].map { ($0, Array($1.utf8)) }

    /// Where a mark stands last.
    private static func last(_ mark: [UInt8], in bytes: [UInt8]) -> Int? {
        var place = bytes.count - mark.count
        while place >= 0 {
            if bytes[place] == 47, bytes[place..<place + mark.count].elementsEqual(mark) { return place }
            place -= 1
        }
        return nil
    }

    var isTag: Bool { !reference.contains(":") }
    var isSession: Bool { kind == "uploads" && !reference.isEmpty }
}
