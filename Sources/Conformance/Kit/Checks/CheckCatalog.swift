/// All checks, by area.
package enum CheckCatalog {
    /// In the order in which they run and are told.
    package static let groups: [CheckGroup] = [
        CheckGroup("Determining support", SupportChecks.checks),
    ]
}
