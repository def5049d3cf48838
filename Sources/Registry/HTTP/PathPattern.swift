/// What a path may have in place of a segment.
package enum PathParameter: String, Sendable {
    /// A repository's name: one segment or more, as it is sent; an encoded one is none.
    case name
    case digest, reference, session
    /// Names and keys of the management API; a repository's name is one segment there, its slashes encoded.
    case repository, organization, user, team, robot, key, grantee, tag, invitation
}

/// A path with named parameters, made ready to be held against the bytes of one that was sent.
///
/// A repository's name has any number of segments, so that a path is read from its end: what follows the name is fixed.
package final class PathPattern: Sendable {
    private enum Segment {
        case text([UInt8])
        case parameter(PathParameter)
    }

    /// As it is written: `/v2/{name}/blobs/{digest}`.
    package let text: String
    /// Its parameters, last first.
    package let parameters: [PathParameter]
    /// What stands before the first parameter.
    private let head: [UInt8]
    /// The segments behind that, last first; without the name.
    private let tail: [Segment]
    private let hasName: Bool

    /// Reads a pattern. A segment in braces that is no parameter's name stands for itself.
    init(_ text: String) {
        self.text = text
        let start = text.firstRange(of: "{")?.lowerBound ?? text.endIndex
        head = Array(text[..<start].utf8)
        let segments =
            start == text.endIndex ? [] : text[start...].split(separator: "/", omittingEmptySubsequences: false)
        let all: [Segment] = segments.reversed().map { segment in
            PathParameter(rawValue: String(segment.dropFirst().dropLast())).map { .parameter($0) }
                ?? .text(Array(segment.utf8))
        }
        parameters = all.compactMap { if case .parameter(let parameter) = $0 { parameter } else { nil } }
        hasName = parameters.contains(.name)
        tail = all.filter { if case .parameter(.name) = $0 { false } else { true } }
    }

    /// Where the parameters of a path are, last first, in bytes.
    struct Places {
        private var starts = SIMD8<Int32>(repeating: 0)
        private var ends = SIMD8<Int32>(repeating: 0)
        private var count = 0

        mutating func append(_ range: Range<Int>) {
            (starts[count], ends[count]) = (
                Int32(truncatingIfNeeded: range.lowerBound), Int32(truncatingIfNeeded: range.upperBound)
            )
            count += 1
        }

        subscript(index: Int) -> Range<Int> { Int(starts[index])..<Int(ends[index]) }
    }

    /// Where the parameters are, if the pattern fits; `slashes` are those of the path.
    func match(_ path: UnsafeBufferPointer<UInt8>, _ slashes: Slashes) -> Places? {
        guard !parameters.isEmpty else { return path.elementsEqual(head) ? Places() : nil }
        guard slashes.count >= tail.count, path.starts(with: head) else { return nil }
        var places = Places()
        var end = path.count
        for (index, segment) in tail.enumerated() {
            let range = slashes[index] + 1..<end
            switch segment {
            case .text(let text):
                guard range.count == text.count, path[range].elementsEqual(text) else { return nil }
            case .parameter:
                // An empty one is for the handler to refuse, in the words of what it should be.
                places.append(range)
            }
            end = slashes[index]
        }
        guard hasName else { return end == head.count - 1 ? places : nil }
        guard end > head.count else { return nil }
        places.append(head.count..<end)
        return places
    }

    /// Offsets of the last slashes of a path, as many as a pattern can ask for, last first.
    struct Slashes {
        private var offsets = SIMD8<Int32>(repeating: -1)
        private(set) var count = 0

        init(_ path: UnsafeBufferPointer<UInt8>) {
            var at = path.count - 1
            while at >= 0, count < 8 {
                if path[at] == UInt8(ascii: "/") {
                    offsets[count] = Int32(truncatingIfNeeded: at)
                    count += 1
                }
                at -= 1
            }
        }

        subscript(index: Int) -> Int { Int(offsets[index]) }
    }
}

/// The parameters of a path, each decoded once.
package struct PathParameters: Sendable {
    /// The repository's name, as it was sent.
    let name: String?
    private let pattern: PathPattern
    /// The last one; most operations have no other.
    private let last: String
    private let others: [String]

    init(_ pattern: PathPattern, _ path: Substring, _ places: PathPattern.Places) {
        let text = { (index: Int) -> Substring in
            let range = places[index]
            let start = path.utf8.index(path.startIndex, offsetBy: range.lowerBound)
            return path[start..<path.utf8.index(start, offsetBy: range.count)]
        }
        self.pattern = pattern
        let count = pattern.parameters.count
        let hasName = pattern.parameters.last == .name
        name = hasName ? String(text(count - 1)) : nil
        let rest = hasName ? count - 1 : count
        last = rest > 0 ? text(0).percentDecoded : ""
        others = rest > 1 ? (1..<rest).map { text($0).percentDecoded } : []
    }

    /// The repository's name where it is one segment with its slashes encoded.
    var encodedName: String? { pattern.parameters.contains(.repository) ? self[.repository] : nil }

    /// A parameter's value; empty for one that the pattern has not.
    subscript(parameter: PathParameter) -> String {
        guard let index = pattern.parameters.firstIndex(of: parameter) else { return "" }
        return index == 0 ? last : index <= others.count ? others[index - 1] : ""
    }
}
