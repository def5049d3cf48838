/// How a blob is pushed.
enum PushForm: Hashable, Sendable {
    /// One POST with digest and body; a registry may answer 202 and have it finished by PUT.
    case single
    /// POST, then one PUT, with `Content-Length` or in chunked transfer coding.
    case put(streamed: Bool, escaped: Bool)
    /// POST, PATCHes of these sizes, each with its `Content-Range` or without, then a PUT, which brings the rest.
    case chunks([Int], ranged: Bool, restInPut: Bool)
    /// POST, one PATCH in chunked transfer coding, PUT: as docker does.
    case stream
}

/// What is wrong with a push that has to be refused.
enum Wrong: Hashable, Sendable, CaseIterable {
    /// The digest is that of other content.
    case digest
    /// The digest is that of a blob that is there.
    case digestOfAnother
    /// The digest is none.
    case malformed
    /// The closing PUT names no digest.
    case none
    /// The digest is that of the last chunk alone.
    case lastChunk
    /// The digest is that of other content, by sha512.
    case sha512
    /// The digest is that of other content, in a single POST.
    case single
    /// The digest is that of other content, behind a PATCH in chunked transfer coding.
    case streamed
}

/// How a chunk says where it belongs.
enum ChunkForm: Hashable, Sendable, CaseIterable {
    case ranged
    case unranged
    case streamed
    /// Leaves a gap.
    case gap
    /// Was sent already.
    case repeated
    /// A `Content-Range` of another length than the body's.
    case longer
    /// A `Content-Range` that is none.
    case malformed
    case empty

    /// Whether it has to be taken.
    var isRight: Bool { self == .ranged || self == .unranged || self == .streamed }
}

/// How an upload ends.
enum FinishForm: Hashable, Sendable {
    /// PUT with the rest of the bytes, `ranged` or not.
    case rest(ranged: Bool)
    /// A PATCH of the rest, then an empty PUT.
    case patchThenPut
    /// A PUT with the rest at the wrong place.
    case wrongPlace
}

/// What a manifest is asked for by.
enum Reference: Hashable, Sendable {
    case tag(String)
    case digest(ManifestPlan, Algorithm)
}

/// Conditions of a push.
enum PushCondition: Hashable, Sendable, CaseIterable {
    case none
    /// `If-None-Match: *`
    case ifNew
    /// `If-Match` with the ETag that GET told.
    case ifSame
    /// `If-Match` with another one.
    case ifOther
}

/// How something is asked for.
enum Question: Hashable, Sendable {
    case get
    case head
    /// GET and HEAD, and what each tells.
    case both
    /// A range, as the header's value has it: `first` and `last`, one of which may be missing.
    case range(first: Int?, last: Int?)
    /// A Range header that cannot be read, or several ranges.
    case oddRange(String)
    /// `If-None-Match` with what GET told, written in the form of this number.
    case notModified(Int)
    /// Conditions that do not hold: another ETag.
    case otherTag
    /// `If-Range` with the same ETag or another.
    case ifRange(same: Bool)
    /// `Accept` in the form of this number.
    case accept(Int)
}

/// A list of tags, in one of its forms.
enum TagQuestion: Hashable, Sendable {
    case whole
    case pages(Int)
    case behind(String, Int?)
    case odd(String)
}

/// What is deleted.
enum Victim: Hashable, Sendable {
    case blob(BlobKey, Algorithm)
    case manifest(ManifestPlan, Algorithm)
    case tag(String)
}

/// What several clients do at once.
enum Race: Hashable, Sendable {
    case sameBlob(BlobKey, clients: Int)
    case oneTag(String, [ManifestPlan])
    case tagsWhileListing([String], ManifestPlan)
    case referrers([ManifestPlan])
    case deleteWhilePulling(BlobKey)
    case firstWriter(String, [ManifestPlan])
    /// The same first chunk of one upload.
    case oneSession(BlobKey, clients: Int)
}

/// Requests that are not as they should be, and what stands beside the content.
enum Oddity: Hashable, Sendable {
    case version(head: Bool)
    case route(String)
    case method(String, Endpoint)
    case digest(String, Endpoint, method: String)
    case tag(String, put: Bool)
    case name(String, isGood: Bool)
    case upload(String)
    case manifest(BadManifest)
    case raw(RawForm)
    /// Parameters that nobody knows, or values that make no sense.
    case query(Endpoint, String)

