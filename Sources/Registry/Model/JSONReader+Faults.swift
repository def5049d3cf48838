/// What was wrong, and where.
extension JSONReader {
    /// What is at hand is no JSON.
    func wrong() -> ParseError {
        let place = frames.isEmpty ? "" : ", at \(path(frames.count))"
        return ParseError(subject, "\(noun) is not JSON: see byte \(at) of \(bytes.count)\(place)")
    }

    /// The value at hand is of another kind, or no value.
    func mistyped(_ kind: String) -> ParseError {
        switch byte {
        case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"), 0x30...0x39,
            UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
            fault("must be \(kind)")
        default: wrong()
        }
    }

    /// The object at hand has this key, which was there before.
    func twice(_ key: ArraySlice<UInt8>) -> ParseError {
        inObject("has the key '\(String(decoding: key, as: UTF8.self).excerpt)' twice")
    }

    /// The object at hand has this key, which can be taken for a defined one.
    func alike(_ key: ArraySlice<UInt8>, _ name: String) -> ParseError {
        let text = String(decoding: key, as: UTF8.self).excerpt
        return inObject("has the key '\(text)', which some readers take for '\(name)': write it in these letters")
    }

    private func inObject(_ text: String) -> ParseError {
        ParseError(subject, "\(path(frames.count - 1)) \(text)")
    }

    /// What is wrong with the value at hand, after its place.
    func fault(_ text: String) -> ParseError {
        let path = path(frames.count)
        return ParseError(subject, "\(path): \(text)", place: path == noun ? nil : path)
    }

    /// Where the member at hand of the frame at `depth` stands, such as `manifests[3].size`; at most 500 bytes.
    private func path(_ depth: Int) -> String {
        var path = ""
        for frame in frames.prefix(depth) {
            guard path.utf8.count < 300 else { return path + "…" }
            guard frame.isObject else {
                path += "[\(frame.index)]"
                continue
            }
            guard let key = frame.key else { break }
            let text = String(decoding: key, as: UTF8.self).excerpt
            let isName = !key.isEmpty && key.allSatisfy { Self.isDigit($0) || (0x41...0x5a).contains($0 & 0xdf) }
            path += isName ? (path.isEmpty ? text : "." + text) : "[\"\(text)\"]"
        }
        return path.isEmpty ? noun : path
    }
}
