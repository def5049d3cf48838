extension DecodingError {
    /// What is wrong with the text, for people.
    package var reason: String {
        switch self {
        case .keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is of another type"
        case .dataCorrupted(let context):
            context.codingPath.isEmpty
                ? "it is no JSON" : "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' is out of bounds"
        @unknown default: "it is not understood"
        }
    }
}
