import Access
import CLinux
import Glibc
import HTTP
import HTTPServer
import Logging
import Model
import PostgresDriver
import RedisDriver
import Runtime
import SMTPDriver
import Service
import ServiceLifecycle
import Store
import UnixSignals

/// Settings that have been read as what they are meant to be.
struct Plan: Sendable {
    let listen: ListenAddress
    let data: String
    /// Nil for SQLite in the data directory.
    let database: PostgresSettings?
    /// Nil for files in the data directory.
    let s3: S3Plan?
    /// Nil where nothing is shared.
    let redis: RedisSettings?
    let isOpen: Bool
    fileprivate let isOpenAnywhere: Bool
    fileprivate let exposure: Exposure
    fileprivate let administrator: FirstAdministrator
    let limits: Registry.Limits
    let accounts: AccountSettings
    /// Where mail is handed to; nil where none is sent.
    let mail: SMTPServer?
    /// Of a repository that a push makes.
    let visibility: Visibility
    let passwordCost: Int
    fileprivate let server: ServerSettings
    let http: HTTPSettings
    let log: Logger
    fileprivate let logPath: String
    fileprivate let watching: WatchPlan
    /// Most connections at once.
    var connections: Int { server.connections }
    /// What clients of TLS are shown; nil without.
    var identity: ServerIdentity? { server.identity }

    /// Throws `ConfigurationError` for the first value that cannot be used.
    init(_ settings: Settings) throws {
        listen = try ListenAddress(settings)
        data = settings.string("data")
        database = try PostgresSettings.of(settings)
        s3 = try S3Plan.of(settings)
        redis = try RedisSettings.of(settings)
        isOpen = try settings.flag("open")
        isOpenAnywhere = try settings.flag("open-anywhere")
        limits = try Registry.Limits(settings)
        accounts = try AccountSettings(settings)
        mail = try SMTPServer.of(settings)
        visibility = try settings.flag("repositories.public") ? .open : .hidden
        passwordCost = try settings.number("auth.password-cost", in: PasswordHasher.costs)
        server = try ServerSettings(settings)
        http = try HTTPSettings(settings)
        log = try makeLogger(settings)
        exposure = Exposure(
            listen: listen, isOpen: isOpen, isPlainMeant: try settings.flag("plain-http"),
            hasTLS: server.identity != nil, hasProxies: !http.trustedProxies.isEmpty)
        administrator = try FirstAdministrator(settings)
        logPath = settings.string("log.file")
        watching = try WatchPlan(settings)
    }
}

/// Runs the registry until it is told to stop. Throws `ConfigurationError`.
func serve(_ plan: Plan) async throws {
    let (listen, log) = (plan.listen, plan.log)
    ProcessSetup.prepare()
    try plan.exposure.check()
    guard !plan.isOpen || listen.isLoopback || plan.isOpenAnywhere else {
        throw ConfigurationError(
            description: "--open on \(listen.host) lets anybody who reaches it push and delete: "
                + "listen on 127.0.0.1, or add --open-anywhere if that is meant")
    }
    guard logFile.open(plan.logPath) else {
        throw ConfigurationError(
            description: "cannot write log.file '\(plan.logPath)': \(String(cString: strerror(errno)))", exitCode: 1)
    }
    ProcessSetup.checkAccess(plan.data, log)
    plan.exposure.warn(log)
    plan.database?.warn(log)
    plan.s3?.warn(log)
    plan.redis?.warn(log)
    plan.server.identity?.report(to: log)
    do {
        let composition = try await Composition(plan)
        let (registry, accounts, application) = (composition.registry, composition.accounts, composition.application)
        if !plan.isOpen { try await plan.administrator.make(accounts, log) }
        var server = plan.server
        server.connections = ProcessSetup.connections(wanted: server.connections, log)
        let access = try plan.watching.prepare(&server)
        let running = try await Server(application, host: listen.host, port: listen.port, server)
        if !plan.isOpen { await running.serveCommands(composition.localApplication, of: plan.data, log) }
        try await plan.watching.watch(composition, running, server.identity, log)
        let hangUps = await UnixSignalsSequence(trapping: .sighup)
        let services = ServiceGroup(
            configuration: .init(
                services: [
                    .init(service: ServerService(server: running, plan: plan)),
                    .init(service: SweepService(registry: registry, log: log)),
                    .init(
                        service: HangUpService(signals: hangUps, identity: server.identity, access: access, log: log)),
                    .init(service: TrimService()),
                    .init(service: CertificateService(identity: server.identity, log: log)),
                    .init(service: AccountService(accounts: accounts)),
                ], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: Logger(label: "lifecycle") { _ in SwiftLogNoOpLogHandler() }))
        try await services.run()
        log.notice("stopped")
        await flushLog(access)
        withExtendedLifetime(composition) {}
    } catch {
        throw ConfigurationError(plan, cannotServe: error)
    }
}

