/// All checks, by area.
package enum CheckCatalog {
    /// In the order in which they run and are told. The management API will have groups of its own behind these.
    /// What no document demands stands in a group of its own.
    package static let groups: [CheckGroup] =
        areas.map { area in CheckGroup(area.title, area.checks.filter { !$0.isOpinion }) }
        + [CheckGroup("Opinions of a good registry", areas.flatMap(\.checks).filter(\.isOpinion))]

    private static let areas: [CheckGroup] = [
        CheckGroup("Determining support", SupportChecks.checks),
        CheckGroup("Pulling manifests", PullManifestChecks.checks),
        CheckGroup("Pulling blobs", PullBlobChecks.checks + RedirectChecks.checks),
        CheckGroup("Bytes of blobs", BlobBytesChecks.checks),
        CheckGroup("Ranges of blobs", RangeChecks.checks),
        CheckGroup("Conditional pulls", ConditionalChecks.checks),
        CheckGroup("Does it exist", ExistsChecks.checks),
        CheckGroup("What answers agree in", AgreementChecks.checks),
        CheckGroup("Pushing blobs", PushBlobChecks.checks),
        CheckGroup("Single POST, digest algorithms", SinglePostChecks.checks),
        CheckGroup("Pushing in chunks", ChunkedChecks.checks + ChunkSeriesChecks.checks),
        CheckGroup("Mounting", MountChecks.checks),
        CheckGroup("Pushing manifests", PushManifestChecks.checks),
        CheckGroup("Legal and seldom", LegalChecks.checks),
        CheckGroup("Manifests to be refused", RefusedManifestChecks.checks),
        CheckGroup("Tags by query, conditions", TagQueryChecks.checks),
        CheckGroup("Listing tags", TagListChecks.checks),
        CheckGroup("Catalog", CatalogChecks.checks),
        CheckGroup("Referrers", ReferrersChecks.checks + ReferrerEntryChecks.checks + SubjectChecks.checks),
        CheckGroup("Deleting", DeleteChecks.checks),
        CheckGroup("What stays", StateChecks.checks),
        CheckGroup("Nothing stale", CacheChecks.checks),
        CheckGroup("Methods", MethodChecks.checks),
        CheckGroup("What an answer says of itself", MessageChecks.checks),
        CheckGroup("Isolation", IsolationChecks.checks),
        CheckGroup("Repository names", NameChecks.checks),
        CheckGroup("Odd bytes, floods, slow clients", RobustnessChecks.checks),
        CheckGroup("Many clients at once", ConcurrencyChecks.checks),
        CheckGroup("Many nodes", NodeChecks.checks),
        CheckGroup("Cut connections", ResumeChecks.checks),
        CheckGroup("Advisories", AdvisoryChecks.checks),
        CheckGroup("Tokens", TokenChecks.checks + LoginChecks.checks + ForgedTokenChecks.checks),
        CheckGroup("Two identities", TenantChecks.checks + TenantMatrixChecks.checks),
        CheckGroup("Read only", GivenChecks.checks),
        CheckGroup("Gigabytes", LargeChecks.checks),
        CheckGroup("A model that plays", PlayRule.checks),
        CheckGroup("Error codes", ErrorCodeChecks.checks),
        CheckGroup("Errors and warnings", ErrorChecks.checks),
        CheckGroup("Header lines", HeaderChecks.checks),
    ]
}