    enum Endpoint: Hashable, Sendable, CaseIterable {
        case version
        case blob
        case manifest
        case uploads
        case tags
        case referrers
    }

    /// Bodies that are no manifest of the type that they are pushed as.
    enum BadManifest: Hashable, Sendable, CaseIterable {
        case text
        case cut
        case empty
        case array
        case wrongTypes
        case wrongDigest
        case otherType
        case bothLists
        case huge
        case big
    }

    /// Bytes that no library sends.
    enum RawForm: Hashable, Sendable, CaseIterable {
        case noHost
        case twoHosts
        case blankBeforeColon
        case garbage
        case lengthText
        case lengthNegative
        case lengthTwice
        case bothFramings
        case noLength
        case eightBits
        case badEscape
        case headOfNothing
        case slowly
        case unknownCoding
        case badChunk
        case pieces
        case two
        case oldVersion
        case dots
        case manyHeaders
        case hugeHeader
        case hugeTarget
        case headOfSomething
    }
}

/// One thing that a player does or asks; data, so that a game can be played again without some of it.
enum Act: Hashable, Sendable {
    case pushBlob(Int, BlobKey, PushForm, Algorithm)
    case pushWrong(Int, BlobKey, Wrong, other: BlobKey)
    case mount(Int, from: Int?, BlobKey, escaped: Bool)
    case begin(session: Int, Int, BlobKey, Algorithm)
    case chunk(session: Int, Int, ChunkForm)
    case finish(session: Int, FinishForm)
    case cancel(session: Int)
    case cut(Int, BlobKey, patch: Bool)
    case putManifest(Int, ManifestPlan, Reference, tags: [String], PushCondition)
    case delete(Int, Victim)
    case race(Int, Race)

    case askBlob(Int, BlobKey, Algorithm, Question)
    case askManifest(Int, Reference, Question)
    case blobAsManifest(Int, BlobKey)
    case askTags(Int, TagQuestion)
    case askCatalog(Int?, behind: Int?)
    case manifestAsBlob(Int, ManifestPlan)
    case askReferrers(Int, ManifestPlan, filter: String?)
    case askSession(Int)
    case touchEnded(session: Int, method: String)
    case touchForeign(session: Int, Int, method: String)
    case odd(Int, Oddity)
    /// Something that is there, by a name that is almost its own.
    case near(Int, Near)
    /// Somebody who may nothing in the repository tries something there.
    case trespass(Int, Int, Trespass)
    /// A token is got and used in the repository.
    case token(Int, TokenDeed)
}

extension Act {
    /// Whether it changes nothing, if the registry is right.
    var isQuestion: Bool {
        switch self {
        case .askBlob, .askManifest, .blobAsManifest, .manifestAsBlob, .askTags, .askCatalog, .askReferrers,
            .askSession, .touchEnded,
            .touchForeign, .odd, .token:
            true
        case .near(_, let near): near.isQuestion
        case .pushBlob, .pushWrong, .mount, .begin, .chunk, .finish, .cancel, .cut, .putManifest, .delete, .race,
            .trespass:
            false
        }
    }

    /// The repository that it goes to; nil for an upload, whose repository is that of its beginning, and for all.
    var repository: Int? {
        switch self {
        case .pushBlob(let at, _, _, _), .pushWrong(let at, _, _, _), .mount(let at, _, _, _), .begin(_, let at, _, _),
            .cut(let at, _, _), .putManifest(let at, _, _, _, _), .delete(let at, _), .race(let at, _),
            .askBlob(let at, _, _, _), .askManifest(let at, _, _), .blobAsManifest(let at, _),
            .manifestAsBlob(let at, _), .askTags(let at, _),
            .askReferrers(let at, _, _), .odd(let at, _), .near(let at, _), .trespass(let at, _, _),
            .token(let at, _):
            at
        case .chunk, .finish, .cancel, .askCatalog, .askSession, .touchEnded, .touchForeign: nil
        }
    }
}

/// An act and the connection that it goes over. A connection stands for a client of its own: later one of another node
/// or identity.
struct Move: Hashable, Sendable {
    let act: Act
    let seat: Int
}
