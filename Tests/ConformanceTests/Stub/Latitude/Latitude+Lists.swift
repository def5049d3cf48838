import Foundation

/// Lists: their pages, their Links, and when they show what was pushed.
extension Latitude {
    private static let link = "RFC 8288 §3: how a Link to the next page may be written"

    /// Pages hold `size` at most, whatever was asked for.
    private static func pages(_ name: String, _ why: String, _ kinds: Set<String>, _ size: Int) -> Latitude {
        Latitude(
            name, why,
            arriving: { request, _ in
                guard kinds.contains(Aim(request).kind) else { return nil }
                guard let text = request.query("n").first else {
                    request.target += (request.target.contains("?") ? "&" : "?") + "n=\(size)"
                    return nil
                }
                if let asked = Int(text), asked > size {
                    request.target = request.target.replacingOccurrences(of: "n=\(text)", with: "n=\(size)")
                }
                return nil
            })
    }

    private static func links(
        _ name: String, _ why: String = link, _ write: @escaping @Sendable (String, StubRequest) -> String
    ) -> Latitude {
        Latitude(
            name, why,
            leaving: { response, request, _ in
                guard let text = response["Link"], let end = text.firstIndex(of: ">"), text.hasPrefix("<") else {
                    return
                }
                response.set("Link", write(String(text[text.index(after: text.startIndex)..<end]), request))
            })
    }

    /// Lists show what was there `delay` ago, or keep an answer so long.
    private static func stale(_ name: String, _ kinds: Set<String>, _ delay: Duration, cached: Bool) -> Latitude {
        Latitude(
            name, "no sentence says when a list shows a push: lists may be eventual",
            leaving: { response, request, stub in
                if kinds.contains(Aim(request).kind), request.method == "GET" {
                    response =
                        cached
                        ? stub.history.kept(request, response, delay) : stub.history.earlier(request, response, delay)
                } else if request.method != "GET", request.method != "HEAD" {
                    stub.history.note(stub)
                }
            })
    }

    private static func catalog(
        _ name: String, _ why: String, _ answer: @escaping @Sendable (StubRequest) -> StubResponse?
    )
        -> Latitude
    {
        Latitude(name, why, arriving: { request, _ in Aim(request).kind == "catalog" ? answer(request) : nil })
    }

