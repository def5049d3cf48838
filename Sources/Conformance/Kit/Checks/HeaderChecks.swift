/// RFC 9110 section 5.3 over every exchange of the run: clients take the first of two lines, or the last, or both.
enum HeaderChecks {
    /// Fields that hold one value each (RFC 9110 sections 8.3, 8.6, 8.8.3, 10.2.2, 14.4, and those of registries).
    private static let single = [
        "Content-Type", "Content-Length", "Content-Range", "ETag", "Location", "Docker-Content-Digest", "OCI-Subject",
    ]

    static let checks: [Check] = [
        Check(
            standing: "headers.once", .must, "RFC 9110 §5.3: Field order",
            "a header of one value, such as Content-Type or Docker-Content-Digest, stands on one line",
            ["http-field-once"]
        ) { exchange in
            guard exchange.raw == nil, let headers = exchange.response?.headers else { return nil }
            for name in single where headers.all(name).count > 1 {
                return .broken(
                    expected: "\(exchange.line): one \(name)", got: headers.all(name).joined(separator: " and "),
                    .headerOnce(name))
            }
            return .kept
        }
    ]
}
