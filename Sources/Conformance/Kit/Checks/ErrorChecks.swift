import Vocabulary

/// distribution-spec "Error Codes" and "Warnings": standing rules over every exchange of the run.
enum ErrorChecks {
    private static let section = "distribution-spec: Error Codes"

    /// Codes of the table, and the two of Docker's schema 1 that the specification still names.
    private static let known: Set<String> = [
        ErrorCode.blobUnknown, ErrorCode.blobUploadInvalid, ErrorCode.blobUploadUnknown, ErrorCode.digestInvalid,
        ErrorCode.manifestBlobUnknown, ErrorCode.manifestInvalid, ErrorCode.manifestUnknown, ErrorCode.nameInvalid,
        ErrorCode.nameUnknown, ErrorCode.sizeInvalid, ErrorCode.unauthorized, ErrorCode.denied, ErrorCode.unsupported,
        ErrorCode.tooManyRequests, "TAG_INVALID", "MANIFEST_UNVERIFIED",
    ]

    /// The JSON body of a client error of the registry itself; nil when the rule does not apply.
    private static func errorBody(_ exchange: Exchange) -> JSON? {
        guard let response = exchange.response, (400..<500).contains(response.status), let body = response.json,
            Answer.holdsJSON(response.headers, body), exchange.raw == nil
        else { return nil }
        return JSON(parsing: body)
    }

    private static func codes(_ exchange: Exchange) -> [String]? {
        errorBody(exchange)?["errors"]?.array?.compactMap { $0["code"]?.string }
    }

    /// One warning or a list of them (RFC 7234 section 5.5), with the code, the agent and the lack of a date that the
    /// specification asks for.
    private static var warnings: Regex<Substring> {
        /299 - "(?:[^"\\]|\\.)+"(?:[ \t]*,[ \t]*299 - "(?:[^"\\]|\\.)+")*/
    }

    static let checks: [Check] = [
        Check(
            standing: "errors.format", .must, section,
            "a JSON body of a 4xx answer has an errors array of objects with a code",
            ["error-format"]
        ) { exchange in
            guard let json = errorBody(exchange) else { return nil }
            guard let errors = json["errors"]?.array, !errors.isEmpty else {
                return .broken(
                    expected: "\(exchange.line): {\"errors\":[{\"code\":…}]}", got: "another JSON body",
                    .bodyHolds("\"errors\""))
            }
            let whole = errors.allSatisfy { $0["code"]?.string != nil }
            return whole
                ? .kept : .broken(expected: "\(exchange.line): a code in each error", got: "an error without", .same)
        },
        Check(
            standing: "errors.code-form", .must, section, "error codes are of upper-case letters and underscores",
            ["error-code-form"]
        ) { exchange in
            guard let codes = codes(exchange), !codes.isEmpty else { return nil }
            for code in codes where code.isEmpty || !code.utf8.allSatisfy({ (65...90).contains($0) || $0 == 95 }) {
                return .broken(expected: "\(exchange.line): a code of A-Z and _", got: code, .bodyLacks(code))
            }
            return .kept
        },
        Check(
            standing: "errors.code-known", .must, section, "error codes of 4xx answers are among those of the table",
            ["error-code-listed"]
        ) { exchange in
            // The catalog is Docker's, and so is its PAGINATION_NUMBER_INVALID; the table binds what it stands beside.
            if exchange.url.contains("/v2/_catalog") { return nil }
            guard let codes = codes(exchange), !codes.isEmpty else { return nil }
            for code in codes where !known.contains(code) {
                return .broken(
                    expected: "\(exchange.line): a code of the specification's table", got: code, .bodyLacks(code))
            }
            return .kept
        },
        Check(
            standing: "errors.message", .should, section, "an error's message, where there is one, is a string",
            ["error-message"]
        ) { exchange in
            guard let errors = errorBody(exchange)?["errors"]?.array, !errors.isEmpty else { return nil }
            for error in errors {
                if let message = error["message"], message.string == nil {
                    return .broken(expected: "\(exchange.line): a message that is a string", got: "another type", .same)
                }
            }
            return .kept
        },
        Check(
            standing: "errors.never-server", .should, "RFC 9110 §15.6: Server errors",
            "no request of this run, however odd, is answered by a 5xx status (501 and 503 excepted)",
            ["http-semantics"]
        ) { exchange in
            guard let status = exchange.response?.status else { return nil }
            guard status >= 500, status != 501, status != 503 else { return .kept }
            return .broken(expected: "\(exchange.method) \(exchange.url): no server error", got: "status \(status)")
        },
        Check(
            standing: "errors.retry-after", .should, section, "429 comes with Retry-After", ["retry-after"]
        ) { exchange in
            guard let response = exchange.response, response.status == 429 else { return nil }
            return response.headers["Retry-After"] != nil
                ? .kept : .broken(expected: "\(exchange.line): Retry-After", got: "none", .headerPresent("Retry-After"))
        },
        Check(
            standing: "errors.unauthorized-challenge", .must, "RFC 9110 §15.5.2: 401 Unauthorized",
            "401 comes with WWW-Authenticate", ["http-401-challenge"]
        ) { exchange in
            guard let response = exchange.response, response.status == 401 else { return nil }
            return response.headers["WWW-Authenticate"] != nil
                ? .kept
                : .broken(
                    expected: "\(exchange.line): WWW-Authenticate", got: "none", .headerPresent("WWW-Authenticate"))
        },
        Check(
            standing: "errors.method-allow", .must, "RFC 9110 §15.5.6: 405 Method Not Allowed",
            "405 comes with Allow, which does not list the method that was refused",
            ["http-405-allow"]
        ) { exchange in
            guard let response = exchange.response, response.status == 405 else { return nil }
            guard response.headers["Allow"] != nil else {
                return .broken(expected: "\(exchange.line): Allow", got: "none", .headerPresent("Allow"))
            }
            let allowed = response.headers.list("Allow")
            return !allowed.contains(exchange.method)
                ? .kept
                : .broken(
                    expected: "\(exchange.line): Allow without \(exchange.method)",
                    got: "Allow: \(allowed.joined(separator: ", "))", .headerForm("Allow"))
        },
        Check(
            standing: "warnings.form", .must, "distribution-spec: Warnings",
            "Warning headers are 299 - \"text\" without a date", ["warning-form"]
        ) { exchange in
            guard let lines = exchange.response?.headers.all("Warning"), !lines.isEmpty else { return nil }
            for line in lines where line.wholeMatch(of: warnings) == nil {
                return .broken(expected: "\(exchange.line): Warning: 299 - \"…\"", got: line, .headerForm("Warning"))
            }
            return .kept
        },
        Check(
            standing: "warnings.size", .must, "distribution-spec: Warnings",
            "warnings of one answer hold at most 4,096 bytes",
            ["warning-size"]
        ) { exchange in
            guard let lines = exchange.response?.headers.all("Warning"), !lines.isEmpty else { return nil }
            let size = lines.map(\.utf8.count).reduce(0, +)
            return size <= 4_096
                ? .kept
                : .broken(expected: "\(exchange.line): at most 4,096 bytes", got: "\(size)", .headerForm("Warning"))
        },
    ]
}
