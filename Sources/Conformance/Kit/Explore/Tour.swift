import Vocabulary

/// A second fixed game: every form of act once, so that no run leaves one to chance. Chance then combines them.
enum Tour {
    /// The stations of the tour, each with some of the acts and a game of its own.
    static let stations: [[Move]] = [
        blobs, wrong, sessions, manifests, lists, referrers, deletions, oddities, raw, races, strangers, queries,
        tokens, counts, lives,
    ].map { acts in acts.enumerated().map { Move(act: $1, seat: $0 % 3) } }

    static let config = BlobKey(number: 2, size: 700)
    static let layer = BlobKey(number: 3, size: 5_000)
    static let large = BlobKey(number: 4, size: 1_300_000)
    static let begin: [Act] = [
        .pushBlob(0, config, .put(streamed: false, escaped: true), .sha256), .pushBlob(0, layer, .stream, .sha256),
    ]
    static let image = ManifestPlan(number: 1, config: config, layers: [layer])
    static let other = ManifestPlan(number: 2, config: config)

    private static let forms: [PushForm] = [
        .single, .put(streamed: false, escaped: false), .put(streamed: true, escaped: true), .stream,
        .chunks([90, 300, 8, 44, 61, 200], ranged: true, restInPut: false),
        .chunks([100], ranged: true, restInPut: true),
        .chunks([100, 100], ranged: false, restInPut: false), .chunks([200], ranged: false, restInPut: true),
    ]
    static let keys: [BlobKey] = [
        BlobKey(number: 0, size: 0), BlobKey(number: 1, size: 1), BlobKey(number: 5, size: 900, look: .text),
        BlobKey(number: 6, size: 500, look: .gzip), BlobKey(number: 7, size: 70_003), large,
        BlobKey(number: 8, size: 5_300_017),
    ]

    private static var blobs: [Act] {
        var all: [Act] = []
        all += forms.enumerated().flatMap { number, form -> [Act] in
            let key = BlobKey(number: 100 + number, size: 1_000)
            return [
                .askBlob(0, key, .sha256, .both), .pushBlob(0, key, form, .sha256), .askBlob(0, key, .sha256, .both),
                .pushBlob(0, BlobKey(number: 120 + number, size: 1_000), form, .sha512),
                .askBlob(0, BlobKey(number: 120 + number, size: 1_000), .sha512, .both),
                .pushBlob(0, key, form, .sha256), .askBlob(1, key, .sha256, .both), .askBlob(3, key, .sha256, .head),
            ]
        }
        all += keys.flatMap { key -> [Act] in
            [.pushBlob(0, key, key.size > 2_000_000 ? .stream : .single, .sha256), .askBlob(0, key, .sha256, .both)]
        }
        all += ranges(layer, 5_000)
        all += ranges(large, 1_300_000)
        all += conditions
        return all
    }

    private static func ranges(_ key: BlobKey, _ count: Int) -> [Act] {
        let questions: [Question] = [
            .range(first: 0, last: 0), .range(first: 10, last: 19), .range(first: count - 1, last: count - 1),
            .range(first: count / 2, last: nil), .range(first: nil, last: 10), .range(first: nil, last: count * 2),
            .range(first: 0, last: count - 1), .range(first: 5, last: Int.max), .range(first: count, last: nil),
            .range(first: count * 4, last: count * 5), .range(first: nil, last: 0),
            .range(first: count - 1_200, last: count - 200),
            .oddRange("lines=1-2"), .oddRange("bytes=-"), .oddRange("bytes=a-b"), .oddRange("bytes=9-5"),
            .oddRange("0-9"),
            .oddRange("bytes="), .oddRange("bytes=99999999999999999999999-"), .oddRange("bytes=0-9,100-109"),
        ]
        return [.pushBlob(0, key, .put(streamed: false, escaped: true), .sha256)]
            + questions.map { .askBlob(0, key, .sha256, $0) }
    }

    private static var conditions: [Act] {
        var all: [Act] = []
        all += (0...3).map { .askBlob(0, layer, .sha256, .notModified($0)) }
        all += [Question.otherTag, .ifRange(same: true), .ifRange(same: false)].map { .askBlob(0, layer, .sha256, $0) }
        return all
    }

