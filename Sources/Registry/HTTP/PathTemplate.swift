/// A route's template, made ready to be held against the bytes of a path.
///
/// A repository's name has any number of segments, so that a path is read from its end: what follows the name is fixed.
struct PathTemplate: Sendable {
    private let prefix: [UInt8]
    /// Of a template with `{name}`: the segments behind it, last first; nil stands for a parameter.
    private let suffix: [[UInt8]?]?

    init(_ template: String) {
        guard let name = template.firstRange(of: "{name}/") else {
            prefix = Array(template.utf8)
            suffix = nil
            return
        }
        prefix = Array(template[..<name.lowerBound].utf8)
        suffix = template[name.upperBound...].split(separator: "/", omittingEmptySubsequences: false).reversed().map {
            $0.hasPrefix("{") ? nil : Array($0.utf8)
        }
    }

    /// Offsets of a path's parts.
    struct Parts {
        var name: Range<Int>?
        var parameter = 0..<0
    }

    /// Where the parts of `path` are, if the template fits; `slashes` holds the offsets of its slashes, last first.
    func match(_ path: UnsafeBufferPointer<UInt8>, slashes: Slashes) -> Parts? {
        guard let suffix else { return path.elementsEqual(prefix) ? Parts() : nil }
        guard slashes.count >= suffix.count, path.starts(with: prefix) else { return nil }
        var parts = Parts()
        var end = path.count
        for (segment, slash) in zip(suffix, slashes) {
            let range = slash + 1..<end
            if let segment {
                guard range.count == segment.count, path[range].elementsEqual(segment) else { return nil }
            } else {
                parts.parameter = range
            }
            end = slash
        }
        guard end > prefix.count else { return nil }
        parts.name = prefix.count..<end
        return parts
    }

    /// Offsets of the last slashes of a path, as many as a template can ask for, last first.
    struct Slashes: Sequence, IteratorProtocol {
        private var offsets = (-1, -1, -1)
        private(set) var count = 0

        init(_ path: UnsafeBufferPointer<UInt8>) {
            var at = path.count - 1
            while at >= 0, count < 3 {
                if path[at] == UInt8(ascii: "/") {
                    switch count {
                    case 0: offsets.0 = at
                    case 1: offsets.1 = at
                    default: offsets.2 = at
                    }
                    count += 1
                }
                at -= 1
            }
        }

        mutating func next() -> Int? {
            guard count > 0 else { return nil }
            defer { (offsets, count) = ((offsets.1, offsets.2, -1), count - 1) }
            return offsets.0
        }
    }
}
