import Foundation
import Vocabulary

/// The name of a blob's bytes within a game.
struct BlobKey: Hashable, Sendable {
    /// What the bytes look like: nothing that looks at them may change them.
    enum Look: Hashable, Sendable {
        case random
        case text
        case gzip
    }

    let number: Int
    let size: Int
    var look = Look.random
}

/// The algorithms that digests come in.
enum Algorithm: String, Hashable, Sendable, CaseIterable {
    case sha256
    case sha512
}

/// A manifest by what it is to hold; its bytes follow from it and from the game's seed.
struct ManifestPlan: Hashable, Sendable {
    enum Form: Hashable, Sendable, CaseIterable {
        case image
        case index
        case dockerImage
        case dockerList

        var isIndex: Bool { self == .index || self == .dockerList }
        var isDocker: Bool { self == .dockerImage || self == .dockerList }
    }

    /// How the JSON is written; a registry has to keep it.
    enum Writing: Hashable, Sendable, CaseIterable {
        case plain
        case spaced
        case reordered
        case escaped
        case unknownMembers
        case noMediaType
        case dataInDescriptor
    }

    /// Tells it from others that hold the same.
    var number = 0
    var form = Form.image
    var config: BlobKey?
    var layers: [BlobKey] = []
    var children: [ManifestPlan] = []
    /// None or one.
    var subject: [ManifestPlan] = []
    var artifactType: String?
    /// The configuration's media type, where it is not the usual one.
    var configType: String?
    var annotations = 0
    var writing = Writing.plain
    /// Bytes of padding in an annotation.
    var padding = 0

    /// The blobs that it names.
    var blobs: [BlobKey] { (config.map { [$0] } ?? []) + layers }

    /// The artifact type that a referrers list has to tell; nil for none.
    var listedType: String? {
        artifactType
            ?? (form.isIndex ? nil : configType ?? (form.isDocker ? MediaType.dockerConfig : MediaType.ociConfig))
    }

    /// The media type.
    var type: String {
        switch form {
        case .image: MediaType.ociManifest
        case .index: MediaType.ociIndex
        case .dockerImage: MediaType.dockerManifest
        case .dockerList: MediaType.dockerManifestList
        }
    }

    /// Annotation pairs, the values of which need escapes.
    var annotationPairs: [(String, String)] {
        (0..<annotations).map { ("org.example.key\($0)", $0 == 1 ? "é \" \\ <>" : "value \(number) \($0)") }
            + (padding > 0 ? [("org.example.padding", String(repeating: "p", count: padding))] : [])
    }
}

/// Makes the bytes of a game. Not to be shared between threads.
final class Cast {
    private let seed: String
    private var blobs: [BlobKey: Content] = [:]
    private var manifests: [ManifestPlan: Manifest] = [:]

    init(seed: String) {
        self.seed = seed
    }

    /// The bytes of a blob. Throws only when the cipher itself fails.
    func content(_ key: BlobKey) throws -> Content {
        if let known = blobs[key] { return known }
        let made = try make(key)
        blobs[key] = made
        return made
    }

    private func make(_ key: BlobKey) throws -> Content {
        if key.size == 0 { return Content([]) }
        let random = try Content.random(key.size, seed: "\(seed)/\(key.number)/\(key.size)")
        switch key.look {
        case .random: return random
        case .gzip: return Content.gzip(random.bytes)
        case .text:
            let word = Hex.encode(random.bytes.prefix(12))
            return Content("{ \"b\" :1.50 ,\r\n\t\"a\": [ ],\"w\":\"\(word)\\/\\u00e9\"  }\n\n")
        }
    }

    /// The digest of a blob.
    func digest(_ key: BlobKey, _ algorithm: Algorithm = .sha256) throws -> String {
        let content = try content(key)
        return algorithm == .sha256 ? content.digest : content.digest512
    }

    /// The manifest of a plan. Throws only when the cipher itself fails.
    func manifest(_ plan: ManifestPlan) throws -> Manifest {
        if let known = manifests[plan] { return known }
        let made = Manifest(try text(plan), type: plan.type)
        manifests[plan] = made
        return made
    }

    /// The digest of a manifest.
    func digest(_ plan: ManifestPlan, _ algorithm: Algorithm = .sha256) throws -> String {
        let content = try manifest(plan).content
        return algorithm == .sha256 ? content.digest : content.digest512
    }

    private func descriptor(_ key: BlobKey, _ type: String, _ plan: ManifestPlan) throws -> String {
        let content = try content(key)
        var members: [(String, String)] = []
        if plan.writing == .dataInDescriptor, content.count < 2_000 {
            members = [("data", JSONText.string(Data(content.bytes).base64EncodedString()))]
        }
        return Descriptor(type, content, members).json
    }

    private func members(_ plan: ManifestPlan) throws -> [(String, String)] {
        var members = [("schemaVersion", "2")]
        if plan.writing != .noMediaType { members.append(("mediaType", JSONText.string(plan.type))) }
        if let type = plan.artifactType { members.append(("artifactType", JSONText.string(type))) }
        if plan.form.isIndex {
            let children = try plan.children.enumerated().map { number, child in
                let machine = ["amd64", "arm64", "riscv64", "s390x"][number % 4]
                return try manifest(child).descriptor([
                    ("platform", "{\"architecture\":\"\(machine)\",\"os\":\"linux\"}")
                ]).json
            }
            members.append(("manifests", JSONText.array(children)))
        } else {
            let docker = plan.form.isDocker
            let type = plan.configType ?? (docker ? MediaType.dockerConfig : MediaType.ociConfig)
            if let config = plan.config { members.append(("config", try descriptor(config, type, plan))) }
            let layer = docker ? MediaType.dockerLayerGzip : MediaType.ociLayer
            members.append(("layers", JSONText.array(try plan.layers.map { try descriptor($0, layer, plan) })))
        }
        if let subject = plan.subject.first { members.append(("subject", try manifest(subject).descriptor().json)) }
        if plan.form.isDocker { return members }
        let pairs = [("org.example.game", "\(seed) \(plan.number)")] + plan.annotationPairs
        members.append(("annotations", JSONText.object(pairs.map { ($0.0, JSONText.string($0.1)) })))
        return members
    }

    /// The annotations that a referrers list has to tell.
    func annotations(_ plan: ManifestPlan) -> [String: String] {
        if plan.form.isDocker { return [:] }
        let pairs = [("org.example.game", "\(seed) \(plan.number)")] + plan.annotationPairs
        return Dictionary(pairs, uniquingKeysWith: { $1 })
    }

    private func text(_ plan: ManifestPlan) throws -> String {
        let members = try members(plan)
        switch plan.writing {
        case .plain, .noMediaType, .dataInDescriptor: return JSONText.object(members)
        case .reordered: return JSONText.object(members.reversed())
        case .spaced:
            return "{\n\t" + members.map { JSONText.string($0.0) + " : " + $0.1 }.joined(separator: " ,\r\n  ")
                + "\n}\n\n"
        case .unknownMembers:
            return JSONText.object(members + [("x-unknown", "{\"a\":[1,2.50,1e3,null,true,\"\\u00e9\\/\"]}")])
        case .escaped: return JSONText.object(members).replacing("application/", with: "application\\/")
        }
    }
}