    private static var wrong: [Act] {
        var all: [Act] = []
        all += begin
        all += Wrong.allCases.enumerated().flatMap { number, wrong -> [Act] in
            let key = BlobKey(number: 130 + number, size: 800)
            let other = wrong == .digestOfAnother ? config : BlobKey(number: 140 + number, size: 800)
            return [
                .pushWrong(0, key, wrong, other: other), .askBlob(0, key, .sha256, .both),
                .askBlob(0, other, .sha256, .both),
            ]
        }
        all += [
            .mount(1, from: 0, config, escaped: true), .askBlob(1, config, .sha256, .both),
            .mount(1, from: 0, layer, escaped: false),
            .askBlob(1, layer, .sha256, .both), .mount(2, from: nil, config, escaped: true),
            .askBlob(2, config, .sha256, .get),
            .mount(2, from: 0, BlobKey(number: 150, size: 90), escaped: true),
            .mount(2, from: 3, BlobKey(number: 151, size: 90), escaped: true),
            .delete(0, .blob(layer, .sha256)), .askBlob(0, layer, .sha256, .both), .askBlob(1, layer, .sha256, .both),
            .mount(2, from: 0, layer, escaped: true), .askBlob(2, layer, .sha256, .both),
            .mount(0, from: 1, layer, escaped: true),
            .askBlob(0, layer, .sha256, .both), .cut(0, BlobKey(number: 160, size: 150_000), patch: false),
            .cut(0, BlobKey(number: 161, size: 150_000), patch: true),
        ]
        return all
    }

    private static var sessions: [Act] {
        var all: [Act] = []
        all += ChunkForm.allCases.enumerated().flatMap { number, form -> [Act] in
            let key = BlobKey(number: 170 + number, size: 3_000)
            return [
                .begin(session: number, 0, key, .sha256), .askSession(number), .chunk(session: number, 1_000, .ranged),
                .askSession(number), .chunk(session: number, 500, form), .askSession(number),
            ]
        }
        all += [
            .finish(session: 0, .wrongPlace), .askSession(0), .finish(session: 0, .rest(ranged: true)),
            .cancel(session: 1),
            .askSession(2), .askSession(3), .finish(session: 2, .patchThenPut),
            .finish(session: 3, .rest(ranged: false)),
            .begin(session: 50, 0, BlobKey(number: 190, size: 400), .sha256), .chunk(session: 50, 400, .gap),
            .askSession(50),
            .finish(session: 50, .rest(ranged: false)),
        ]
        all += ["GET", "PATCH", "PUT"].flatMap { method -> [Act] in
            [
                .touchEnded(session: 0, method: method), .touchEnded(session: 1, method: method),
                .odd(0, .upload(method)),
            ]
        }
        // An upload that nothing was wrong with.
        let clean = BlobKey(number: 191, size: 3_000)
        all += [.begin(session: 51, 0, clean, .sha256), .chunk(session: 51, 1_000, .ranged)]
        all += ["GET", "PATCH", "PUT", "DELETE"].flatMap { method -> [Act] in
            [.touchForeign(session: 51, 1, method: method), .askSession(51), .askBlob(1, clean, .sha256, .get)]
        }
        all += [
            .odd(0, .upload("DELETE")), .finish(session: 51, .rest(ranged: false)), .askBlob(0, clean, .sha256, .both),
        ]
        return all
    }

    private static var plans: [ManifestPlan] {
        var all: [ManifestPlan] = []
        all += ManifestPlan.Writing.allCases.enumerated().map { number, writing in
            ManifestPlan(number: 20 + number, config: config, layers: [layer], annotations: 3, writing: writing)
        }
        all += [
            ManifestPlan(number: 30, form: .dockerImage, config: config, layers: [layer]),
            ManifestPlan(number: 31, form: .index, children: [image, other]), ManifestPlan(number: 32, form: .index),
            ManifestPlan(
                number: 33, form: .dockerList,
                children: [ManifestPlan(number: 30, form: .dockerImage, config: config, layers: [layer])]),
            ManifestPlan(number: 34, config: config, layers: Array(repeating: layer, count: 120)),
            ManifestPlan(
                number: 35, form: .index, children: [ManifestPlan(number: 31, form: .index, children: [image, other])]),
        ]
        return all
    }

