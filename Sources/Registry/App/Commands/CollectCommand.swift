import ArgumentParser

/// `aerugo gc`
struct CollectCommand: APICommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Collect now what nothing refers to any more, or list what would go and why.",
        discussion: """
            Blobs that no manifest of their repository names go gc.grace-hours after they came, or what named them went; \
            manifests that no tag, index or subject holds go after gc.untagged-days. The registry does this by itself \
            (gc.enabled). One call looks at 20,000 things: while it is not done, run it again.
            """)

    @OptionGroup var flags: AdministrationFlags
    @Flag(help: "List what would go, when and why; change nothing.")
    var dryRun = false

    func call() -> APICall { APICall(dryRun ? .get : .post, ["system", "collection"]) }
    var output: Output {
        guard dryRun else {
            return .record([
                .init("reviewed", "reviewed"), .init("blobs", "blobs"), .init("manifests", "manifests"),
                .init("bytes", "bytes"), .init("done", "done"),
            ])
        }
        return .table([
            .init("REPOSITORY", "repository"), .init("KIND", "kind"), .init("DIGEST", "digest"), .init("SIZE", "size"),
            .init("SINCE", "since"), .init("GOES AT", "goes_at"), .init("DUE", "due"), .init("WHY", "reason"),
        ])
    }
}
