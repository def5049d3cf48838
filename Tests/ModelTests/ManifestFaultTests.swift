import Model
import Testing
import Vocabulary

/// What of a manifest is refused, and that the message says where and why.
@Suite("Faults of a manifest")
struct ManifestFaultTests {
    private typealias Text = ManifestTests

    private func message(_ text: String, as type: String? = MediaType.ociManifest) -> String {
        do {
            _ = try Manifest.parse(Array(text.utf8), contentType: type)
            return "taken"
        } catch {
            return error.message
        }
    }

    @Test(
        "a key that differs from a defined one only in case is refused: Go's clients read it as that one",
        arguments: [
            (Text.image(more: #","Layers":[]"#), "the manifest has the key 'Layers'", "'layers'"),
            (Text.image(more: #","MediaType":"a/b""#), "the manifest has the key 'MediaType'", "'mediaType'"),
            (Text.image(more: #","SCHEMAVERSION":2"#), "the manifest has the key 'SCHEMAVERSION'", "'schemaVersion'"),
            (Text.image(more: #","layer\u017f":[]"#), "the manifest has the key 'layerſ'", "'layers'"),
            (Text.image(more: #","layerſ":[]"#), "the manifest has the key 'layerſ'", "'layers'"),
            (Text.image(more: #","ſubject":null"#), "the manifest has the key 'ſubject'", "'subject'"),
            (Text.image(more: #","Manifests":[]"#), "the manifest has the key 'Manifests'", "'manifests'"),
            (Text.image(more: #","fsLayerS":[]"#), "the manifest has the key 'fsLayerS'", "'fsLayers'"),
            (
                Text.image(config: Text.descriptor(Text.a, "a/b", #","Size":1"#)), "config has the key 'Size'",
                "'size'"
            ),
            (
                Text.image(layers: Text.descriptor(Text.a) + "," + Text.descriptor(Text.a, "a/b", #","\u0055rls":[]"#)),
                "layers[1] has the key 'Urls'", "'urls'"
            ),
            (
                Text.image(more: #","subject":{"digest":"\#(Text.a)","size":1,"Digest":"\#(Text.b)"}"#),
                "subject has the key 'Digest'", "'digest'"
            ),
            (
                Text.index(nil, Text.descriptor(Text.a, "a/b", #","platform":{"OS":"linux"}"#)),
                "manifests[0].platform has the key 'OS'", "'os'"
            ),
            (
                Text.index(nil, Text.descriptor(Text.a, "a/b", #","platform":{"oſ.Version":"1"}"#)),
                "manifests[0].platform has the key 'oſ.Version'", "'os.version'"
            ),
        ])
    func variants(text: String, place: String, name: String) {
        let said = message(text, as: text.contains(#""manifests""#) ? MediaType.ociIndex : MediaType.ociManifest)
        #expect(said.hasPrefix(place) && said.contains(name), "\(said)")
    }

    @Test("keys that nobody defined may differ only in case, and annotations may be called as they like")
    func others() throws {
        for more in [
            #","x":1,"X":2,"k":4,"K":5,"\u212a":6"#, #","annotations":{"size":"","Size":"","SIZE":"","ſize":""}"#,
            #","layerss":[],"layer":[],"":1,"layerß":1"#,
        ] { #expect(message(Text.image(more: more)) == "taken", "\(more)") }
    }

    @Test(
        "a size is a whole number as typed clients read it, and the message says which",
        arguments: [
            "2.0", "2e0", "2E+0", "20e-1", "-1", "-0", "0.0", "9223372036854775808", "18446744073709551617",
            "1" + String(repeating: "0", count: 1000), "1e400", #""2""#, "null", "true", "[2]", "{}",
        ])
    func sizes(size: String) {
        let children = Text.descriptor(Text.a) + #",{"digest":"\#(Text.b)","size":\#(size)}"#
        let said = message(Text.index(nil, children), as: MediaType.ociIndex)
        #expect(said.hasPrefix("manifests[1].size: must be a whole number from 0"), "\(said)")
        #expect(
            message(Text.image(config: #"{"digest":"\#(Text.b)","size":\#(size)}"#)).hasPrefix("config.size: must be"))
    }

    @Test("sizes up to the largest that typed clients read are taken", arguments: [0, 1, Int64.max])
    func goodSizes(size: Int64) throws {
        let text = Text.image(config: #"{"digest":"\#(Text.b)","size":\#(size)}"#)
        #expect(try Manifest.parse(Array(text.utf8), contentType: MediaType.ociManifest).descriptors[0].size == size)
    }

    @Test("the version is an integer too", arguments: ["2.0", "2e0", "3", "-2", #""2""#, "22222222222222222222"])
    func version(number: String) {
        let text = Text.image().replacing(#""schemaVersion":2"#, with: #""schemaVersion":\#(number)"#)
        #expect(message(text).hasPrefix("schemaVersion: must be"))
    }

    @Test(
        "half of a surrogate pair is refused, with the key and the fault",
        arguments: [
            (#","annotations":{"org.opencontainers.image.description":"ab\ud83d"}"#, "\\ud83d"),
            (#","annotations":{"org.opencontainers.image.description":"\ud83d\ud83d\ude00"}"#, "\\ud83d"),
            (#","annotations":{"org.opencontainers.image.description":"\uDE00"}"#, "\\uDE00"),
            (#","annotations":{"org.opencontainers.image.description":"\ud83dx"}"#, "\\ud83d"),
            (#","annotations":{"org.opencontainers.image.description":"\ud83d\n"}"#, "\\ud83d"),
        ])
    func surrogates(more: String, half: String) {
        let said = message(Text.image(more: more))
        let place = #"annotations["org.opencontainers.image.description"]: \#(half) at byte "#
        #expect(said.hasPrefix(place) && said.contains("half of a surrogate pair"), "\(said)")
        #expect(message(Text.image(more: #","x":["\udfff"]"#)).hasPrefix("x[0]: \\udfff at byte"))
        #expect(message(Text.image(more: #","annotations":{"\ud83d\ude00":"\uD83D\uDE00"}"#)) == "taken")
    }

    @Test(
        "every message says where",
        arguments: [
            (Text.image(config: #"{"size":1}"#), "config: lacks 'digest'"),
            (Text.image(config: #"{"digest":"\#(Text.a)"}"#), "config: lacks 'size'"),
            (Text.image(config: "[]"), "config: must be an object"),
            (Text.image(layers: "3"), "layers[0]: must be an object"),
            (Text.image(layers: Text.descriptor("sha256:x")), "layers[0].digest: 'sha256:x' is not a digest"),
            (Text.image(more: #","annotations":{"a.b":1}"#), #"annotations["a.b"]: must be text"#),
            (Text.image(more: #","annotations":{"a":null}"#), "annotations.a: must be text"),
            (Text.image(more: #","annotations":[]"#), "annotations: must be an object"),
            (Text.image(more: #","artifactType":"a\u0000b""#), "artifactType: there is a NUL"),
            (Text.image(layers: Text.descriptor(Text.a, "a/b", #","urls":"x""#)), "layers[0].urls: must be an array"),
            (Text.image(layers: Text.descriptor(Text.a, "a/b", #","urls":[1]"#)), "layers[0].urls[0]: must be text"),
            (Text.image(layers: Text.descriptor(Text.a, "a/b", #","data":"e3=""#)), "layers[0].data: must be base64"),
            (
                Text.image(layers: Text.descriptor(Text.a, "a/b", #","annotations":{"k":[]}"#)),
                "layers[0].annotations.k: must be text"
            ),
            (
                Text.image(layers: Text.descriptor(Text.a, "a/b", #","platform":{"os.features":[true]}"#)),
                #"layers[0].platform["os.features"][0]: must be text"#
            ),
            (Text.image(more: #","x":{"y":[0,{"a":1,"a":2}]}"#), "x.y[1] has the key 'a' twice"),
            (Text.image(more: #","x":{"y":[0,01]}"#), "the manifest is not JSON: see byte"),
            (Text.image(layers: Text.descriptor(Text.a) + ","), "the manifest is not JSON: see byte"),
            ("[]", "the manifest: must be an object"), ("", "the manifest is not JSON: see byte 0 of 0"),
        ])
    func places(text: String, start: String) {
        let said = message(text)
        #expect(said.hasPrefix(start), "\(said)")
    }

    @Test("null stands for what may be left out, but for keys that would make it two kinds of manifest")
    func nulls() {
        let none = #","subject":null,"annotations":null,"artifactType":null,"blobs":null"#
        #expect(message(Text.image(more: none)) == "taken")
        let descriptor = #","urls":null,"data":null,"annotations":null,"artifactType":null,"platform":null"#
        #expect(message(Text.image(layers: Text.descriptor(Text.a, "a/b", descriptor))) == "taken")
        #expect(message(Text.image(more: #","manifests":null"#)).contains("must not have 'manifests'"))
        #expect(message(Text.image(more: #","fsLayers":null"#)).contains("are not taken"))
        #expect(
            message(Text.index(nil, "", more: #","layers":null"#), as: MediaType.ociIndex).contains("must not have"))
    }

    @Test("a message is bounded in bytes, whatever is in the manifest")
    func bounded() {
        let accents = String(repeating: "\u{301}", count: 1 << 20)
        let deep = String(repeating: #"{"\#(String(repeating: "k", count: 500))":["#, count: 249)
        for text in [
            Text.image("a" + accents), Text.image(config: Text.descriptor("a" + accents)),
            Text.image(more: #","annotations":{"a\#(accents)":1}"#),
            Text.image(more: #","annotations":{"a\#(accents)":"","a\#(accents)":""}"#),
            Text.image(more: #","x":"# + deep),
        ] {
            let said = message(text, as: nil)
            #expect(said.utf8.count < 1000 && said != "taken")
        }
        #expect(("a" + accents).excerpt.utf8.count == 102)
        #expect(String(repeating: "é", count: 51).excerpt == String(repeating: "é", count: 50) + "…")
        #expect(String(repeating: "😀", count: 30).excerpt == String(repeating: "😀", count: 25) + "…")
        #expect((String(repeating: "a", count: 99) + "😀").excerpt == String(repeating: "a", count: 99) + "…")
        #expect(String(repeating: "a", count: 100).excerpt.utf8.count == 100)
    }

    @Test("of many errors a hundred are told, and how many there are more")
    func manyErrors() {
        let one = RegistryError(each: Array(0..<100)) { RegistryError(.manifestBlobUnknown, "\($0)") }
        #expect(one.message == "0" && one.others.map(\.message) == (1..<100).map(String.init))
        let more = RegistryError(each: Array(0..<44_000)) { RegistryError(.manifestBlobUnknown, "\($0)") }
        #expect(more.others.count == 99 && more.untold == 43900)
        #expect(RegistryError(each: [Int]()) { RegistryError(.denied, "\($0)") }.code == .internalError)
    }
}