    private static var manifests: [Act] {
        var all: [Act] = []
        all += begin
        all += [
            .putManifest(0, image, .tag("one"), tags: [], .none), .putManifest(0, other, .tag("two"), tags: [], .none),
        ]
        all += plans.flatMap { plan -> [Act] in
            let digest = Reference.digest(plan, .sha256)
            return [
                .askManifest(0, digest, .both),
                .putManifest(0, plan, plan.number % 2 == 0 ? .tag("t\(plan.number)") : digest, tags: [], .none),
                .askManifest(0, digest, .both), .askManifest(0, .tag("t\(plan.number)"), .both),
                .askManifest(1, digest, .both),
                .manifestAsBlob(0, plan),
            ] + (0...5).map { .askManifest(0, plan.number % 2 == 0 ? .tag("t\(plan.number)") : digest, .accept($0)) }
        }
        all += (0...3).map { .askManifest(0, .tag("one"), .notModified($0)) }
        all += [
            .askManifest(0, .tag("one"), .otherTag), .askManifest(0, .tag("one"), .range(first: 20, last: 59)),
            .putManifest(0, image, .digest(image, .sha512), tags: [], .none),
            .askManifest(0, .digest(image, .sha512), .both),
            .putManifest(0, other, .tag("one"), tags: [], .none), .askManifest(0, .tag("one"), .both),
            .putManifest(0, image, .tag("one"), tags: [], .none), .askManifest(0, .tag("one"), .both),
            .askManifest(0, .digest(other, .sha256), .both), .blobAsManifest(0, config), .odd(0, .manifest(.big)),
        ]
        all += PushCondition.allCases.flatMap { condition -> [Act] in
            [
                .putManifest(0, other, .tag("one"), tags: [], condition), .askManifest(0, .tag("one"), .both),
                .putManifest(0, image, .tag("new-\(condition)"), tags: [], condition),
                .askManifest(0, .tag("new-\(condition)"), .both),
            ]
        }
        all += [
            .putManifest(
                0, ManifestPlan(number: 40, config: BlobKey(number: 200, size: 60), layers: [layer]), .tag("lost"),
                tags: [], .none),
            .putManifest(
                0, ManifestPlan(number: 41, config: config, layers: [BlobKey(number: 201, size: 60)]), .tag("lost"),
                tags: [], .none),
            .putManifest(
                0,
                ManifestPlan(
                    number: 42, form: .index,
                    children: [ManifestPlan(number: 43, config: BlobKey(number: 202, size: 9))]), .tag("lost"),
                tags: [], .none),
            .putManifest(1, image, .tag("elsewhere"), tags: [], .none), .askTags(0, .whole),
        ]
        return all
    }

    private static var lists: [Act] {
        var all: [Act] = []
        all += begin
        all += [.askTags(0, .whole), .askTags(0, .pages(1_000))]
        all += Player.tags.enumerated().flatMap { number, tag -> [Act] in
            [
                .putManifest(0, number % 2 == 0 ? image : other, .tag(tag), tags: [], .none),
                .askManifest(0, .tag(tag), .both), .askTags(0, .whole),
            ]
        }
        all += [1, 2, 3, 0, 14, 15, 1_000].map { .askTags(0, .pages($0)) }
        all += ["5", "V1", "v1", "v1.0", "a", "m", "zzz", "_x"].flatMap {
            [.askTags(0, .behind($0, 2)), .askTags(0, .behind($0, nil))]
        }
        all += ["-1", "abc", "1.5", "", "2147483648", "9223372036854775808", "%2B3"].map { .askTags(0, .odd($0)) }
        all += [.putManifest(1, image, .tag("x"), tags: [], .none)]
        all += [
            .pushBlob(1, config, .single, .sha256), .pushBlob(1, layer, .single, .sha256),
            .putManifest(1, image, .tag("x"), tags: [], .none),
            .askTags(1, .whole), .askCatalog(nil, behind: nil), .askCatalog(1, behind: nil), .askCatalog(1, behind: 0),
            .askCatalog(nil, behind: 0), .askCatalog(1, behind: 1), .askTags(3, .whole),
            .askManifest(3, .tag("x"), .both),
            .putManifest(0, image, .digest(image, .sha256), tags: ["q1", "q2", "q3"], .none), .askTags(0, .whole),
            .askManifest(0, .tag("q2"), .both),
        ]
        all += (0..<14).map { part in
            .putManifest(0, image, .digest(image, .sha256), tags: (0..<8).map { "bulk-\(part)-\($0)" }, .none)
        }
        all += [.askTags(0, .whole), .askTags(0, .pages(50)), .askTags(0, .behind("bulk-13-6", 5))]
        return all
    }