    static let lists: [Latitude] = [
        pages("pagesOfTwo", "Listing Tags: fewer than n with a Link, and pages without n too", ["tags", "catalog"], 2),
        pages("pagesOfOne", "Listing Tags: fewer than n with a Link", ["tags"], 1),
        pages("pagesOfFifty", "Listing Tags: pages without n too", ["tags", "catalog"], 50),
        links("linksAbsolute") { "<http://127.0.0.1:\($1.port)\($0)>; rel=\"next\"" },
        links("linksElsewhere") { "<http://localhost:\($1.port)\($0)>; rel=\"next\"" },
        links("linksUnquoted") { target, _ in "<\(target)>;rel=next" },
        links("linksUpperCase") { target, _ in "<\(target)> ; REL=\"NEXT\"" },
        links("linksWithMore") { target, _ in
            "<\(target)>; title=\"next; page, of\"; rel=\"next last\"; type=\"application/json\""
        },
        links("linksOfQueries", "RFC 3986 §4.2: a reference may be a query alone") { target, _ in
            "<" + target.drop { $0 != "?" } + ">; rel=\"next\""
        },
        links("linksEscaped", "RFC 3986 §2.4: a query may be percent-encoded more than it has to be") { target, _ in
            "<" + target.replacing(/n=([0-9])/) { "n=%3\($0.output.1)" } + ">; rel=\"next\""
        },
        Latitude(
            "linksOpaque", "Listing Tags: clients follow the Link, whatever its query holds",
            arriving: { request, _ in
                guard let cursor = request.query("next_page").first, let data = Data(base64Encoded: cursor) else {
                    return nil
                }
                request.target = request.path + "?" + String(decoding: data, as: UTF8.self)
                return nil
            },
            leaving: { response, request, _ in
                guard let text = response["Link"], let end = text.firstIndex(of: ">"), text.hasPrefix("<") else {
                    return
                }
                let query = text[..<end].drop { $0 != "?" }.dropFirst()
                let cursor = Data(query.utf8).base64EncodedString().replacingOccurrences(of: "+", with: "%2B")
                response.set("Link", "<\(request.path)?next_page=\(cursor)>; rel=\"next\"")
            }),
        Latitude(
            "tagsWithoutLinks", "Listing Tags: a Link may be included",
            leaving: { response, request, _ in if Aim(request).kind == "tags" { response.set("Link", nil) } }),
        Latitude(
            "tagsByLetters", "Listing Tags: lexical order is case-insensitive",
            arriving: { request, stub in
                let aim = Aim(request)
                guard aim.kind == "tags", request.method == "GET", stub.isName(aim.repository) else { return nil }
                return tagsByLetters(request, aim, stub)
            }),
        Latitude(
            "emptyTagsNull", "Listing Tags: the list may be empty; Docker's registries say null",
            leaving: { response, request, _ in
                guard Aim(request).kind == "tags", response.status == 200 else { return }
                let text = String(decoding: response.body, as: UTF8.self)
                response.body = Array(text.replacingOccurrences(of: "\"tags\":[]", with: "\"tags\":null").utf8)
            }),
        Latitude(
            "unknownTagsEmpty", "Listing Tags: only a repository that is found is ruled; the list may be empty",
            leaving: { response, request, stub in
                let aim = Aim(request)
                guard aim.kind == "tags", request.method == "GET", response.status == 404 else { return }
                response = StubResponse(
                    200, [("Content-Type", "application/json")],
                    Array("{\"name\":\"\(aim.repository)\",\"tags\":[]}".utf8))
            }),
        Latitude(
            "emptyRepositoriesVanish",
            "Listing Tags: whether a repository without tags is there is the registry's to say",
            leaving: { response, request, stub in
                let aim = Aim(request)
                guard aim.kind == "tags", stub.state.withLock({ $0.repositories[aim.repository]?.tags.isEmpty ?? true })
                else { return }
                response = stub.error(404, "NAME_UNKNOWN")
            }),
        Latitude(
            "listsWithMore", "the body holds what is asked for; members that are not named may stand beside it",
            leaving: { response, request, _ in
                guard ["tags", "catalog"].contains(Aim(request).kind), response.status == 200 else { return }
                let text = String(decoding: response.body, as: UTF8.self)
                response.body = Array(
                    (text.dropLast() + ",\"manifest\":{\"sha256:x\":{\"tag\":[]}},\"next\":null}\n").utf8)
            }),
        Latitude(
            "listsWithCharset", "RFC 9110 §8.3: a media type may have parameters",
            leaving: { response, request, _ in
                if ["tags", "catalog"].contains(Aim(request).kind), response.status == 200 {
                    response.set("Content-Type", "application/json; charset=utf-8")
                }
            }),
        Latitude(
            "headOfListsRefused", "Listing Tags: GET alone is named",
            arriving: { request, stub in
                guard ["tags", "catalog", "referrers"].contains(Aim(request).kind), request.method == "HEAD" else {
                    return nil
                }
                return stub.error(405, "UNSUPPORTED", allow: "GET")
            }),
        catalog("noCatalog", "the catalog is Docker's, and optional") { _ in StubResponse(404) },
        catalog("catalogForbidden", "the catalog is Docker's, and optional") { _ in StubResponse(403) },
        catalog("catalogUnsupported", "the catalog is Docker's, and optional") { _ in
            StubResponse(405, [("Allow", "OPTIONS")])
        },
        catalog("catalogUnauthorized", "the catalog is Docker's, and optional") { _ in
            StubResponse(401, [("WWW-Authenticate", "Basic realm=\"x\"")])
        },
        catalog("catalogNeedsSense", "Docker V2: a count that is none, or none at all, may be refused") { request in
            guard let text = request.query("n").first else { return nil }
            guard let count = Int(text), (1...1_000).contains(count) else { return StubResponse(400) }
            return nil
        },
        stale("listsLate", ["tags", "catalog", "referrers"], .milliseconds(120), cached: false),
        stale("listsCached", ["tags", "catalog", "referrers"], .milliseconds(120), cached: true),
        stale("tagsLate", ["tags"], .milliseconds(250), cached: false),
        stale("referrersLate", ["referrers"], .milliseconds(200), cached: false),
    ]

    private static func tagsByLetters(_ request: StubRequest, _ aim: Aim, _ stub: StubRegistry) -> StubResponse? {
        guard let tags = stub.state.withLock({ $0.repositories[aim.repository]?.tags }) else { return nil }
        var names = tags.keys.sorted { ($0.lowercased(), $0) < ($1.lowercased(), $1) }
        if let last = request.query("last").first {
            names = names.filter { ($0.lowercased(), $0) > (last.lowercased(), last) }
        }
        guard let text = request.query("n").first else { return list(aim.repository, names) }
        guard let count = Int(text), count >= 0, !text.contains("+") else { return stub.error(400, "UNSUPPORTED") }
        var response = list(aim.repository, Array(names.prefix(count)))
        if count > 0, names.count > count {
            response.headers += [("Link", "<\(request.path)?n=\(count)&last=\(names[count - 1])>; rel=\"next\"")]
        }
        return response
    }

    private static func list(_ name: String, _ tags: [String]) -> StubResponse {
        let text = tags.map { "\"\($0)\"" }.joined(separator: ",")
        return StubResponse(
            200, [("Content-Type", "application/json")], Array("{\"name\":\"\(name)\",\"tags\":[\(text)]}".utf8))
    }
}