extension ConfigurationError {
    /// Why a registry of this plan cannot serve, or not any more.
    fileprivate init(_ plan: Plan, cannotServe error: any Error) {
        let data = "cannot use data directory '\(plan.data)'"
        switch error {
        case let error as ConfigurationError: self = error
        case let error as StoreError: self.init(description: "\(data): \(error.cause)", exitCode: 1)
        case let error as RegistryError: self.init(description: "\(data): \(error.message)", exitCode: 1)
        default:
            self.init(
                description: "cannot listen on \(plan.listen.host):\(plan.listen.port): \(error)", exitCode: 1)
        }
    }
}

/// Serves until the group is asked to stop, then lets running requests end.
private struct ServerService: ServiceLifecycle.Service {
    let server: Server
    let plan: Plan

    func run() async throws {
        // Said here, where signals are listened to already: who waits for this line may stop the server next.
        var metadata: Logger.Metadata = ["address": "\(server.address)", "data": "\(plan.data)"]
        metadata["database"] = plan.database.map { "\($0.description)" }
        metadata["blobs"] = plan.s3.map { "\($0.store.description)" }
        metadata["redis"] = plan.redis.map { "\($0.description)" }
        plan.log.notice("serving", metadata: metadata)
        try await gracefulShutdown()
        try await server.shutDown()
    }
}

/// On SIGHUP, which ends many programs but not this one, opens the log again and looks for a new certificate.
private struct HangUpService: ServiceLifecycle.Service {
    /// Listened to from before the server says that it serves: one that came between would be lost.
    let signals: UnixSignalsSequence
    let identity: ServerIdentity?
    let access: AccessOutput?
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in signals {
                reopenLog(log)
                access?.reopen(log)
                identity?.refresh(atOnce: true, log)
            }
        }
    }
}

/// Writes the audit's refusals, renews signing keys and removes what has expired, until the group is asked to stop.
private struct AccountService: ServiceLifecycle.Service {
    let accounts: Accounts

    func run() async throws {
        await cancelWhenGracefulShutdown {
            async let audit: Void = accounts.audit.run()
            async let tokens: Void = accounts.tokens.run()
            async let logins: Void = accounts.logins.run()
            async let kept: Void = accounts.kept.run()
            async let invitations: Void = accounts.invitations.run()
            async let letters: Void = accounts.letters.run()
            _ = await (audit, tokens, logins, kept, invitations, letters)
        }
        await accounts.audit.flush()
    }
}

/// Gives memory back that a peak has left: the allocator would keep it until the next one.
private struct TrimService: ServiceLifecycle.Service {
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .seconds(5)) } catch { return }
                aerugo_trim_memory(8 << 20)
            }
        }
    }
}

/// Clears away what nobody needs any more and looks after the stores, until the group is asked to stop.
private struct SweepService: ServiceLifecycle.Service {
    let registry: Registry
    let log: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            async let sweeping: Void = registry.sweep(every: .seconds(60))
            async let watching: Void = registry.watch()
            async let scrubbing: Void = registry.scrub()
            async let collecting: Void = registry.collector.run()
            async let counting: Void = registry.pulls.run()
            async let finding: Void = registry.repositories.keepWords(log)
            _ = await (sweeping, watching, scrubbing, collecting, counting, finding)
        }
    }
}

extension Registry.Limits {
    fileprivate init(_ settings: Settings) throws {
        self.init()
        manifest = try settings.number("limits.manifest", in: 1024...64 << 20)
        let largest = try settings.number("limits.blob", in: 0...Int.max)
        blob = largest == 0 ? .max : Int64(largest)
        page = try settings.number("limits.page", in: 1...100_000)
        tagsPerPush = try settings.number("limits.tags-per-push", in: 1...1000)
        uploadIdle = .seconds(try settings.number("uploads.idle-timeout", in: 1...31_536_000))
        uploads.ofAddress = try settings.number("uploads.per-address", in: 1...1_000_000)
        uploads.ofPrincipal = try settings.number("uploads.per-account", in: 1...1_000_000)
        uploads.inAll = try settings.number("uploads.limit", in: 1...1_000_000)
        restoreTime = .seconds(86_400 * Int64(try settings.number("repositories.restore-days", in: 0...3650)))
        collection.isOn = try settings.flag("gc.enabled")
        collection.grace = .seconds(3600 * Int64(try settings.number("gc.grace-hours", in: 1...8760)))
        let untagged = try settings.number("gc.untagged-days", in: 0...36_500)
        collection.untagged = untagged == 0 ? nil : .seconds(86_400 * Int64(untagged))
        scrubRate = Int64(try settings.number("scrub.bytes-per-second", in: 0...1 << 40))
        manifestCache = try settings.number("cache.manifests", in: 0...1 << 40)
        sparseIndexes = try settings.flag("manifests.sparse-indexes")
        deletes = try settings.flag("deletes")
        deletesInUse = try settings.flag("deletes-in-use")
    }
}

