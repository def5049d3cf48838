import Model
import Service

extension Response {
    /// An answer of one object.
    static func json(_ status: Int, _ object: JSONObject) -> Response { .json(status, object.text) }

    /// An answer of one object that can be changed, with the tag that `If-Match` takes.
    static func json(_ status: Int, _ object: JSONObject, _ tag: EntityTag) -> Response {
        .json(status, object.text, [("ETag", "\"\(tag)\"")])
    }
}

extension Call {
    /// What `If-Match` asks for.
    var expectation: Expectation {
        guard let condition = request.headers.joined("If-Match").map({ Conditions.condition($0, isStrong: true) })
        else {
            return .anything
        }
        switch condition {
        case .any: return .anything
        case .digests(let tags): return Expectation(tags: Array(tags))
        }
    }
}

extension Call {
    /// A page of a list: `items`, and `next`, which is what `after` has to be for the next one; the same as a `Link` (RFC 8288),
    /// which keeps the request's other parameters.
    func page(_ items: [JSONObject], next: String?) -> Response {
        var page = JSONObject()
        page.put("items", items)
        page.put("next", next)
        guard let next else { return .json(200, page) }
        let others = request.query.names.filter { $0 != "after" }.map { name in
            "\(name)=\((request.query[name] ?? "").percentEncoded)&"
        }
        let link = "<\(request.path)?\(others.joined())after=\(next.percentEncoded)>; rel=\"next\""
        return .json(200, page.text, [("Link", link)])
    }

    /// A list that is told whole.
    func whole(_ items: [JSONObject]) -> Response { page(items, next: nil) }
}
