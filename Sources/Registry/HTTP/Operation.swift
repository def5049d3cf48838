import Access
import Model
import Service
import Vocabulary

/// One operation of an API, as data: dispatch, what is allowed where, what may be answered, and tests are read from the
/// table of them, and nothing of this is said in another place.
package final class Operation: Sendable {
    /// What its caller must be allowed.
    package enum Access: Sendable, Equatable {
        /// Nobody is asked who they are.
        case anybody
        case registry(Right)
        /// On the repository that the path names.
        case repository(Right)
        /// On the organization that the path names.
        case namespace(Right)
    }

    /// What its request brings.
    package enum Body: Sendable {
        /// Nothing that counts.
        case none
        case manifest, blob
        /// A JSON object of the management API.
        case json(Shape)
        /// What a form posts.
        case form

        /// Most bytes of what is neither manifest nor blob: small, as it is taken before anybody is known.
        static let small = 64 << 10

        /// Most bytes of it, and what is wrong with more.
        func limit(_ limits: Registry.Limits) -> (bytes: Int64, error: RegistryError.Code) {
            switch self {
            case .none: (.max, .badRequest)
            case .manifest: (Int64(limits.manifest), .manifestTooLarge)
            case .blob: (limits.blob, .blobTooLarge)
            case .json, .form: (Int64(Self.small), .badRequest)
            }
        }
    }

    /// A way in which it succeeds.
    package struct Success: Sendable, ExpressibleByIntegerLiteral {
        package let status: Int
        /// Of the JSON that is answered; nil for none, or for what another specification describes.
        package let shape: Shape?
        /// Of each line, where the answer can be had as lines of JSON too (`application/x-ndjson`).
        package let lines: Shape?

        /// A status with JSON of this shape, and where it can be had so with a line of JSON for each item.
        package init(_ status: Int, _ shape: Shape?, lines: Shape? = nil) {
            self.status = status
            self.shape = shape
            self.lines = lines
        }

        package init(integerLiteral status: Int) { self.init(status, nil) }
    }

    /// How an error is written.
    package enum ErrorStyle: Sendable {
        /// `{"errors":[…]}` (distribution-spec "Error Codes").
        case docker
        /// RFC 9457.
        case problem
    }

    /// What it costs, for limits of rates.
    package enum RateClass: Sendable {
        case health, read, list, write
        /// Where passwords are tried, and where tokens are made.
        case login, token
        /// What may be asked for by who is not known, and costs mail or an account.
        case registration
    }

    typealias Handler = @Sendable (Call) async throws(RegistryError) -> Response
    typealias QuickHandler = @Sendable (Call) throws(RegistryError) -> Response?

    /// Where it stands in the table of all that are counted.
    package let place: Int
    package let method: Method
    package let pattern: PathPattern
    package let access: Access
    package let body: Body
    /// The parameters behind `?`; those of `/v2/` are the specification's.
    package let query: [Shape.Member]
    package let answers: [Success]
    /// The errors that are its own; see `commonFailures`.
    package let failures: [RegistryError.Code]
    package let errorStyle: ErrorStyle
    package let rate: RateClass
    /// The endpoint's id in the distribution-spec, or what else defines it: `users.create` for one of the management API.
    package let spec: String
    /// What it does, in a sentence, where no specification says it.
    package let summary: String
    /// Whether it removes content, which an operator may have switched off.
    package let removesContent: Bool
    /// Asked first: the answer, if it is there without waiting.
    let atOnce: QuickHandler?
    let handler: Handler

    init(
        _ method: Method, _ pattern: String, _ access: Access, body: Body = .none,
        query: [Shape.Member] = [], answers: [Success],
        failures: [RegistryError.Code] = [], rate: RateClass, spec: String, summary: String = "",
        removesContent: Bool = false, style: ErrorStyle = .docker, place: Int = 0,
        atOnce: QuickHandler? = nil, _ handler: @escaping Handler
    ) {
        self.place = place
        self.method = method
        self.pattern = PathPattern(pattern)
        self.access = access
        self.body = body
        self.query = query
        self.answers = answers
        self.failures = failures
        self.rate = rate
        self.spec = spec
        self.summary = summary
        self.removesContent = removesContent
        errorStyle = style
        self.atOnce = atOnce
        self.handler = handler
    }

    /// The same at another place.
    convenience init(_ other: Operation, place: Int) {
        self.init(
            other.method, other.pattern.text, other.access, body: other.body, query: other.query,
            answers: other.answers, failures: other.failures, rate: other.rate, spec: other.spec,
            summary: other.summary, removesContent: other.removesContent, style: other.errorStyle, place: place,
            atOnce: other.atOnce, other.handler)
    }

    /// What any operation may fail with: a request that is none, a store that is not there, time that is over.
    package static let commonFailures: [RegistryError.Code] = [
        .badRequest, .requestTimeout, .connectionCut, .uriTooLong, .headersTooLarge, .unsupportedCoding, .unavailable,
        .internalError,
    ]

    /// What is refused before it is known which operation is meant: in the style of `/v2/`.
    static let refusals: [RegistryError.Code] = [
        .badRequest, .requestTimeout, .uriTooLong, .headersTooLarge, .unsupportedCoding, .unavailable,
    ]

    /// Every status that it may be answered with.
    package var statuses: Set<Int> {
        Set(answers.map(\.status) + errors.map { ErrorResponse.table($0).status })
    }

    /// What JSON an answer of this status has; nil for none.
    package func shape(_ status: Int) -> Shape? {
        if let answer = answers.first(where: { $0.status == status }) { return answer.shape }
        return errorStyle == .problem ? .problem : nil
    }

    /// Every error that it may fail with.
    var errors: [RegistryError.Code] {
        var codes = Self.commonFailures + failures
        if access != .anybody {
            codes += [.unauthorized, .denied, .insufficientScope, .credentialsInvalid, .tooManyRequests]
        }
        if case .repository = access { codes += [.nameInvalid, .nameUnknown] }
        if case .namespace = access { codes += [.accountNameInvalid, .accountUnknown] }
        if isRepeatable { codes += [.fieldInvalid, .requestRunning, .keyReused] }
        if removesContent { codes += [.methodNotAllowed, .contentInUse, .storageFull] }
        return codes
    }
}