extension AccountSettings {
    fileprivate init(_ settings: Settings) throws {
        self.init()
        tokenLife = .seconds(try settings.number("auth.token-life", in: 60...86_400))
        loginLife = .seconds(try settings.number("auth.login-life", in: 3600...31_536_000))
        let days = try settings.number("audit.days", in: 0...36_500)
        auditLife = days == 0 ? nil : .seconds(days * 86_400)
        freeFailures = try settings.number("auth.free-failures", in: 1...1_000_000)
        passwords = PasswordRules(minimumLength: try settings.number("auth.password-length", in: 1...128))
        registersAnybody = try settings.flag("accounts.registration")
        letters = try LetterSettings(settings)
        invitationLife = .seconds(86_400 * Int64(try settings.number("invitations.days", in: 1...365)))
        organizationsAreAnybodys = try settings.flag("organizations.by-users")
    }
}

extension ServerSettings {
    fileprivate init(_ settings: Settings) throws {
        self.init()
        let loops = try settings.number("http.threads", in: 0...1024)
        threads = loops == 0 ? nil : loops
        connections = try settings.number("http.connections", in: 1...1_000_000)
        let ofOne = try settings.number("http.connections-per-address", in: 0...1_000_000)
        connectionsPerAddress = ofOne == 0 ? nil : ofOne
        identity = try ServerIdentity.of(settings)
        timeouts.head = .seconds(Int64(try settings.number("http.head-timeout", in: 1...3600)))
        timeouts.idle = .seconds(Int64(try settings.number("http.idle-timeout", in: 1...3600)))
        timeouts.body = .seconds(Int64(try settings.number("http.body-timeout", in: 1...3600)))
        timeouts.send = .seconds(Int64(try settings.number("http.send-timeout", in: 1...3600)))
        shutdownGrace = .seconds(Int64(try settings.number("http.shutdown-timeout", in: 0...3600)))
    }
}

extension HTTPSettings {
    fileprivate init(_ settings: Settings) throws {
        self.init()
        absoluteLocations = try settings.flag("http.absolute-locations")
        url = settings.string("http.url")
        guard url.isEmpty || url.hasPrefix("http://") || url.hasPrefix("https://"), !url.hasSuffix("/") else {
            throw settings.wrong("http.url", "a URL without a slash at its end, such as https://registry.example.com")
        }
        challengesBasic = try settings.flag("auth.basic")
        corsOrigins = Set(
            try settings.string("http.cors-origins").split(separator: ",").map { text in
                let origin = text.trimmingPrefix(" ").description
                let isOrigin =
                    ["http://", "https://"].contains { origin.hasPrefix($0) } && origin.split(separator: "/").count == 2
                guard origin == "*" || (isOrigin && !origin.hasSuffix("/")) else {
                    throw settings.wrong("http.cors-origins", "origins such as https://ui.example.com, by commas, or *")
                }
                return origin
            })
        version = Aerugo.version
        shown = Setting.all.filter { $0.isShown }.map { ($0.key, settings.string($0.key)) }
        for (kind, key) in [
            (RateClass.login, "rate.login"), (.token, "rate.token"), (.read, "rate.read"), (.list, "rate.list"),
            (.write, "rate.write"), (.registration, "rate.registration"),
        ] { rates[kind] = try settings.number(key, in: 0...1_000_000_000) }
        trustedProxies = try Self.blocks(settings, "http.trusted-proxies")
        unredirected = try Self.blocks(settings, "s3.proxy-networks")
    }

    private static func blocks(_ settings: Settings, _ key: String) throws -> [HTTP.AddressBlock] {
        try settings.string(key).split(separator: ",").map { text in
            guard let block = AddressBlock(text.trimmingPrefix(" ").description) else {
                throw settings.wrong(key, "IP addresses or blocks such as 10.0.0.0/8, by commas")
            }
            return block
        }
    }
}

/// `host:port`, with brackets round an IPv6 address.
struct ListenAddress {
    let host: String
    let port: Int

    init(_ settings: Settings, _ key: String = "listen") throws {
        let text = settings.string(key)
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else {
            throw settings.wrong(key, "host:port, such as 127.0.0.1:5000 or [::1]:5000")
        }
        let name = text[..<colon]
        let isBracketed = name.hasPrefix("[") && name.hasSuffix("]") && name.count > 2
        guard isBracketed || !(name.isEmpty || name.contains(":")) else {
            throw settings.wrong(key, "host:port, such as 127.0.0.1:5000 or [::1]:5000")
        }
        host = isBracketed ? String(name.dropFirst().dropLast()) : String(name)
        self.port = Int(port)
    }

    var isLoopback: Bool { host == "localhost" || AddressBlock("127.0.0.0/8")?.contains(host) == true || host == "::1" }
}
