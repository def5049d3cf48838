/// The first game: a fixed one, in which the choices that the specification leaves are learned.
enum Opening {
    static var steps: [Move] {
        acts.enumerated().map { Move(act: $1, seat: $0 % 2) }
    }

    private static let blob = BlobKey(number: 2, size: 700)
    private static let layer = BlobKey(number: 3, size: 5_000)
    private static let image = ManifestPlan(number: 1, config: blob, layers: [layer])
    private static let other = ManifestPlan(number: 2, config: blob)
    private static let index = ManifestPlan(number: 3, form: .index, children: [image])
    private static let docker = ManifestPlan(number: 4, form: .dockerImage, config: blob)
    private static let referrer = ManifestPlan(
        number: 5, config: blob, subject: [image], artifactType: Player.types[0])
    private static let indexReferrer = ManifestPlan(
        number: 6, form: .index, subject: [image], artifactType: Player.types[1])

    private static let acts: [Act] = blobs + manifests + deletions

    private static let blobs: [Act] = [
        .askTags(3, .whole), .pushBlob(0, blob, .single, .sha256), .askBlob(0, blob, .sha256, .both),
        .askTags(0, .whole), .pushBlob(0, layer, .put(streamed: true, escaped: true), .sha256),
        .askBlob(0, layer, .sha256, .range(first: 10, last: 19)),
        .askBlob(0, layer, .sha256, .range(first: 9_000, last: nil)),
        .askBlob(0, layer, .sha256, .notModified(0)), .askBlob(0, layer, .sha256, .otherTag),
        .mount(1, from: 0, blob, escaped: true),
        .pushBlob(1, blob, .stream, .sha256), .begin(session: 0, 0, BlobKey(number: 4, size: 90), .sha256),
        .askSession(0),
        .cancel(session: 0),
    ]

    private static let manifests: [Act] = [
        .putManifest(0, image, .tag("v1"), tags: [], .none), .askManifest(0, .tag("v1"), .both), .askTags(0, .whole),
        .putManifest(0, image, .tag("v1"), tags: [], .none), .putManifest(0, other, .tag("v1"), tags: [], .none),
        .putManifest(0, image, .digest(image, .sha256), tags: ["q1", "q2"], .none), .askCatalog(nil, behind: nil),
        .putManifest(0, index, .tag("both"), tags: [], .none), .askManifest(0, .tag("both"), .both),
        .putManifest(0, docker, .tag("docker"), tags: [], .none), .askReferrers(0, image, filter: nil),
        .putManifest(0, referrer, .digest(referrer, .sha256), tags: [], .none),
        .putManifest(0, indexReferrer, .digest(indexReferrer, .sha256), tags: [], .none),
        .askReferrers(0, image, filter: nil), .askReferrers(0, image, filter: Player.types[0]),
        .putManifest(0, other, .tag("v1"), tags: [], .ifNew), .putManifest(0, other, .tag("v1"), tags: [], .ifOther),
    ]

    private static let deletions: [Act] = [
        .delete(0, .tag("v1")), .askManifest(0, .tag("v1"), .get), .askManifest(0, .digest(other, .sha256), .get),
        .delete(0, .tag("v1")), .delete(0, .manifest(other, .sha256)), .delete(0, .manifest(other, .sha256)),
        .delete(0, .manifest(referrer, .sha256)), .delete(0, .blob(layer, .sha256)),
        .delete(1, .blob(blob, .sha256)), .delete(1, .blob(blob, .sha256)), .askTags(1, .whole),
    ]
}
