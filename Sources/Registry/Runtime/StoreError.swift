/// What a store could not do.
package struct StoreError: Error, Sendable {
    /// The kinds that callers tell apart.
    package enum Code: Sendable {
        /// No such object.
        case missing
        /// No space, or a quota of the file system or database is used up.
        case full
        /// Another writer was in the way.
        case conflict
        /// Too much is waiting already, or the wait took too long.
        case overloaded
        /// What is stored is not what was stored.
        case damaged
        /// One row of it cannot be used; the store is all right.
        case unusable
        /// Who asked for it may not do it any more.
        case refused
        /// Anything else; the store may work again later.
        case unavailable
    }

    package let code: Code
    /// For the log.
    package let cause: String

    /// An error of this kind; `cause` is for the log alone.
    package init(_ code: Code, _ cause: String) {
        self.code = code
        self.cause = cause
    }
}
