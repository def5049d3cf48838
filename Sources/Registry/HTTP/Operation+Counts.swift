extension Operation {
    /// What its bodies are.
    package enum ContentKind: Int, Sendable, CaseIterable {
        case blob, manifest, api
    }

    /// What is in the bodies of its requests and answers.
    package var content: ContentKind {
        guard pattern.text.hasPrefix("/v2/") else { return .api }
        if pattern.text.contains("/blobs/") { return .blob }
        return pattern.text.contains("/manifests/") ? .manifest : .api
    }
}
