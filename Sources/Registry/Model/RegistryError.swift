/// Why a request cannot be done, in the registry's terms; HTTP turns the code into a status and the wire's code.
package struct RegistryError: Error, Sendable {
    /// What went wrong. Match on this, never on the message.
    package enum Code: Sendable, CaseIterable {
        case blobUnknown, blobUploadInvalid, blobUploadUnknown, blobUploadBusy, digestInvalid, manifestBlobUnknown
        case manifestInvalid, manifestUnknown, manifestTooLarge, nameInvalid, nameUnknown, tagInvalid
        case rangeUnsatisfiable, chunkOutOfOrder, sizeInvalid, blobTooLarge, paginationInvalid
        case unauthorized, denied, unsupported, methodNotAllowed, contentInUse, notFound, preconditionFailed, badRequest
        case tooManyUploads, requestTimeout, connectionCut, tooManyTags, uriTooLong, headersTooLarge, unsupportedCoding
        case storageFull, unavailable, internalError
        /// The token is good and does not reach that far: get one with a wider scope.
        case insufficientScope
        /// The credentials that came are wrong, expired or revoked.
        case credentialsInvalid
        /// So often that it has to wait; `retryAfter` says how long.
        case tooManyRequests
        case accountNameInvalid, fieldInvalid, mediaTypeUnsupported, accountUnknown, nameTaken, inUse, lastOwner
        /// The same request is being carried out; and: its key was another request's.
        case requestRunning, keyReused
    }

    package let code: Code
    /// Shown to the person: what is wrong and what to do.
    package let message: String
    /// For programs: what the error is about.
    package var detail: [String: String]
    /// Further errors of the same request, such as every blob that a manifest lacks.
    package var others: [RegistryError] = []
    /// How many there were besides.
    package private(set) var untold = 0
    /// For the log alone.
    package var cause: String?
    /// When to try again.
    package var retryAfter: Duration?

    /// An error with a message for the person, details for programs and a cause for the log.
    package init(_ code: Code, _ message: String, detail: [String: String] = [:], cause: String? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.cause = cause
    }

    /// Most errors that one carries, itself included.
    package static let most = 100

    /// One error for each of these, the first with the others behind it: of more than `most` the first ones are told.
    package init<Item>(each items: [Item], _ error: (Item) -> RegistryError) {
        var told = items.prefix(Self.most).map(error)
        guard !told.isEmpty else {
            self.init(.internalError, "the request failed", cause: "no error was given")
            return
        }
        self = told.removeFirst()
        others = told
        untold = items.count - told.count - 1
    }

    /// What text from outside had wrong, as the error that the API has for it.
    package init(_ error: ParseError) {
        let code: Code =
            switch error.subject {
            case .digest, .digestAlgorithm: .digestInvalid
            case .repositoryName: .nameInvalid
            case .tag, .reference: .tagInvalid
            case .range: .rangeUnsatisfiable
            case .contentRange: .blobUploadInvalid
            case .manifest, .mediaType: .manifestInvalid
            case .accountName: .accountNameInvalid
            case .password, .email: .fieldInvalid
            case .scope: .badRequest
            case .token: .credentialsInvalid
            case .keyScope, .body: .fieldInvalid
            }
        // Which member of a body it is: Docker's errors of manifests say it in their message.
        let place = error.subject == .body ? error.place : nil
        self.init(code, error.message, detail: place.map { ["field": $0] } ?? [:])
    }
}
