/// The scenarios that need no file. They are written as files are: `aerugo-load scenarios NAME` prints one to start from.
package enum BuiltIns {
    /// Name and text, in the order of the help.
    package static let all: [(name: String, yaml: String)] = [
        (
            "get",
            """
            name: get
            about: GET of the URL's own path, to compare with other tools
            arrivals: [{do: get}]
            verify: false
            """
        ),
        (
            "pull",
            """
            name: pull
            about: whole images as a client pulls them, manifest, then config and layers
            arrivals: [{do: pull}]
            images: {count: 20, repositories: 4, layers: 5, size: 16KiB-4MiB}
            zipf: 1
            parallel: 3
            """
        ),
        (
            "push",
            """
            name: push
            about: new images, each blob asked for first, then POST, PATCH, PUT
            arrivals: [{do: push}]
            images: {repositories: 4, layers: 4, size: 16KiB-4MiB}
            parallel: 3
            """
        ),
        (
            "push-shared-base",
            """
            name: push-shared-base
            about: new images most of whose bytes the registry has already
            arrivals: [{do: push}]
            images: {repositories: 4, layers: 8, size: 16KiB-4MiB, dedupe: 0.7}
            parallel: 3
            """
        ),
        (
            "mount",
            """
            name: mount
            about: images made of layers mounted from another repository
            arrivals: [{do: mount}]
            images: {count: 10, repositories: 4, layers: 5, size: 16KiB-1MiB}
            parallel: 3
            """
        ),
        (
            "mixed",
            """
            name: mixed
            about: the mix of IBM's registries (FAST '18), 96 of 100 requests GET, most layers small, few images popular
            arrivals:
              - {do: manifest, weight: 44}
              - {do: blob, weight: 52}
              - {do: head, weight: 0.9}
              - {do: push, weight: 0.25}
            images: {count: 50, repositories: 10, layers: 2, size: fast18, largest: 64MiB}
            zipf: 1
            """
        ),
        (
            "storm",
            """
            name: storm
            about: many clients pull one tag at once, again and again, each request on a connection of its own
            arrivals: [{do: pull}]
            images: {count: 1, repositories: 1, layers: 5, size: 64KiB-2MiB}
            connection: close
            schedule: [{burst: 50, every: 5s, for: 20s}]
            """
        ),
        (
            "list",
            """
            name: list
            about: tag lists, the catalog and referrers
            arrivals: [{do: list, weight: 6}, {do: catalog, weight: 2}, {do: referrers, weight: 2}]
            images: {count: 100, repositories: 5, layers: 1, size: 1KiB}
            """
        ),
        (
            "login",
            """
            name: login
            about: machines that have just begun, each gets a token of its own, then pulls; login and pull are told apart
            arrivals: [{do: login}]
            images: {count: 10, repositories: 4, layers: 2, size: 16KiB-256KiB}
            zipf: 1
            connection: close
            """
        ),
        (
            "manage",
            """
            name: manage
            about: lists, searches, single answers and the audit of a registry's management API, as its administrator
            arrivals:
              - {do: list-repositories, weight: 3}
              - {do: search-repositories, weight: 3}
              - {do: get-repository, weight: 6}
              - {do: list-users, weight: 1}
              - {do: search-users, weight: 1}
              - {do: get-user, weight: 2}
              - {do: list-audit, weight: 1}
            accounts: {users: 20, repositories: 200}
            """
        ),
        (
            "churn",
            """
            name: churn
            about: small images pushed, pulled and deleted while others are pulled
            arrivals: [{do: churn, weight: 1}, {do: pull, weight: 4}]
            images: {count: 10, repositories: 4, layers: 3, size: 16KiB-512KiB}
            zipf: 1
            """
        ),
    ]

    /// The scenario of that name; `nil` when there is none.
    package static func scenario(_ name: String) throws(ScenarioError) -> Scenario? {
        guard let yaml = all.first(where: { $0.name == name })?.yaml else { return nil }
        return try Scenario(yaml: yaml, file: name)
    }
}