    private static func referrer(_ number: Int, form: ManifestPlan.Form = .image, type: String? = Player.types[0])
        -> ManifestPlan
    {
        ManifestPlan(
            number: number, form: form, config: form == .image ? config : nil, subject: [image], artifactType: type,
            configType: type == nil && form == .image ? "application/vnd.aerugo.config" : nil, annotations: number % 4)
    }

    private static var referrers: [Act] {
        var all: [Act] = []
        all += begin
        all += [
            referrer(60), referrer(61, type: nil), referrer(62, form: .index), referrer(63, form: .index, type: nil),
            referrer(64, type: Player.types[1]),
        ].flatMap { plan -> [Act] in
            [
                .askReferrers(0, image, filter: nil), .putManifest(0, plan, .digest(plan, .sha256), tags: [], .none),
                .askReferrers(0, image, filter: nil), .askReferrers(0, image, filter: plan.listedType),
                .putManifest(0, plan, .tag("r\(plan.number)"), tags: [], .none), .askReferrers(0, image, filter: nil),
                .askManifest(0, .digest(plan, .sha256), .both),
            ]
        }
        all += [
            .putManifest(0, image, .tag("subject"), tags: [], .none), .askReferrers(0, image, filter: nil),
            .askReferrers(0, other, filter: nil),
            .askReferrers(1, image, filter: nil), .putManifest(0, other, .tag("other"), tags: [], .none),
            .askReferrers(0, other, filter: nil),
            .askReferrers(0, image, filter: "application/vnd.aerugo.none"),
            .odd(0, .digest("sha256:abc", .referrers, method: "GET")),
            .odd(0, .digest("nonsense", .referrers, method: "GET")),
        ]
        all += (0..<26).map {
            .putManifest(
                0, referrer(400 + $0, type: Player.types[$0 % 3]),
                .digest(referrer(400 + $0, type: Player.types[$0 % 3]), .sha256), tags: [], .none)
        }
        all += [.askReferrers(0, image, filter: nil), .askReferrers(0, image, filter: Player.types[1])]
        all += [
            .delete(0, .manifest(referrer(60), .sha256)), .askReferrers(0, image, filter: nil),
            .askManifest(0, .tag("subject"), .both),
            .delete(0, .manifest(image, .sha256)), .askReferrers(0, image, filter: nil),
            .askManifest(0, .digest(referrer(64, type: Player.types[1]), .sha256), .get),
        ]
        return all
    }

