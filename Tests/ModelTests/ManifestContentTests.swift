import Foundation
import Model
import Testing
import Vocabulary

/// What is read from a manifest for the rows that are kept beside it.
@Suite("Content of a manifest")
struct ManifestContentTests {
    private typealias Text = ManifestTests

    private func parse(_ text: String, as type: String = MediaType.ociManifest) throws -> Manifest {
        try Manifest.parse(Array(text.utf8), contentType: type)
    }

    @Test("annotations are handed on as they were sent, byte for byte")
    func annotations() throws {
        for object in [
            #"{ "b" : "1",\#n\#t"a":"\u00e9\/" }"#, "{\"\u{e9}\":\"NFC\",\"e\u{301}\":\"NFD\"}", #"{"k":"\u0000"}"#,
        ] {
            let manifest = try parse(Text.image(more: #","annotations": \#(object) "#))
            #expect(manifest.annotations.utf8.elementsEqual(object.utf8))
        }
        for none in ["", #","annotations":{ }"#, #","annotations":null"#] {
            #expect(try parse(Text.image(more: none)).annotations == "{}")
        }
    }

    @Test("all that is referred to is told with its role, place, size and type")
    func descriptors() throws {
        let subject = #","subject":{"mediaType":"x/s","digest":"\#(Text.c)","size":7}"#
        let layers = Text.descriptor(Text.b) + "," + Text.descriptor(Text.b, MediaType.dockerForeignLayer)
        let found = try parse(Text.image(layers: layers, more: subject)).descriptors
        #expect(found.map(\.place) == ["config", "layers[0]", "layers[1]", "subject"])
        #expect(found.map(\.role) == [.config, .layer, .layer, .subject])
        #expect(found.map(\.digest.description) == [Text.a, Text.b, Text.b, Text.c])
        #expect(found.map(\.size) == [10, 10, 10, 7])
        #expect(found.map(\.isRequired) == [true, true, false, false])
        #expect(
            found.map(\.mediaType) == [
                MediaType.ociConfig, MediaType.ociLayerGzip, MediaType.dockerForeignLayer, "x/s",
            ])
    }

    @Test("an entry of an index tells all of its platform")
    func platforms() throws {
        let platform =
            #"{"os":"windows","architecture":"arm64","variant":"v8","os.version":"10.0","os.features":["win32k"],"features":["sse4"],"x":1}"#
        let found = try parse(
            Text.index(nil, Text.descriptor(Text.a, "a/b", #","platform":\#(platform),"artifactType":"x/y""#)),
            as: MediaType.ociIndex
        ).descriptors[0]
        #expect(found.artifactType == "x/y")
        let read = try #require(found.platform)
        #expect(read.os == "windows" && read.architecture == "arm64" && read.variant == "v8")
        #expect(read.osVersion == "10.0" && read.osFeatures == ["win32k"] && read.features == ["sse4"])
    }

    @Test("a wrong size or type of what the repository has is told with its place")
    func disagreements() throws {
        let digests = try [Text.a, Text.b, Text.c].map { try Digest.parse($0) }
        let children = [Text.a, Text.b, Text.c].map { Text.descriptor($0, MediaType.ociManifest) }
        let subject = #","subject":{"mediaType":"x/s","digest":"\#(Text.c)","size":7}"#
        let index = try parse(
            Text.index(nil, children.joined(separator: ","), more: subject), as: MediaType.ociIndex)
        typealias Known = Disagreement.Known
        let good = Known(size: 10, mediaType: MediaType.ociManifest)
        #expect(index.disagreements(with: [:]).isEmpty)
        #expect(index.disagreements(with: [digests[0]: good, digests[2]: Known(size: 10)]).isEmpty)
        let found = index.disagreements(with: [
            digests[0]: Known(size: 11, mediaType: MediaType.ociManifest), digests[1]: good,
            digests[2]: Known(size: 10, mediaType: MediaType.dockerManifest),
        ])
        #expect(found.map(\.digest) == [digests[0], digests[2]])
        #expect(found.first?.message.hasPrefix("manifests[0].size: is 10, and \(Text.a) has 11 bytes") == true)
        #expect(found.last?.message.hasPrefix("manifests[2].mediaType: is '\(MediaType.ociManifest)'") == true)
        let image = try parse(Text.image(layers: Text.descriptor(Text.b, MediaType.dockerForeignLayer)))
        #expect(image.disagreements(with: [digests[1]: Known(size: 1)]).isEmpty, "a foreign layer is another's matter")
    }

    /// Numbers that look random and are the same in every run (SplitMix64).
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = (state ^ state >> 30) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
            return mixed ^ mixed >> 31
        }
    }

    private static let seeds = [
        Text.image(
            more: #","subject":{"mediaType":"x/s","digest":"\#(Text.c)","size":7},"annotations":{"a":"\u00e9b"}"#),
        Text.image(layers: [Text.a, Text.b, Text.c].map { Text.descriptor($0) }.joined(separator: " , ")),
        Text.index(nil, Text.descriptor(Text.a, "a/b", #","platform":{"os":"linux","architecture":"amd64"}"#)),
        Text.index(MediaType.ociIndex, "", more: #","x":[{"y":[1.5e3,true,null]},"\ud83d\ude00"]"#),
    ].map { Array($0.utf8) }

    private static let pieces = [
        #"{"#, "}", "[", "]", ",", ":", #"""#, #"\"#, "null", "2", "2.0", "-", "e5", #""Size":1,"#, #""size":3,"#,
        #""config":{},"#, #""layers":[],"#, #""manifests":[],"#, #"\ud83d"#, #"\u0000"#, "\u{17f}", "\u{212a}", " ",
        "\n",
        #""annotations":{"k":"v"},"#, "\u{301}", "sha256:",
    ].map { Array($0.utf8) }

    private func mutated(_ random: inout Numbers) -> [UInt8] {
        var bytes = Self.seeds.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 0...3, using: &random) {
            let at = Int.random(in: 0...bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            case 0: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random) ?? [], at: at)
            case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: at)
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...9, using: &random)))
            case 3 where at < bytes.count: bytes[at] = UInt8.random(in: 0...255, using: &random)
            default:
                let end = min(bytes.count, at + Int.random(in: 0...60, using: &random))
                bytes.insert(contentsOf: Array(bytes[at..<end]), at: Int.random(in: 0...bytes.count, using: &random))
            }
        }
        return bytes
    }

    /// The digest and size of all that an object of another reader refers to.
    private func references(_ object: [String: Any]) -> [String] {
        var all: [Any] = []
        for key in ["config", "layers", "manifests", "subject"] {
            if let list = object[key] as? [Any] { all += list } else if let one = object[key] { all.append(one) }
        }
        return all.compactMap { $0 as? [String: Any] }.map { one in
            "\(one["digest"] as? String ?? "?") \((one["size"] as? NSNumber)?.int64Value ?? -1)"
        }.sorted()
    }

    @Test("of mutated manifests those that are taken read the same by another reader", arguments: 0..<8)
    func another(seed: Int) throws {
        var random = Numbers(state: UInt64(seed))
        var taken = 0
        for _ in 0..<2500 {
            let bytes = mutated(&random)
            let type = Bool.random(using: &random) ? MediaType.ociManifest : MediaType.ociIndex
            let manifest: Manifest
            do {
                manifest = try Manifest.parse(bytes, contentType: type)
            } catch {
                #expect(error.message.utf8.count < 1000)
                continue
            }
            taken += 1
            let text = String(decoding: bytes, as: UTF8.self)
            let other = try #require(
                try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], "\(text)")
            #expect(references(other) == manifest.descriptors.map { "\($0.digest) \($0.size)" }.sorted(), "\(text)")
            let annotations = try #require(
                try JSONSerialization.jsonObject(with: Data(manifest.annotations.utf8)) as? [String: String])
            #expect(annotations == other["annotations"] as? [String: String] ?? [:], "\(text)")
        }
        #expect(taken > 100)
    }

    @Test("no bytes make it trap", arguments: 0..<4)
    func anyBytes(seed: Int) {
        var random = Numbers(state: UInt64(seed) + 100)
        let alphabet = Array(#"{}[]",:\u0d8e-+.1 "#.utf8)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                Bool.random(using: &random)
                    ? alphabet.randomElement(using: &random) ?? 0 : UInt8.random(in: 0...255, using: &random)
            }
            for start in [[], Array(#"{"schemaVersion":2,"x":"#.utf8)] {
                #expect(throws: ParseError.self) { try Manifest.parse(start + bytes, contentType: nil) }
            }
        }
    }
}
