import Model

/// The shapes of repositories and what they have.
extension Shape {
    private static let count = bytes
    private static let words = Shape.text(0...255)

    static let repository = Shape.object("Repository", repositoryMembers)
    static let deletedRepository = Shape.object(
        "DeletedRepository", repositoryMembers + [.required("deleted_at", .nullable(.time), "")])
    static let newRepository = Shape.object(
        "NewRepository",
        [
            .required("name", .repositoryName, "With its namespace: `acme/app`."),
            .optional("visibility", visibility, "Left out: as the registry's operator has set it for pushes."),
            .optional("description", .nullable(prose), ""),
        ])
    static let repositoryChange = Shape.object(
        "RepositoryChange",
        [
            .optional("visibility", visibility, "Whether everybody may pull."),
            .optional("description", prose, ""),
        ])

    private static let repositoryMembers: [Member] = [
        .required("name", .repositoryName, ""), .required("visibility", visibility, ""),
        .required("description", prose, ""), .required("tags", count, "How many."),
        .required("manifests", count, "How many."), .required("blobs", count, "How many."),
        .required("bytes", bytes, "Of its manifests, and of its blobs, each once."),
        .required(
            "logical_bytes", bytes,
            "Of what its tags point to, each tag for itself: what it would take if nothing were shared."),
        .required("pulls", count, "Of manifests; some seconds late."), .required("created_at", .time, ""),
        .required("pushed_at", .nullable(.time), "When content last came."),
        .required("pulled_at", .nullable(.time), "When a manifest was last pulled; some seconds late."),
    ]

    // MARK: permissions

    static let permission = Shape.object(
        "Permission",
        [
            .required(
                "grantee", .text(1...200), "`user:NAME`, `team:ORGANIZATION/TEAM` or `robot:ORGANIZATION+ROBOT`."),
            .required("actions", actions, ""),
        ])
    static let newPermission = Shape.object("NewPermission", [.required("actions", someActions, "One or more.")])
    static let effectivePermission = Shape.object(
        "EffectivePermission",
        [
            .required("grantee", .text(1...200), ""),
            .required("actions", actions, "All that it comes to."),
            .required(
                "why",
                .list(
                    .object(
                        "Reason",
                        [
                            .required(
                                "rule", .oneOf(["administrator", "owner", "role", "permission", "public"]), ""),
                            .required("detail", .text(0...200), "The role, or to whom the permission was given."),
                            .required("actions", actions, "What this rule gives."),
                        ])), "Each rule that gives something."),
        ])

    // MARK: tags

    static let tag = Shape.object(
        "Tag",
        [
            .required("name", .text(1...128), ""), .required("digest", digest, ""),
            .required("media_type", words, ""), .required("artifact_type", .nullable(words), ""),
            .required("size", bytes, "Of manifest, config and layers; of an index, of itself."),
            .required(
                "platforms",
                .list(
                    .object(
                        "Platform",
                        [
                            .required("os", words, ""), .required("architecture", words, ""),
                            .required("variant", .nullable(words), ""), .required("digest", digest, ""),
                            .required("size", .nullable(bytes), "null where the repository lacks it."),
                        ])), "Of an index: where its images run."),
            .required("pushed_at", .time, "When it was last pointed elsewhere."),
            .required("pushed_by", .nullable(words), "null where that is forgotten."),
            .required("pulled_at", .nullable(.time), "Some seconds late."),
        ])
    static let tagMove = Shape.object(
        "TagMove",
        [
            .required("digest", .nullable(digest), "null where it was deleted."),
            .required("available", .flag, "Whether the repository still has that manifest."),
            .required("by", words, ""), .required("at", .time, ""),
        ])
    static let tagTarget = Shape.object("TagTarget", [.required("digest", digest, "")])

    // MARK: manifests and blobs

    private static let content: [Member] = [.required("digest", digest, ""), .required("size", bytes, "")]

    static let manifest = Shape.object(
        "Manifest",
        [
            .required("digest", digest, ""), .required("media_type", words, ""),
            .required("artifact_type", .nullable(words), ""), .required("size", bytes, "Of the manifest alone."),
            .required("content_size", bytes, "Of config and layers."), .required("subject", .nullable(digest), ""),
            .required("annotations", .anything, ""),
            .required("config", .nullable(.object("Content", content)), ""),
            .required("layers", .list(.object("Content", content)), ""),
            .required(
                "manifests",
                .list(
                    .object(
                        "Child",
                        content + [
                            .required("os", .nullable(words), ""), .required("architecture", .nullable(words), ""),
                            .required("variant", .nullable(words), ""),
                        ])), "Of an index."),
            .required("truncated", .flag, "Whether there are more than are told: 1000 are."),
            .required("tags", .list(.text(1...128)), "That point to it."), .required("pushed_at", .time, ""),
        ])
    static let blob = Shape.object("Blob", content + [.required("pushed_at", .time, "")])
    /// Four deep, as deep as a tree is looked at.
    static let referrers = Shape.object("Referrers", [.required("referrers", .list(referrer(depth: 4)), "")])

    private static func referrer(depth: Int) -> Shape {
        let behind: Shape = depth > 1 ? referrer(depth: depth - 1) : .anything
        return .object(
            "Referrer\(depth)",
            [
                .required("digest", digest, ""), .required("media_type", words, ""),
                .required("artifact_type", .nullable(words), ""), .required("size", bytes, ""),
                .required("annotations", .anything, ""), .required("referrers", .list(behind), "What refers to it."),
            ])
    }
}
