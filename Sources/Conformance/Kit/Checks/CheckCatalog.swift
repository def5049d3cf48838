/// All checks, by area.
package enum CheckCatalog {
    /// In the order in which they run and are told. The management API will have groups of its own behind these.
    package static let groups: [CheckGroup] = [
        CheckGroup("Determining support", SupportChecks.checks),
        CheckGroup("Pulling manifests", PullManifestChecks.checks),
        CheckGroup("Pulling blobs", PullBlobChecks.checks),
        CheckGroup("Ranges of blobs", RangeChecks.checks),
        CheckGroup("Conditional pulls", ConditionalChecks.checks),
        CheckGroup("Does it exist", ExistsChecks.checks),
        CheckGroup("Pushing blobs", PushBlobChecks.checks),
        CheckGroup("Single POST, digest algorithms", SinglePostChecks.checks),
        CheckGroup("Pushing in chunks", ChunkedChecks.checks),
        CheckGroup("Mounting", MountChecks.checks),
        CheckGroup("Pushing manifests", PushManifestChecks.checks),
        CheckGroup("Manifests to be refused", RefusedManifestChecks.checks),
        CheckGroup("Tags by query, conditions", TagQueryChecks.checks),
        CheckGroup("Listing tags", TagListChecks.checks),
        CheckGroup("Catalog", CatalogChecks.checks),
        CheckGroup("Referrers", ReferrersChecks.checks),
        CheckGroup("Deleting", DeleteChecks.checks),
        CheckGroup("Methods", MethodChecks.checks),
        CheckGroup("Isolation", IsolationChecks.checks),
        CheckGroup("Errors and warnings", ErrorChecks.checks),
    ]
}
