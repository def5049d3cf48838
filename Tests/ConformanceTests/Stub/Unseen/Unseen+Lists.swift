import Foundation

/// Lists of tags, and names.
extension Unseen {
    private static func listed(_ name: String, _ change: @escaping @Sendable ([String]) -> [String]) -> Unseen {
        told(name) { response, _, aim, stub in
            guard aim.kind == "tags" else { return }
            stub.rewrite(&response, "tags") { change($0 as? [String] ?? []) }
        }
    }

    private static func sorted(_ aim: Aim, _ stub: StubRegistry) -> [String] {
        stub.repository(aim.repository).tags.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func setLast(_ request: inout StubRequest, _ last: String?) {
        let kept = request.target.split(separator: "?").dropFirst().first?.split(separator: "&") ?? []
        let others = kept.filter { !$0.hasPrefix("last=") }.map(String.init)
        request.target = request.path + "?" + (others + (last.map { ["last=" + $0] } ?? [])).joined(separator: "&")
    }

    private static func empty(_ response: inout StubResponse, _ stub: StubRegistry) {
        stub.rewrite(&response, "tags") { _ in [String]() }
        response.set("Link", nil)
    }

    static let lists: [Unseen] = [
        listed("list-drop-longest") { $0.filter { $0.utf8.count < 128 } },
        listed("list-underscore") { $0.filter { !$0.hasPrefix("_") } },
        listed("list-natural-order") { $0.sorted { $0.compare($1, options: .numeric) == .orderedAscending } },
        told("list-exact-plus-one") { response, _, aim, stub in
            guard aim.kind == "tags", response["Link"] != nil else { return }
            let last = (stub.object(response.body)["tags"] as? [String])?.last ?? ""
            let left = sorted(aim, stub).drop { !last.utf8.lexicographicallyPrecedes($0.utf8) }
            if left.count == 1 { response.set("Link", nil) }
        },
        told("list-last-deleted") { response, request, aim, stub in
            if request.method == "DELETE", aim.kind == "manifests", aim.isTag, response.status == 202 {
                stub.add("gone " + aim.repository, aim.reference)
            }
            guard aim.kind == "tags", let last = request.query("last").first else { return }
            if stub.noted("gone " + aim.repository).contains(last), !sorted(aim, stub).contains(last) {
                empty(&response, stub)
            }
        },
        told("list-n-larger") { response, request, aim, stub in
            if aim.kind == "tags", let n = request.query("n").first.flatMap({ Int($0) }), n > 100 {
                empty(&response, stub)
            }
        },
        told("list-name-of-other") { response, _, aim, stub in
            guard aim.kind == "tags", response.status == 200 else { return }
            let before = stub.noted("listed").last
            stub.note("listed", [aim.repository])
            if let before { stub.rewrite(&response, "name") { _ in before } }
        },
        read("list-last-unknown") { request, aim, stub in
            guard aim.kind == "tags", let last = request.query("last").first else { return }
            if !sorted(aim, stub).contains(last) { setLast(&request, nil) }
        },
        Unseen("list-offset-cursor") { request, aim, stub in
            guard aim.kind == "tags" else { return stub.core(request) }
            var changed = request
            let tags = sorted(aim, stub)
            if let last = request.query("last").first,
                let index = stub.noted("cursor \(aim.repository) \(last)").first.flatMap({ Int($0) })
            {
                setLast(&changed, index <= tags.count ? tags[index - 1] : "~")
            }
            let response = stub.core(changed)
            let shown = stub.object(response.body)["tags"] as? [String] ?? []
            if response["Link"] != nil, let last = shown.last, let index = tags.firstIndex(of: last) {
                stub.note("cursor \(aim.repository) \(last)", [String(index + 1)])
            }
            return response
        },
        told("list-tag-comes-back") { response, request, aim, stub in
            guard aim.kind == "manifests", aim.isTag else { return }
            let key = "gone " + aim.repository
            if request.method == "DELETE", response.status == 202 { stub.add(key, aim.reference) }
            guard request.method == "PUT", response.status == 201 else { return }
            let gone = stub.noted(key)
            stub.note(key, [])
            stub.change(aim.repository) { repository in
                for tag in gone where repository.tags[tag] == nil { repository.tags[tag] = "gone" }
            }
        },
    ]

    /// Another repository for every name that `fold` changes, in paths and mounts.
    private static func folded(_ name: String, _ fold: @escaping @Sendable (String) -> String) -> Unseen {
        Unseen(name) { request, aim, stub in
            var changed = request
            if !aim.repository.isEmpty { changed.aim(aim, repository: fold(aim.repository)) }
            if let from = request.query("from").first {
                let text = from.addingPercentEncoding(withAllowedCharacters: .urlHostAllowed) ?? from
                for old in ["from=" + from, "from=" + text, "from=" + from.replacingOccurrences(of: "/", with: "%2F")] {
                    changed.target = changed.target.replacingOccurrences(of: old, with: "from=" + fold(from))
                }
            }
            var response = stub.core(changed)
            if aim.kind == "tags" { stub.rewrite(&response, "name") { _ in aim.repository } }
            return response
        }
    }

    static let names: [Unseen] = [
        folded("name-case") { $0.lowercased() },
        folded("name-separator") { $0.replacingOccurrences(of: "_", with: "-") },
        folded("name-depth") { $0.split(separator: "/").prefix(4).joined(separator: "/") },
    ]
}
