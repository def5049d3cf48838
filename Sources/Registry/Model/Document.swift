/// The fields of every kind of manifest; which of them must be there is decided by the kind.
struct Document {
    /// The keys of a manifest of any kind, schema 1's `fsLayers` too.
    enum Key: String, DefinedKey {
        case schemaVersion, mediaType, artifactType, config, layers, blobs, manifests, subject, annotations, fsLayers
        static let spelled = SpelledKey<Key>.all
    }

    var schemaVersion: Int64?
    var mediaType: String?
    var artifactType: String?
    var descriptors: [Descriptor] = []
    /// The annotations as they stand in the bytes: a JSON object.
    var annotations = "{}"
    /// The keys that are there, with `null` too: containerd takes a key with `null` for one that is there.
    var keys: Set<Key> = []
    /// The keys whose value is not `null`.
    var filled: Set<Key> = []

    /// Reads all of the bytes. Throws `ParseError(.manifest)` with what is wrong and where.
    static func read(_ bytes: [UInt8]) throws(ParseError) -> Document {
        var reader = try JSONReader(bytes)
        var document = Document()
        try reader.beginObject()
        while let key = try reader.next(Key.self) {
            document.keys.insert(key)
            if try reader.takeNull() { continue }
            document.filled.insert(key)
            switch key {
            case .schemaVersion: document.schemaVersion = try reader.count()
            case .mediaType: document.mediaType = try reader.text()
            case .artifactType: document.artifactType = try reader.text()
            case .config: document.descriptors.append(try reader.descriptor(.config))
            case .subject: document.descriptors.append(try reader.descriptor(.subject))
            case .layers: try reader.descriptors(.layer, into: &document.descriptors)
            case .blobs: try reader.descriptors(.blob, into: &document.descriptors)
            case .manifests: try reader.descriptors(.child, into: &document.descriptors)
            case .annotations: document.annotations = try reader.annotations()
            case .fsLayers: try reader.skip()
            }
        }
        try reader.finish()
        return document
    }
}

private enum DescriptorKey: String, DefinedKey {
    case mediaType, digest, size, urls, annotations, data, platform, artifactType
    static let spelled = SpelledKey<DescriptorKey>.all
}

private enum PlatformKey: String, DefinedKey {
    case os, architecture, variant, features
    case osVersion = "os.version"
    case osFeatures = "os.features"
    static let spelled = SpelledKey<PlatformKey>.all
}

extension JSONReader {
    fileprivate mutating func descriptors(
        _ role: Descriptor.Role, into list: inout [Descriptor]
    ) throws(ParseError) {
        try beginArray()
        var index = 0
        while try advance() {
            list.append(try descriptor(role, index))
            index += 1
        }
    }

    fileprivate mutating func descriptor(
        _ role: Descriptor.Role, _ index: Int = 0
    ) throws(ParseError) -> Descriptor {
        var (digest, size): (Digest?, Int64?) = (nil, nil)
        var (mediaType, artifactType): (String?, String?) = (nil, nil)
        var platform: Platform?
        try beginObject()
        while let key = try next(DescriptorKey.self) {
            switch key {
            case .digest: digest = try self.digest()
            case .size: size = try count()
            case .mediaType: mediaType = try takeNull() ? nil : text()
            case .artifactType: artifactType = try takeNull() ? nil : text()
            case .platform: platform = try takeNull() ? nil : self.platform()
            case .urls: _ = try texts()
            case .data: try skipBase64()
            case .annotations: if try !takeNull() { _ = try annotations() }
            }
        }
        guard let digest else { throw fault("lacks 'digest'") }
        guard let size else { throw fault("lacks 'size'") }
        return Descriptor(
            role: role, index: index, digest: digest, size: size, mediaType: mediaType, artifactType: artifactType,
            platform: platform)
    }

    private mutating func digest() throws(ParseError) -> Digest {
        let text = try text()
        do {
            return try Digest.parse(text)
        } catch {
            throw fault(error.message)
        }
    }

    private mutating func platform() throws(ParseError) -> Platform {
        var platform = Platform()
        try beginObject()
        while let key = try next(PlatformKey.self) {
            switch key {
            case .os: platform.os = try takeNull() ? "" : text()
            case .architecture: platform.architecture = try takeNull() ? "" : text()
            case .variant: platform.variant = try takeNull() ? "" : text()
            case .osVersion: platform.osVersion = try takeNull() ? "" : text()
            case .osFeatures: platform.osFeatures = try texts()
            case .features: platform.features = try texts()
            }
        }
        return platform
    }

    /// A list of texts, empty for `null`.
    private mutating func texts() throws(ParseError) -> [String] {
        guard try !takeNull() else { return [] }
        var texts: [String] = []
        try beginArray()
        while try advance() { texts.append(try text()) }
        return texts
    }

    /// An object of texts, as it stands in the bytes.
    fileprivate mutating func annotations() throws(ParseError) -> String {
        skipBlanks()
        let start = at
        var isEmpty = true
        try beginObject()
        while try nextMember() {
            _ = try readText()
            isEmpty = false
        }
        return isEmpty ? "{}" : String(decoding: bytes[start..<at], as: UTF8.self)
    }

    /// Reads over embedded content, which typed clients decode with the rest (RFC 4648 section 4; Go skips line ends).
    private mutating func skipBase64() throws(ParseError) {
        guard try !takeNull() else { return }
        let digits = try readText().filter { $0 != 0x0a && $0 != 0x0d }
        let padding = digits.suffix(2).count { $0 == UInt8(ascii: "=") }
        let isBase64 = digits.dropLast(padding).allSatisfy { byte in
            Self.isDigit(byte) || (0x41...0x5a).contains(byte & 0xdf) || byte == UInt8(ascii: "+")
                || byte == UInt8(ascii: "/")
        }
        guard isBase64, digits.count % 4 == 0 else { throw fault("must be base64 (RFC 4648, with padding)") }
    }
}
