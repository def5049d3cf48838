/// What a request is for: the rows of a report.
package enum Operation: UInt8, CaseIterable, Sendable {
    case get, ping, token, redirected
    case manifestGet, manifestHead, manifestPut, manifestDelete
    case blobGet, blobHead, blobDelete, blobMount
    case uploadStart, uploadPatch, uploadPut, uploadOther
    case tagList, catalog, referrers, replayed
    case apiLogin, apiInfo, apiMake, apiDelete
    case apiRepositories, apiRepositorySearch, apiRepository, apiUsers, apiUserSearch, apiUser, apiAudit

    /// Place in ``allCases``, for tables on the data path.
    @inline(__always)
    var index: Int { Int(rawValue) }

    /// A short name that stays: the key in reports.
    package var name: String {
        switch self {
        case .get: "get"
        case .ping: "ping"
        case .token: "token"
        case .redirected: "blob.redirected"
        case .manifestGet: "manifest.get"
        case .manifestHead: "manifest.head"
        case .manifestPut: "manifest.put"
        case .manifestDelete: "manifest.delete"
        case .blobGet: "blob.get"
        case .blobHead: "blob.head"
        case .blobDelete: "blob.delete"
        case .blobMount: "blob.mount"
        case .uploadStart: "upload.start"
        case .uploadPatch: "upload.patch"
        case .uploadPut: "upload.put"
        case .uploadOther: "upload.other"
        case .tagList: "tags.list"
        case .catalog: "catalog"
        case .referrers: "referrers"
        case .replayed: "replayed"
        case .apiLogin: "api.login"
        case .apiInfo: "api.info"
        case .apiMake: "api.make"
        case .apiDelete: "api.delete"
        case .apiRepositories: "api.repositories"
        case .apiRepositorySearch: "api.repositories.search"
        case .apiRepository: "api.repository"
        case .apiUsers: "api.users"
        case .apiUserSearch: "api.users.search"
        case .apiUser: "api.user"
        case .apiAudit: "api.audit"
        }
    }
}

/// A part of an arrival that is told by itself, over several requests: a row of reports besides those of ``Operation``.
package enum ArrivalPart: String, CaseIterable, Sendable {
    /// Until the client has its token.
    case login
    /// From then to the last byte.
    case pull
}
