import Access
import Model
import Service
import Vocabulary

extension Operation {
    /// An operation of the management API, known as `id`, such as `users.create`. The caller's right is asked for before
    /// anything of the request is looked at; then its query and its body are held against what is said here.
    static func api(
        _ id: String, _ method: Method, _ path: String, _ access: Access, _ summary: String, takes body: Shape? = nil,
        query: [Shape.Member] = [], gives answer: Success, or others: [Success] = [],
        failures: [RegistryError.Code] = [],
        rate: RateClass? = nil, _ handler: @escaping Handler
    ) -> Operation {
        // Parameters that are not known are refused where there are none too.
        var failures = failures + [.fieldInvalid]
        if body != nil { failures.append(.mediaTypeUnsupported) }
        if method == .patch { failures.append(.preconditionFailed) }
        if path.contains("{") { failures += [.accountUnknown, .accountNameInvalid] }
        let usual: RateClass = method != .get ? .write : query.isEmpty ? .read : .list
        return Operation(
            method, path, access, body: body.map { .json($0) } ?? .none, query: query, answers: [answer] + others,
            failures: failures, rate: rate ?? usual, spec: id, summary: summary, style: .problem
        ) { call throws(RegistryError) in
            try call.demandAccess()
            try call.checkQuery(query)
            return try await call.once(handler)
        }
    }
}

extension Shape.Member {
    /// The parameters of every list.
    static let page = page(after: .text(0...1024))

    /// The same where items are known by what has this shape.
    static func page(after shape: Shape) -> [Shape.Member] {
        [
            .optional("n", .number(1...1000), "Most items of a page; 100."),
            .optional("after", shape, "`next` of the page before."),
        ]
    }

    /// A part of names.
    static let search = Shape.Member.optional("q", .text(0...255), "A part of their names.")
    /// The beginning of a word in names.
    static let word = Shape.Member.optional(
        "q", .text(0...255), "The beginning of their names, or of a word in them: `ng` finds `my-nginx`.")
}

extension Call {
    /// Throws where the caller may not do this, as asking for the grant does.
    fileprivate func demandAccess() throws(RegistryError) {
        switch access {
        case .none: break
        case .registry: _ = try registryGrant()
        case .repository: _ = try grant()
        case .namespace: _ = try namespaceGrant()
        }
    }

    /// Throws `.fieldInvalid` for a parameter that is not known, comes twice, or does not fit.
    fileprivate func checkQuery(_ known: [Shape.Member]) throws(RegistryError) {
        for name in request.query.names {
            guard let parameter = known.first(where: { $0.name == name }) else {
                let names = known.map(\.name).joined(separator: ", ")
                throw Fields.wrong(
                    name, names.isEmpty ? "is not known here: nothing is" : "is not known here: there are \(names)")
            }
            let values = request.query.all(name)
            guard values.count == 1, let value = parameter.shape.value(ofText: values[0]) else {
                throw Fields.wrong(name, values.count == 1 ? "has a value that it cannot have" : "is there twice")
            }
            if let fault = parameter.shape.fault(of: value) { throw Fields.wrong(name, fault.what) }
        }
    }

    /// The name in the path. Throws `.accountNameInvalid`.
    func account(_ parameter: PathParameter) throws(RegistryError) -> AccountName {
        let text = parameters[parameter]
        return try parsing { () throws(ParseError) in try AccountName.parse(text) }
    }

    /// The members of the body, which has the shape that the operation takes. Throws `.fieldInvalid`,
    /// `.mediaTypeUnsupported`: what a page of another origin can send without being asked is no JSON by its type.
    func fields() async throws(RegistryError) -> Fields {
        guard case .json(let shape) = operation.body else {
            throw RegistryError(.internalError, "the operation takes no body")
        }
        let type = request.headers["Content-Type"]?.prefix { $0 != ";" }
        if let type, type.lowercased() != MediaType.json {
            throw RegistryError(.mediaTypeUnsupported, "the body must be JSON: send Content-Type: application/json")
        }
        if let readBody { return try Fields(readBody, shape) }
        return try Fields(try await smallBody(), shape)
    }

    /// A body of at most 64 KiB.
    func smallBody() async throws(RegistryError) -> [UInt8] {
        let share = manifestMemory.share(for: request.remote)
        let bytes = try await request.body.collect(upTo: Operation.Body.small, in: share)
        withExtendedLifetime(share) {}
        return bytes
    }

    /// The page that is asked for, which fits `Shape.Member.page`.
    func listRequest() -> PageRequest {
        PageRequest(limit: request.query["n"].flatMap { Int($0) } ?? 100, last: request.query["after"] ?? "")
    }
}

extension Shape {
    /// What a parameter's text stands for; nil where it stands for nothing of this shape.
    fileprivate func value(ofText text: String) -> JSONValue? {
        switch self {
        case .number: Int64(text).map { .integer($0) }
        case .flag: ["true": .bool(true), "false": .bool(false)][text]
        case .text: .text(text)
        case .anything, .list, .object, .named, .nullable: nil
        }
    }
}
