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
        case .mediaTypeUnsupported: (415, ErrorCode.unsupported)
        case .accountUnknown: (404, ErrorCode.nameUnknown)
        case .nameTaken, .inUse, .lastOwner, .requestRunning: (409, ErrorCode.denied)
        case .keyReused: (422, ErrorCode.unsupported)
        case .storageFull: (507, ErrorCode.unavailable)
        case .unavailable: (503, ErrorCode.unavailable)
        case .internalError: (500, ErrorCode.unknown)
        }
    }

    /// The answer to a request that failed.
    static func response(
        _ error: RegistryError, _ style: Operation.ErrorStyle = .docker, _ headers: [(name: String, value: String)] = []
    ) -> Response {
        let headers = retryHeaders(error) + headers
        return style == .docker ? docker(error, headers) : problem(error, headers)
    }

    private static func retryHeaders(_ error: RegistryError) -> [(name: String, value: String)] {
        let status = table(error.code).status
        guard status == 503 || status == 429 else { return [] }
        // Rounded up: who comes too early is sent away again.
        let wait = error.retryAfter.map { $0.components.seconds + ($0.components.attoseconds > 0 ? 1 : 0) } ?? 1
        return [("Retry-After", "\(max(1, wait))")]
    }

    /// Problem details (RFC 9457): `type` is about:blank, `code` is stable, `field` is the member that is wrong.
    private static func problem(_ error: RegistryError, _ headers: [(name: String, value: String)]) -> Response {
        let (status, _) = table(error.code)
        var json = JSONObject()
        json.put("status", Int64(status))
        json.put("title", error.message)
        json.put("code", problemCode(error.code))
        for key in ["field", "name"] { if let value = error.detail[key] { json.put(key, value) } }
        return .json(status, json.text, type: "application/problem+json", headers)
    }

    /// The management API's code of an error.
    static func problemCode(_ code: RegistryError.Code) -> String {
        switch code {
        case .unauthorized: "unauthorized"
        case .credentialsInvalid: "credentials_invalid"
        case .insufficientScope: "insufficient_scope"
        case .denied: "denied"
        case .fieldInvalid: "field_invalid"
        case .mediaTypeUnsupported: "media_type_unsupported"
        case .accountNameInvalid, .nameInvalid: "name_invalid"
        case .accountUnknown, .nameUnknown, .notFound, .blobUnknown, .manifestUnknown, .blobUploadUnknown: "not_found"
        case .nameTaken: "name_taken"
        case .inUse, .contentInUse: "in_use"
        case .lastOwner: "last_owner"
        case .requestRunning: "request_running"
        case .keyReused: "idempotency_key_reused"
        case .tooManyRequests, .tooManyUploads: "too_many_requests"
        case .paginationInvalid: "page_invalid"
        case .preconditionFailed: "precondition_failed"
        case .methodNotAllowed: "method_not_allowed"
        case .unavailable, .storageFull: "unavailable"
        case .internalError: "internal"
        case .requestTimeout, .connectionCut: "timeout"
        case .blobUploadInvalid, .blobUploadBusy, .digestInvalid, .manifestBlobUnknown, .manifestInvalid,
            .manifestTooLarge, .tagInvalid,
            .rangeUnsatisfiable, .chunkOutOfOrder, .sizeInvalid, .blobTooLarge, .unsupported, .badRequest,
            .tooManyTags, .uriTooLong, .headersTooLarge, .unsupportedCoding:
            "bad_request"
        }
    }

    private static func docker(_ error: RegistryError, _ headers: [(name: String, value: String)]) -> Response {
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
        return .json(table(error.code).status, json.bytes, headers)
    }
}
