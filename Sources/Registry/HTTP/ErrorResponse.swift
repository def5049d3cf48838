import Model
import Vocabulary

/// The one place where an error becomes a status and a body (distribution-spec "Error Codes").
enum ErrorResponse {
    /// Status and wire code of every error.
    static func table(_ code: RegistryError.Code) -> (status: Int, code: String) {
        switch code {
        case .blobUnknown: (404, ErrorCode.blobUnknown)
        case .blobUploadInvalid: (400, ErrorCode.blobUploadInvalid)
        case .blobUploadUnknown: (404, ErrorCode.blobUploadUnknown)
        case .blobUploadBusy: (409, ErrorCode.blobUploadInvalid)
        case .digestInvalid: (400, ErrorCode.digestInvalid)
        case .manifestBlobUnknown: (404, ErrorCode.manifestBlobUnknown)
        case .manifestInvalid: (400, ErrorCode.manifestInvalid)
        case .manifestUnknown: (404, ErrorCode.manifestUnknown)
        case .manifestTooLarge: (413, ErrorCode.sizeInvalid)
        case .nameInvalid: (400, ErrorCode.nameInvalid)
        case .nameUnknown: (404, ErrorCode.nameUnknown)
        case .tagInvalid: (400, ErrorCode.manifestInvalid)
        case .rangeUnsatisfiable: (416, ErrorCode.sizeInvalid)
        case .chunkOutOfOrder: (416, ErrorCode.blobUploadInvalid)
        case .sizeInvalid: (400, ErrorCode.sizeInvalid)
        case .blobTooLarge: (413, ErrorCode.sizeInvalid)
        case .paginationInvalid: (400, ErrorCode.unsupported)
        case .unauthorized: (401, ErrorCode.unauthorized)
        case .denied: (403, ErrorCode.denied)
        case .unsupported: (400, ErrorCode.unsupported)
        case .methodNotAllowed, .contentInUse: (405, ErrorCode.unsupported)
        case .notFound: (404, ErrorCode.unsupported)
        case .preconditionFailed: (412, ErrorCode.denied)
        case .badRequest: (400, ErrorCode.unsupported)
        case .requestTimeout, .connectionCut: (408, ErrorCode.unsupported)
        case .tooManyTags, .uriTooLong: (414, ErrorCode.unsupported)
        case .tooManyUploads: (429, ErrorCode.tooManyRequests)
        case .headersTooLarge: (431, ErrorCode.unsupported)
        case .unsupportedCoding: (501, ErrorCode.unsupported)
        case .insufficientScope, .credentialsInvalid: (401, ErrorCode.unauthorized)
        case .tooManyRequests: (429, ErrorCode.tooManyRequests)
        case .accountNameInvalid: (400, ErrorCode.nameInvalid)
        case .fieldInvalid: (400, ErrorCode.unsupported)
        case .accountUnknown: (404, ErrorCode.nameUnknown)
        case .nameTaken, .inUse, .lastOwner: (409, ErrorCode.denied)
        case .storageFull: (507, ErrorCode.unavailable)
        case .unavailable: (503, ErrorCode.unavailable)
        case .internalError: (500, ErrorCode.unknown)
        }
    }

    /// The answer to a request that failed.
    static func response(_ error: RegistryError, _ headers: [(name: String, value: String)] = []) -> Response {
        var json = JSONText()
        json.raw(#"{"errors":"#)
        var told = [error] + error.others
        if error.untold > 0 { told.append(RegistryError(error.code, "… and \(error.untold) more")) }
        json.array(told) { json, error in
            json.raw(#"{"code":"#)
            json.string(table(error.code).code)
            json.raw(#","message":"#)
            json.string(error.message)
            if !error.detail.isEmpty {
                json.raw(#","detail":"#)
                json.object(error.detail.sorted { $0.key < $1.key })
            }
            json.raw("}")
        }
        json.raw("}")
        let status = table(error.code).status
        return .json(status, json.bytes, (status == 503 || status == 429 ? [("Retry-After", "1")] : []) + headers)
    }
}
