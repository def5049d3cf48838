import ArgumentParser

/// `aerugo tag`
struct TagCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Tags of repositories: what they point to, and where they have pointed.",
        subcommands: [ListTags.self, ShowTag.self, TagHistory.self, RestoreTag.self, DeleteTag.self])
}

/// A tag of a repository.
private struct TagArgument: ExpressibleByArgument {
    let text: String
    let segments: [String]

    /// Reads `REPOSITORY:TAG`.
    init?(argument: String) {
        guard let colon = argument.lastIndex(of: ":") else { return nil }
        let (repository, tag) = (String(argument[..<colon]), String(argument[argument.index(after: colon)...]))
        guard !repository.isEmpty, !tag.isEmpty, !tag.contains("/") else { return nil }
        text = argument
        segments = ["repositories", repository, "tags", tag]
    }
}

private struct ListTags: APICommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List the tags of a repository.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "The repository's name.") var repository: String
    @Option(help: "Only those whose names have this in them.") var containing: String?

    func call() -> APICall {
        APICall(.get, ["repositories", repository, "tags"], query: containing.map { [("q", $0)] } ?? [])
    }

    var output: Output {
        .table([
            .init("NAME", "name"), .init("DIGEST", "digest"), .init("SIZE", "size"), .init("PUSHED", "pushed_at"),
            .init("BY", "pushed_by"), .init("PULLED", "pulled_at"),
        ])
    }
}

private struct ShowTag: APICommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Show a tag.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "REPOSITORY:TAG.") var tag: TagArgument

    func call() -> APICall { APICall(.get, tag.segments) }
    var output: Output {
        .record([
            .init("name", "name"), .init("digest", "digest"), .init("type", "media_type"),
            .init("artifact", "artifact_type"), .init("size", "size"), .init("platforms", "platforms"),
            .init("pushed", "pushed_at"), .init("by", "pushed_by"), .init("pulled", "pulled_at"),
        ])
    }
}

private struct TagHistory: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "List where a tag has pointed, newest first, also of one that was deleted.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "REPOSITORY:TAG.") var tag: TagArgument

    func call() -> APICall { APICall(.get, tag.segments + ["history"]) }
    var output: Output {
        .table([.init("AT", "at"), .init("BY", "by"), .init("DIGEST", "digest"), .init("STILL THERE", "available")])
    }
}

private struct RestoreTag: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "restore",
        abstract: "Point a tag to a manifest that the repository has, such as one of its history.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "REPOSITORY:TAG.") var tag: TagArgument
    @Argument(help: "The manifest's digest.") var digest: String

    func call() -> APICall { APICall(.post, tag.segments + ["restore"], body: ["digest": digest]) }
    var output: Output { .sentence("\(tag.text) points to \(digest)") }
}

private struct DeleteTag: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "delete", abstract: "Delete a tag; what it points to stays.")

    @OptionGroup var flags: AdministrationFlags
    @Argument(help: "REPOSITORY:TAG.") var tag: TagArgument

    func call() -> APICall { APICall(.delete, tag.segments) }
    var output: Output { .sentence("\(tag.text) deleted") }
}