    private static var deletions: [Act] {
        var all: [Act] = []
        all += begin
        all += [
            .putManifest(0, image, .tag("one"), tags: [], .none), .putManifest(0, other, .tag("two"), tags: [], .none),
            .putManifest(0, image, .tag("more"), tags: [], .none),
            .putManifest(
                0, ManifestPlan(number: 31, form: .index, children: [image, other]), .tag("both"), tags: [], .none),
            .putManifest(
                0, ManifestPlan(number: 31, form: .index, children: [image, other]), .tag("both2"), tags: [], .none),
            .pushBlob(1, config, .single, .sha256), .putManifest(1, other, .tag("two"), tags: [], .none),
            .askManifest(0, .tag("both"), .both), .delete(0, .tag("both2")), .askManifest(0, .tag("both2"), .both),
            .askManifest(0, .tag("both"), .both),
            .askTags(0, .whole), .delete(0, .tag("both2")),
            .delete(0, .manifest(ManifestPlan(number: 31, form: .index, children: [image, other]), .sha256)),
            .askManifest(0, .tag("both"), .both), .askTags(0, .whole), .askManifest(0, .tag("one"), .both),
            .askManifest(0, .tag("two"), .both),
            .askManifest(0, .digest(other, .sha256), .both), .delete(0, .manifest(other, .sha256)),
            .askManifest(0, .tag("two"), .both),
            .askManifest(0, .digest(other, .sha256), .both), .askManifest(1, .tag("two"), .both),
            .askBlob(0, config, .sha256, .both),
            .delete(0, .manifest(other, .sha256)), .putManifest(0, other, .tag("two"), tags: [], .none),
            .askManifest(0, .tag("two"), .both),
            .askManifest(0, .digest(other, .sha256), .both), .delete(0, .tag("more")),
            .askManifest(0, .tag("one"), .both),
            .delete(0, .manifest(image, .sha256)), .askManifest(0, .tag("one"), .both), .askTags(0, .whole),
            .askManifest(0, .tag("two"), .both),
            .askBlob(0, config, .sha256, .both), .pushBlob(0, large, .stream, .sha256),
            .askBlob(0, large, .sha256, .range(first: 5, last: 9)),
            .pushBlob(1, large, .single, .sha256), .delete(0, .blob(large, .sha256)),
            .askBlob(0, large, .sha256, .both),
            .askBlob(0, large, .sha256, .range(first: 5, last: 9)), .askBlob(1, large, .sha256, .both),
            .askBlob(0, large, .sha256, .both),
            .delete(0, .blob(large, .sha256)), .pushBlob(0, large, .single, .sha256),
            .askBlob(0, large, .sha256, .both),
            .delete(3, .blob(large, .sha256)), .delete(3, .manifest(other, .sha256)), .delete(3, .tag("x")),
            .askCatalog(nil, behind: nil),
        ]
        return all
    }

    private static var oddities: [Act] {
        var all: [Act] = []
        all += begin
        all += [.putManifest(0, image, .tag("one"), tags: [], .none)]
        all += [true, false].map { .odd(0, .version(head: $0)) }
        all += ["/nonsense/x", "/blobs/", "/x"].map { .odd(0, .route($0)) }
        all += ["POST", "PUT", "PATCH", "DELETE", "FROBNICATE"].flatMap { method in
            Oddity.Endpoint.allCases.filter { !Tour.isMeant(method, $0) }.map { .odd(0, .method(method, $0)) }
        }
        all += ["sha256:abc", "sha256:", "nonsense", "md9:d41d8cd98f00b204e9800998ecf8427e"].flatMap {
            digest -> [Act] in
            [
                .odd(0, .digest(digest, .blob, method: "GET")), .odd(0, .digest(digest, .blob, method: "HEAD")),
                .odd(0, .digest(digest, .blob, method: "DELETE")),
            ]
        }
        all += ["sha256:abc", "md5:x", "a:b:c"].map { .odd(0, .digest($0, .manifest, method: "GET")) }
        all += [".tag", "-tag", "a%20b", "t%C3%A9g", "a+b", "a@b", String(repeating: "t", count: 129)].flatMap {
            tag -> [Act] in
            [.odd(0, .tag(tag, put: true)), .odd(0, .tag(tag, put: false))]
        }
        all += [
            "Upper", "-a", "a-", ".a", "a..b", "a___b", "a._b", "a//b", "../etc", "a%2Fb", "caf%C3%A9", "a%20b",
            "a%00b", "a%FFb", "a%5Cb",
        ].map { .odd(0, .name($0, isGood: false)) }
        all += [
            "a.b", "a_b", "a__b", "a---b", "0/1/2", "a/b/c/d/e/f/g/h", "x/y", "manifests/blobs/uploads/tags/list",
            String(repeating: "n", count: 120),
        ]
        .map { .odd(0, .name($0, isGood: true)) }
        all += Oddity.BadManifest.allCases.flatMap { bad -> [Act] in [.odd(0, .manifest(bad)), .askTags(0, .whole)] }
        return all
    }

    /// Whether an endpoint has a method.
    private static func isMeant(_ method: String, _ endpoint: Oddity.Endpoint) -> Bool {
        switch endpoint {
        case .version, .tags, .referrers: false
        case .blob: method == "DELETE"
        case .manifest: method == "PUT" || method == "DELETE"
        case .uploads: method == "POST"
        }
    }

    private static var raw: [Act] {
        var all: [Act] = []
        all += begin + [.putManifest(0, image, .tag("one"), tags: [], .none)]
        all += Oddity.RawForm.allCases.map { .odd(0, .raw($0)) }
        return all
    }
}
