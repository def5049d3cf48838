import Model
import Runtime

/// Where a store of S3 is reached: `https://s3.eu-central-1.amazonaws.com`, `http://127.0.0.1:9000`.
package struct S3Endpoint: Sendable, Equatable, CustomStringConvertible {
    package let scheme: String
    /// Name or address, and a port where it is not the scheme's own: what `Host` says.
    package let host: String

    /// An endpoint of this text; nil for what is none.
    package init?(_ text: String) {
        guard let mark = text.range(of: "://") else { return nil }
        let (scheme, rest) = (text[..<mark.lowerBound].lowercased(), text[mark.upperBound...].lowercased())
        let host = rest.hasSuffix("/") ? String(rest.dropLast()) : rest
        let isHost = host.utf8.allSatisfy { (0x21...0x7e).contains($0) } && !host.contains { "/?#@\\".contains($0) }
        guard ["http", "https"].contains(scheme), !host.isEmpty, isHost else { return nil }
        let own = scheme == "http" ? ":80" : ":443"
        self.scheme = scheme
        self.host = host.hasSuffix(own) ? String(host.dropLast(own.utf8.count)) : host
    }

    package var description: String { "\(scheme)://\(host)" }
}

/// How a store of S3 is used.
package struct S3Settings: Sendable {
    /// Where the name of the bucket stands in a URL.
    package enum Addressing: String, CaseIterable, Sendable {
        /// In front of the path, as most stores but AWS's have it.
        case path
        /// In front of the host's name.
        case host
    }

    /// Bytes of a part: fewest and most. An upload has 10,000 parts at most.
    package static let partSizes = 5 << 20...1 << 30

    package let bucket: String
    package let region: String
    package let endpoint: S3Endpoint
    /// As clients reach it, where that is another one.
    package var publicEndpoint: S3Endpoint?
    package var addressing: Addressing
    /// In front of the names of all objects.
    package var prefix = ""
    /// PEM file with the authorities that the store's certificate is checked by; empty for those of the system.
    package var authorities = ""
    /// Bytes of every part of an upload but the last.
    package var partSize = 5 << 20
    /// Bytes of all parts that wait to be sent or are being sent.
    package var memory = 25 << 20
    /// How long a call may take, with all that is tried again; less for small ones.
    package var patience = Duration.seconds(180)
    /// How long a URL that is given to a client can be used.
    package var linkLife = Duration.seconds(900)
    /// Whether clients are sent to the store for a blob's bytes.
    package var redirects = true

    /// Without an endpoint it is AWS's of the region.
    package init(bucket: String, region: String, endpoint: S3Endpoint? = nil, addressing: Addressing? = nil) {
        self.bucket = bucket
        self.region = region
        self.addressing = addressing ?? (endpoint == nil ? .host : .path)
        self.endpoint = endpoint ?? S3Endpoint("https://s3.\(region).amazonaws.com") ?? Self.nowhere
    }

    private static let nowhere = S3Endpoint(scheme: "https", host: "s3.amazonaws.com")

    /// For a person.
    package var description: String { "\(endpoint)/\(bucket)\(prefix.isEmpty ? "" : "/" + prefix)" }

    /// Whether bytes cross a network in the clear.
    package var isExposed: Bool {
        let host = endpoint.host.split(separator: ":").first.map(String.init) ?? ""
        return endpoint.scheme == "http" && !["127.0.0.1", "localhost"].contains(host)
            && !endpoint.host.hasPrefix("[::1]")
    }

    /// Host and path of an object, or of the bucket for an empty name, at this endpoint.
    func place(of name: String, at endpoint: S3Endpoint) -> (host: String, path: String) {
        let path = PercentEncoding.path(name)
        return switch addressing {
        case .path: (endpoint.host, name.isEmpty ? "/\(bucket)" : "/\(bucket)/\(path)")
        case .host: ("\(bucket).\(endpoint.host)", "/\(path)")
        }
    }
}

extension S3Endpoint {
    fileprivate init(scheme: String, host: String) {
        self.scheme = scheme
        self.host = host
    }
}
