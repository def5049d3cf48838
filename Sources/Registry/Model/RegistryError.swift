/// Why a request cannot be done, in the registry's terms; HTTP turns the code into a status and the wire's code.
package struct RegistryError: Error, Sendable {
    /// What went wrong. Match on this, never on the message.
    package enum Code: Sendable, CaseIterable {
        case blobUnknown, blobUploadInvalid, blobUploadUnknown, blobUploadBusy, digestInvalid, manifestBlobUnknown
        case manifestInvalid, manifestUnknown, manifestTooLarge, nameInvalid, nameUnknown, tagInvalid
        case rangeUnsatisfiable, chunkOutOfOrder, sizeInvalid, blobTooLarge, paginationInvalid
        case unauthorized, denied, unsupported, methodNotAllowed, contentInUse, notFound, preconditionFailed, badRequest
        case requestTimeout, connectionCut, tooManyTags, uriTooLong, headersTooLarge, unsupportedCoding
        case storageFull, unavailable, internalError
    }

    package let code: Code
    /// Shown to the person: what is wrong and what to do.
    package let message: String
    /// For programs: what the error is about.
    package var detail: [String: String]
    /// Further errors of the same request, such as every blob that a manifest lacks.
    package var others: [RegistryError] = []
    /// For the log alone.
    package var cause: String?

    /// An error with a message for the person, details for programs and a cause for the log.
    package init(_ code: Code, _ message: String, detail: [String: String] = [:], cause: String? = nil) {
        self.code = code
        self.message = message
        self.detail = detail
        self.cause = cause
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
            }
        self.init(code, error.message)
    }
}
