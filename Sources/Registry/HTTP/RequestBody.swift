import Model
import Service

/// A request's body on its way from the socket to the handler.
package protocol RequestBody: AnyObject, ByteSource {
    /// From now on all of it has to come within this time; `next` throws `.requestTimeout` else.
    func expire(within patience: Duration)
}

extension RequestBody {
    /// The whole body, for which it has a minute. Throws `.manifestTooLarge` past `limit` bytes.
    package func collect(upTo limit: Int) async throws(RegistryError) -> [UInt8] {
        let tooLarge = RegistryError(.manifestTooLarge, "a manifest may have at most \(limit) bytes here")
        if let length, length > limit { throw tooLarge }
        expire(within: .seconds(60))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Int(length ?? 0))
        while let chunks = try await next() {
            for chunk in chunks {
                guard bytes.count + chunk.count <= limit else { throw tooLarge }
                chunk.withBytes { bytes.append(contentsOf: $0) }
            }
        }
        return bytes
    }
}
