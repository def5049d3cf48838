import Model
import Testing
import Vocabulary

@Suite("Manifest")
struct ManifestTests {
    static let a = "sha256:" + String(repeating: "a", count: 64)
    static let b = "sha256:" + String(repeating: "b", count: 64)
    static let c = "sha512:" + String(repeating: "c", count: 128)

    static func descriptor(_ digest: String, _ type: String = MediaType.ociLayerGzip, _ more: String = "") -> String {
        #"{"mediaType":"\#(type)","digest":"\#(digest)","size":10\#(more)}"#
    }

    static func image(
        _ type: String? = MediaType.ociManifest, config: String = descriptor(a, MediaType.ociConfig),
        layers: String = descriptor(b), more: String = ""
    ) -> String {
        let mediaType = type.map { #""mediaType":"\#($0)","# } ?? ""
        return #"{"schemaVersion":2,\#(mediaType)"config":\#(config),"layers":[\#(layers)]\#(more)}"#
    }

    static func index(_ type: String? = MediaType.ociIndex, _ children: String, more: String = "") -> String {
        let mediaType = type.map { #""mediaType":"\#($0)","# } ?? ""
        return #"{"schemaVersion":2,\#(mediaType)"manifests":[\#(children)]\#(more)}"#
    }

    private func parse(_ text: String, as type: String?) throws(ParseError) -> Manifest {
        try Manifest.parse(Array(text.utf8), contentType: type)
    }

    private func texts(_ digests: [Digest]) -> [String] { digests.map(\.description) }

    @Test(
        "an image needs its configuration and layers, in order and each once",
        arguments: [MediaType.ociManifest, MediaType.dockerManifest])
    func images(type: String) throws {
        let layers = [Self.b, Self.c, Self.b].map { Self.descriptor($0) }.joined(separator: ",")
        let manifest = try parse(Self.image(type, layers: layers), as: type)
        #expect(manifest.kind == .image)
        #expect(manifest.mediaType == type)
        #expect(texts(manifest.required) == [Self.a, Self.b, Self.c])
        #expect(manifest.subject == nil)
        #expect(manifest.artifactType == MediaType.ociConfig)
        #expect(manifest.annotations == "{}")
    }

    @Test(
        "an index needs its children and tells their platforms",
        arguments: [MediaType.ociIndex, MediaType.dockerManifestList])
    func indexes(type: String) throws {
        let children = [
            Self.descriptor(Self.a, MediaType.ociManifest, #","platform":{"os":"linux","architecture":"amd64"}"#),
            Self.descriptor(Self.b, MediaType.ociManifest, #","platform":{"architecture":"arm64"}"#),
            Self.descriptor(Self.c, MediaType.ociIndex),
        ]
        let manifest = try parse(Self.index(type, children.joined(separator: ",")), as: type)
        #expect(manifest.kind == .index)
        #expect(texts(manifest.required) == [Self.a, Self.b, Self.c])
        let platforms = manifest.descriptors.map(\.platform)
        #expect(platforms.map { $0?.os } == ["linux", "", nil])
        #expect(platforms.map { $0?.architecture } == ["amd64", "arm64", nil])
        #expect(manifest.artifactType == nil)
    }

    @Test("an empty index and an image without layers are taken")
    func empty() throws {
        #expect(try parse(Self.index("application/vnd.oci.image.index.v1+json", ""), as: nil).required.isEmpty)
        #expect(texts(try parse(Self.image(layers: ""), as: nil).required) == [Self.a])
    }

    @Test("an artifact manifest of image-spec 1.1-rc needs its blobs and no schemaVersion")
    func artifactManifest() throws {
        let text =
            #"{"mediaType":"\#(MediaType.ociArtifact)","artifactType":"application/x","blobs":[\#(Self.descriptor(Self.b))],"subject":\#(Self.descriptor(Self.a))}"#
        let manifest = try parse(text, as: MediaType.ociArtifact)
        #expect(texts(manifest.required) == [Self.b])
        #expect(manifest.subject?.description == Self.a)
        #expect(manifest.artifactType == "application/x")
    }

    @Test(
        "the artifact type is the manifest's own, else an image's configuration type",
        arguments: [
            (#","artifactType":"application/vnd.sbom""#, "application/vnd.sbom"),
            (#","artifactType":"""#, MediaType.ociConfig), ("", MediaType.ociConfig),
        ])
    func artifactType(more: String, expected: String) throws {
        #expect(try parse(Self.image(more: more), as: nil).artifactType == expected)
    }

    @Test("an index without artifactType has none", arguments: ["", #","artifactType":"""#])
    func indexArtifactType(more: String) throws {
        #expect(try parse(Self.index(MediaType.ociIndex, "", more: more), as: nil).artifactType == nil)
    }

    @Test("the subject is read and not required")
    func subject() throws {
        let more = #","subject":\#(Self.descriptor(Self.c, MediaType.ociManifest)),"annotations":{"k":"v"}"#
        for manifest in [
            try parse(Self.image(more: more), as: nil),
            try parse(Self.index(MediaType.ociIndex, "", more: more), as: nil),
        ] {
            #expect(manifest.subject?.description == Self.c)
            #expect(!texts(manifest.required).contains(Self.c))
            #expect(manifest.annotations == #"{"k":"v"}"#)
        }
    }

    @Test(
        "layers that need not be distributed are not required",
        arguments: [
            MediaType.dockerForeignLayer, "application/vnd.oci.image.layer.nondistributable.v1.tar",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
            "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
        ])
    func foreignLayers(type: String) throws {
        #expect(texts(try parse(Self.image(layers: Self.descriptor(Self.b, type)), as: nil).required) == [Self.a])
    }

    @Test(
        "Content-Type and mediaType must agree; one of them may be missing",
        arguments: [
            (MediaType.ociManifest, MediaType.ociManifest, true), (MediaType.ociManifest, nil, true),
            (nil, MediaType.ociManifest, true),
            (MediaType.ociManifest + "; charset=utf-8", MediaType.ociManifest, true),
            (MediaType.ociManifest.uppercased(), MediaType.ociManifest, true),
            (MediaType.ociIndex, MediaType.ociManifest, false),
            (MediaType.dockerManifest, MediaType.ociManifest, false),
            ("application/json", MediaType.ociManifest, false),
            (nil, nil, false), ("", nil, false), ("application/json", nil, false), ("text/plain", "text/plain", false),
        ] as [(String?, String?, Bool)])
    func mediaTypes(contentType: String?, mediaType: String?, isTaken: Bool) throws {
        let text = Self.image(mediaType)
        guard isTaken else {
            #expect(throws: ParseError.self) { try parse(text, as: contentType) }
            return
        }
        #expect(try parse(text, as: contentType).mediaType == MediaType.ociManifest)
    }

    @Test("what could be read as an image and as an index is refused (CVE-2021-41190)")
    func confusion() {
        let manifests = #","manifests":[]"#
        let layers = #","layers":[]"#
        for (text, type) in [
            (Self.image(more: manifests), MediaType.ociManifest),
            (Self.image(nil, more: manifests), MediaType.ociManifest),
            (Self.image(MediaType.ociIndex, more: manifests), MediaType.ociIndex),
            (Self.index(MediaType.ociIndex, "", more: layers), MediaType.ociIndex),
            (Self.index(nil, "", more: #","config":\#(Self.descriptor(Self.a))"#), MediaType.ociIndex),
            (Self.index(nil, ""), MediaType.ociManifest), (Self.image(nil), MediaType.ociIndex),
        ] {
            let error = #expect(throws: ParseError.self, "\(text)") { try parse(text, as: type) }
            #expect(error?.subject == .manifest)
        }
    }

    @Test("a key that stands twice in an object is refused, as readers differ on which of the two counts")
    func duplicateKeys() throws {
        for text in [
            Self.image(more: #","layers":[]"#), Self.image(more: #","\u006cayers":[]"#),
            Self.image(more: #","annotations":{"a":"b","c":"d", "a" : "e"}"#),
            Self.image(layers: Self.descriptor(Self.a, MediaType.ociLayerGzip, #","size":11"#)),
            Self.image(more: #","x":[{"\"":1},{"\"":1,"\"":2}]"#),
        ] {
            let error = #expect(throws: ParseError.self, "\(text)") { try parse(text, as: MediaType.ociManifest) }
            #expect(error?.message.contains("twice") == true, "\(text)")
        }
        for text in [
            Self.image(more: #","annotations":{"layers":"layers","b":"layers","\\":"{\"b\":1,\"b\":2}"}"#),
            Self.image(more: #","x":[{"a":1},{"a":1,"b":{"a":["a","a"]}}]"#),
            Self.image(more: ",\"annotations\":{\"\u{e9}\":\"\",\"e\u{301}\":\"\"}"),
        ] { _ = try parse(text, as: MediaType.ociManifest) }
    }

    @Test(
        "what only a lenient reader takes for JSON is refused as none",
        arguments: [
            "\u{feff}" + image(), image() + ",", image() + "}", image() + " x", image(more: ","),
            image(more: #","z":01"#), image(more: #","z":1."#), image(more: #","z":.5"#), image(more: #","z":+1"#),
            image(more: #","z":-"#), image(more: #","z":1e"#), image(more: #","z":0x1"#), image(more: #","z":NaN"#),
            image(more: #","z":[1,]"#), image(more: #","z":[,1]"#), image(more: #","z":[1 2]"#),
            image(more: #","z":[1}"#),
            image(more: #","z":{"a":1,}"#), image(more: #","z":{"a"}"#), image(more: #","z":{a:1}"#),
            image(more: #","z":{1:1}"#), image(more: ",\"z\":\"\n\""), image(more: ",\"z\":\"\t\""),
            image(more: #","z":"\x""#), image(more: #","z":"\u12g4""#), image(more: #","z":'a'"#),
            image(more: #","z":tru"#), image(more: #","z":nulll"#), image(more: #","z":/**/1"#),
        ])
    func lenient(text: String) {
        let error = #expect(throws: ParseError.self) { try parse(text, as: MediaType.ociManifest) }
        #expect(error?.message.contains("not JSON") == true)
    }

    @Test("all of JSON is read, wherever a manifest may have what nobody knows")
    func wholeJSON() throws {
        for value in [
            "0", "-0", "-1.5e+10", "1E400", "true", "false", "null", #""""#, #""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#,
            "[]", "{}",
            "[ ]", "{ }", "[[],[[]],{}]", #"[1 , "a" ,{"b" : [ ] } ]"#, "\n\r\t 1 \n", "\"\u{1F600}\"",
            String(repeating: "[", count: 400) + String(repeating: "]", count: 400),
        ] { _ = try parse(Self.image(more: ",\"z\":\(value)"), as: MediaType.ociManifest) }
        let deep = String(repeating: "[", count: 501) + String(repeating: "]", count: 501)
        let error = #expect(throws: ParseError.self) {
            try parse(Self.image(more: ",\"z\":\(deep)"), as: MediaType.ociManifest)
        }
        #expect(error?.message.contains("nested") == true)
    }

    @Test(
        "a manifest of schema 1 is refused for its type",
        arguments: [
            (
                #"{"schemaVersion":1,"name":"a","tag":"b","fsLayers":[{"blobSum":"\#(a)"}],"history":[]}"#,
                MediaType.dockerSchema1
            ),
            (#"{"schemaVersion":1,"fsLayers":[],"signatures":[]}"#, MediaType.dockerSchema1Signed),
            (#"{"schemaVersion":1,"fsLayers":[]}"#, MediaType.ociManifest),
            (#"{"schemaVersion":2,"fsLayers":[1]}"#, MediaType.dockerManifest),
        ])
    func schema1(text: String, type: String) {
        let error = #expect(throws: ParseError.self) { try parse(text, as: type) }
        #expect(error?.subject == .mediaType)
    }

    @Test(
        "what lacks something or has it of the wrong type is refused",
        arguments: [
            "", " ", "null", "true", "1", "\"\"", "[]", "{}", "{", "{]", "{\"schemaVersion\":2}", "not JSON",
            #"{"schemaVersion":"2","config":{},"layers":[]}"#, #"{"schemaVersion":2.5,"config":null,"layers":[]}"#,
            #"{"schemaVersion":3,"config":\#(descriptor(a)),"layers":[]}"#,
            #"{"config":\#(descriptor(a)),"layers":[]}"#,
            #"{"schemaVersion":2,"layers":[]}"#, #"{"schemaVersion":2,"config":\#(descriptor(a))}"#,
            #"{"schemaVersion":2,"config":\#(descriptor(a)),"layers":{}}"#,
            #"{"schemaVersion":2,"config":\#(descriptor(a)),"layers":null}"#,
            #"{"schemaVersion":2,"config":\#(descriptor(a)),"layers":[null]}"#,
            #"{"schemaVersion":2,"config":[],"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"\#(a)"},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"size":1},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"\#(a)","size":-1},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"\#(a)","size":1.5},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"\#(a)","size":"1"},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"\#(a)","size":9223372036854775808},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"nonsense","size":1},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"sha256:ABC","size":1},"layers":[]}"#,
            #"{"schemaVersion":2,"config":{"digest":"md5:d41d8cd98f00b204e9800998ecf8427e","size":0},"layers":[]}"#,
            image(more: #","annotations":{"k":1}"#), image(more: #","annotations":[]"#),
            image(more: #","annotations":{"k":null}"#),
            image(more: #","subject":{"digest":"x","size":1}"#),
            image(more: #","subject":{"digest":"\#(a)","size":-1}"#),
            image(more: #","artifactType":1"#), image() + "x", image() + image(), "\u{feff}x" + image(),
        ])
    func malformed(text: String) {
        let error = #expect(throws: ParseError.self, "\(text)") { try parse(text, as: MediaType.ociManifest) }
        #expect(error?.message.isEmpty == false)
    }

    @Test(
        "a malformed entry of an index is refused",
        arguments: [#"{"digest":"x","size":1}"#, #"{"digest":"\#(a)","size":-5}"#, "1", "null"])
    func malformedIndex(child: String) {
        #expect(throws: ParseError.self) { try parse(Self.index(nil, child), as: MediaType.ociIndex) }
        #expect(throws: ParseError.self) { try parse(#"{"schemaVersion":2}"#, as: MediaType.ociIndex) }
    }

    @Test("UTF-16, UTF-32, NUL and bytes that are not UTF-8 are refused")
    func encodings() {
        let text = Self.image()
        let utf16 = text.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        let variants: [[UInt8]] = [
            utf16, [0xff, 0xfe] + utf16, text.utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xff)] },
            text.unicodeScalars.flatMap { [UInt8($0.value & 0xff), 0, 0, 0] }, Array(text.utf8) + [0],
            Array(Self.image(more: #","annotations":{"k":""#).utf8) + [0xff] + Array(#""}}"#.utf8), [0xc0, 0x80],
        ]
        for bytes in variants {
            let error = #expect(throws: ParseError.self) {
                try Manifest.parse(bytes, contentType: MediaType.ociManifest)
            }
            #expect(error?.subject == .manifest)
        }
    }

    @Test("nesting without end is refused, not followed", arguments: ["[", #"{"a":"#])
    func nesting(open: String) {
        for prefix in ["", #"{"schemaVersion":2,"x":"#] {
            let text = prefix + String(repeating: open, count: 200_000)
            #expect(throws: ParseError.self) { try parse(text, as: MediaType.ociManifest) }
        }
        let closed = String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000)
        #expect(throws: ParseError.self) { try parse(Self.image(more: #","x":"# + closed), as: MediaType.ociManifest) }
    }

    @Test("fields that nobody knows, and text outside of ASCII, are let pass")
    func unknownFields() throws {
        let manifest = try parse(
            Self.image(more: #","x":{"y":[1,null,true]},"annotations":{"größe":"🐳\u0041\n"}"#),
            as: MediaType.ociManifest)
        #expect(manifest.annotations == #"{"größe":"🐳\u0041\n"}"#)
    }

    @Test("a message stays short whatever the manifest says")
    func shortMessages() {
        let long = String(repeating: "x", count: 1 << 20)
        for text in [
            Self.image(long), Self.image(config: Self.descriptor("sha256:" + long)),
            Self.image(config: Self.descriptor(long)),
            Self.image(more: #","annotations":{"\#(long)":1}"#),
        ] {
            let error = #expect(throws: ParseError.self) { try parse(text, as: nil) }
            #expect((error?.message.utf8.count ?? .max) < 1000)
        }
    }
}
