/// One thing that an operator can set: in a flag, the environment, a file, or not at all.
struct Setting: Sendable {
    /// Its key in a file, such as `http.idle-timeout`; in the environment `AERUGO_HTTP_IDLE_TIMEOUT`.
    let key: String
    let standard: String
    let help: String
    /// Never shown.
    var isSecret = false

    /// Whether the API tells it to administrators: what says where things lie on the machine is not.
    var isShown: Bool {
        !isSecret && !key.hasPrefix("database.") && !key.hasPrefix("s3.") && !key.hasPrefix("redis.")
            && ![
                "data", "log.file", "log.access", "metrics.token-file", "tls.certificate", "tls.key",
                "admin.password-file", "mail.password-file",
                "mail.authorities",
            ].contains(key)
    }

    var variable: String {
        "AERUGO_" + key.uppercased().replacing(".", with: "_").replacing("-", with: "_")
    }

    /// Every setting there is.
    static let all = [
        Setting(key: "listen", standard: "127.0.0.1:5000", help: "host:port to listen on; port 0 takes a free one"),
        Setting(key: "data", standard: "./data", help: "directory of the database and the blobs"),
        Setting(
            key: "database.url", standard: "",
            help: "PostgreSQL to keep the metadata in, such as postgresql://user@host/database?sslmode=verify-full; "
                + "without it and database.host, SQLite in `data`", isSecret: true),
        Setting(
            key: "database.host", standard: "",
            help:
                "its host, several by commas, or the directory of its socket; this and the next in the place of what the URL says"
        ),
        Setting(key: "database.port", standard: "", help: "its port"),
        Setting(key: "database.name", standard: "", help: "the database's name"),
        Setting(key: "database.user", standard: "", help: "who it is used as"),
        Setting(key: "database.password-file", standard: "", help: "file with that user's password"),
        Setting(
            key: "database.sslmode", standard: "",
            help: "disable, prefer (the default), require, verify-ca or verify-full, which alone knows the server"),
        Setting(
            key: "database.sslrootcert", standard: "",
            help: "PEM file with the authorities that verify-full trusts; without it those of the system"),
        Setting(key: "database.connections", standard: "12", help: "most connections of this process to it"),
        Setting(
            key: "database.pooling", standard: "session",
            help: "session, or transaction behind a pooler that gives a server for a transaction alone"),
        Setting(
            key: "s3.bucket", standard: "",
            help: "bucket of S3, or of a store like it, to keep the blobs in; without it, files in `data`"),
        Setting(
            key: "s3.endpoint", standard: "",
            help: "URL of the store, such as https://s3.example.com; without it AWS's of the region"),
        Setting(key: "s3.region", standard: "us-east-1", help: "region that requests are signed for"),
        Setting(
            key: "s3.addressing", standard: "",
            help: "where the bucket stands in URLs: host (AWS's way) or path, which is taken where an endpoint is set"),
        Setting(key: "s3.prefix", standard: "", help: "in front of the names of all objects"),
        Setting(
            key: "s3.authorities", standard: "",
            help: "PEM file with the authorities of the store's certificate, instead of the system's"),
        Setting(
            key: "s3.credentials", standard: "auto",
            help: "where keys come from: settings, environment, web-identity, file (of AWS's tools), metadata (of the "
                + "machine), or auto for the first of these that has some"),
        Setting(key: "s3.access-key-id", standard: "", help: "id of the access key"),
        Setting(key: "s3.secret-key-file", standard: "", help: "file with the access key's secret"),
        Setting(
            key: "s3.redirect", standard: "true",
            help: "send clients to the store for blobs; false to pass all bytes through this process"),
        Setting(
            key: "s3.proxy-networks", standard: "",
            help: "addresses or blocks, by commas, of clients that are not sent to the store"),
        Setting(
            key: "s3.public-endpoint", standard: "", help: "URL of the store as clients reach it, where that is another"
        ),
        Setting(key: "s3.link-life", standard: "900", help: "seconds that a URL given to a client can be used"),
        Setting(
            key: "s3.part-size", standard: "5242880",
            help: "bytes of a part of an upload; a blob has 10,000 parts at most"),
        Setting(
            key: "s3.memory", standard: "26214400", help: "most bytes of parts that are on their way to the store"),
        Setting(
            key: "redis.url", standard: "",
            help:
                "Redis that the nodes of one database share, such as redis://user@host:6379/0: manifests are read from it, and "
                + "rates and failed logins counted in it; it speaks no TLS, which needs a tunnel", isSecret: true),
        Setting(
            key: "redis.host", standard: "",
            help: "its host, or the path of its socket; this and the next in the place of what the URL says"),
        Setting(key: "redis.port", standard: "", help: "its port; 6379 where none is said"),
        Setting(key: "redis.database", standard: "", help: "the number of its database; 0 where none is said"),
        Setting(key: "redis.user", standard: "", help: "who it is used as; without it, its default user"),
        Setting(key: "redis.password-file", standard: "", help: "file with that user's password"),
        Setting(
            key: "redis.connect-timeout", standard: "1000",
            help: "milliseconds that a connection may take; no request waits for it"),
        Setting(
            key: "redis.timeout", standard: "100",
            help:
                "milliseconds that an answer may take; who waits longer goes on without, as do all until it answers again"
        ),
        Setting(key: "redis.value-limit", standard: "262144", help: "bytes of the largest manifest that is kept there"),
        Setting(
            key: "cache.manifests", standard: "12582912",
            help: "most bytes of manifests that this process keeps in memory"),
        Setting(key: "open", standard: "false", help: "no authentication: everyone may do everything"),
        Setting(key: "open-anywhere", standard: "false", help: "allow `open` on an address that is not loopback"),
        Setting(key: "admin.name", standard: "admin", help: "the administrator that the first start makes"),
        Setting(
            key: "admin.password-file", standard: "",
            help: "file with that administrator's password; without it one is made and told to the terminal, once"),
        Setting(
            key: "plain-http", standard: "false",
            help: "allow passwords to cross the network in the clear, on an address that is not loopback"),
        Setting(
            key: "tls.certificate", standard: "",
            help: "PEM file with the certificate and its chain: serve HTTPS; read again when it changes"),
        Setting(key: "tls.key", standard: "", help: "PEM file with the certificate's key"),
        Setting(key: "log.level", standard: "info", help: "trace, debug (with reads), info, notice, warning, error"),
        Setting(key: "log.format", standard: "text", help: "text or json"),
        Setting(
            key: "log.file", standard: "",
            help: "file to append the log to instead of standard error; SIGHUP opens it again"),
        Setting(
            key: "log.access", standard: "",
            help: "file to append a line for each request to, in the format of the log; - for standard output; SIGHUP "
                + "opens it again"),
        Setting(
            key: "log.slow", standard: "5000",
            help: "milliseconds that a request may take, beside what its client takes to send and to read, until a "
                + "warning says where they went; 0 for any"),
        Setting(
            key: "metrics.listen", standard: "",
            help: "host:port of a listener that has /metrics for Prometheus and nothing else; empty for none"),
        Setting(
            key: "metrics.token-file", standard: "",
            help: "file with the token that who reads metrics has to send (Authorization: Bearer); needed where "
                + "metrics.listen is no loopback address"),
        Setting(
            key: "metrics.namespaces", standard: "20",
            help: "how many namespaces, those with most bytes, have numbers of their own in the metrics"),
        Setting(key: "http.threads", standard: "0", help: "event loops; 0 for one a core"),
        Setting(key: "http.connections", standard: "10000", help: "most connections at once"),
        Setting(
            key: "http.connections-per-address", standard: "0",
            help: "most of them from one address that is no trusted proxy; 0 for half of all"),
        Setting(key: "http.head-timeout", standard: "10", help: "seconds for a new connection's first request head"),
        Setting(key: "http.idle-timeout", standard: "60", help: "seconds for a connection's next request"),
        Setting(key: "http.body-timeout", standard: "30", help: "seconds for 4 KiB of a body"),
        Setting(key: "http.send-timeout", standard: "30", help: "seconds for 32 KiB of an answer to be taken"),
        Setting(key: "http.shutdown-timeout", standard: "25", help: "seconds for running requests after SIGTERM"),
        Setting(key: "http.absolute-locations", standard: "false", help: "Locations with scheme and host"),
        Setting(
            key: "http.trusted-proxies", standard: "",
            help: "addresses or blocks, by commas, whose Forwarded and X-Forwarded-* headers count"),
        Setting(
            key: "http.url", standard: "",
            help: "how clients reach the registry, such as https://registry.example.com; else what requests say"),
        Setting(
            key: "http.cors-origins", standard: "",
            help: "origins whose pages may use the API, by commas, such as https://ui.example.com; * lets any read"),
        Setting(key: "auth.basic", standard: "false", help: "ask clients for Basic credentials, not for tokens"),
        Setting(
            key: "auth.password-cost", standard: "5", help: "cost of a password's yescrypt hash; each step doubles it"),
        Setting(key: "auth.password-length", standard: "8", help: "fewest characters of a password that is chosen"),
        Setting(
            key: "auth.free-failures", standard: "5",
            help: "failed logins of an account from one address before it has to wait; four times as many of an address"
        ),
        Setting(key: "auth.token-life", standard: "3600", help: "seconds that an access token lives"),
        Setting(
            key: "auth.login-life", standard: "7776000", help: "seconds that a kept login lives without being used"),
        Setting(key: "audit.days", standard: "365", help: "days that entries of the audit are kept; 0 for ever"),
        Setting(
            key: "accounts.registration", standard: "false",
            help: "anybody may make an account; where mail is sent, once their address is confirmed"),
        Setting(key: "mail.server", standard: "", help: "SMTP server that letters are handed to; empty: none are sent"),
        Setting(key: "mail.port", standard: "587", help: "its port"),
        Setting(
            key: "mail.security", standard: "starttls",
            help: "tls from the first byte, starttls, or none; nothing is sent where the server does not offer it"),
        Setting(
            key: "mail.authorities", standard: "",
            help: "PEM file with the authorities of the server's certificate, instead of the system's"),
        Setting(key: "mail.user", standard: "", help: "who logs in to the server; empty for nobody"),
        Setting(key: "mail.password-file", standard: "", help: "file with that user's password"),
        Setting(key: "mail.from", standard: "", help: "the address that letters are from"),
        Setting(
            key: "mail.link", standard: "",
            help: "address of a page that takes codes, such as https://ui.example.com/{purpose}#{code}"),
        Setting(
            key: "invitations.days", standard: "7",
            help: "days that an invitation to an organization waits for an answer"),
        Setting(
            key: "organizations.by-users", standard: "true",
            help: "every user may make organizations, not only administrators"
        ),
        Setting(key: "repositories.public", standard: "false", help: "repositories that a push makes are public"),
        Setting(
            key: "repositories.restore-days", standard: "7",
            help: "days that a deleted repository can be restored, and its name is taken"),
        Setting(
            key: "rate.login", standard: "60", help: "most changes of passwords a minute of one account; 0 for any"),
        Setting(
            key: "rate.token", standard: "0", help: "most requests for tokens a minute of one address; 0 for any"),
        Setting(
            key: "rate.registration", standard: "10",
            help: "most registrations, and requests for a new password, a minute of one address; 0 for any"),
        Setting(
            key: "rate.read", standard: "0",
            help: "most pulls a minute of one account, or of one address without; 0 for any"),
        Setting(key: "rate.list", standard: "0", help: "the same for lists"),
        Setting(key: "rate.write", standard: "0", help: "the same for pushes and deletions"),
        Setting(key: "limits.manifest", standard: "4194304", help: "largest manifest in bytes"),
        Setting(key: "limits.blob", standard: "0", help: "largest blob in bytes; 0 for any"),
        Setting(key: "limits.page", standard: "10000", help: "most entries of one page of a list"),
        Setting(
            key: "limits.tags-per-push", standard: "100",
            help: "most tag parameters of one manifest push; all of its request line has 16 KiB at most"),
        Setting(
            key: "uploads.idle-timeout", standard: "86400", help: "seconds until an upload without traffic expires"),
        Setting(
            key: "uploads.per-address", standard: "1000", help: "most uploads in progress that one address has begun"),
        Setting(
            key: "uploads.per-account", standard: "1000", help: "most uploads in progress that one account has begun"),
        Setting(key: "uploads.limit", standard: "20000", help: "most uploads in progress"),
        Setting(
            key: "scrub.bytes-per-second", standard: "8388608",
            help: "at what pace blobs are read through to find those that the disk has changed; 0 for never"),
        Setting(
            key: "gc.enabled", standard: "true",
            help: "collect in the background what nothing refers to; `aerugo gc` does so either way"),
        Setting(
            key: "gc.grace-hours", standard: "24",
            help:
                "hours that a blob stays that no manifest names; who asks for it can count on it for half as long"
        ),
        Setting(
            key: "gc.untagged-days", standard: "0",
            help:
                "days that a manifest stays that no tag points to, no index names and that refers to nothing; 0 for ever"
        ),
        Setting(key: "manifests.sparse-indexes", standard: "false", help: "take indexes whose manifests are not there"),
        Setting(key: "deletes", standard: "true", help: "allow tags, manifests and blobs to be deleted"),
        Setting(
            key: "deletes-in-use", standard: "false", help: "allow blobs to be deleted that a manifest still names"),
    ]
}
