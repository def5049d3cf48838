// swift-tools-version: 6.2
import PackageDescription

// CI builds with AERUGO_STRICT=1: a warning of ours is an error there, but never on a stranger's newer compiler.
let strict = Context.environment["AERUGO_STRICT"] == "1"
let settings: [SwiftSetting] =
    [.swiftLanguageMode(.v6), .enableUpcomingFeature("ExistentialAny")]
    + (strict ? [.treatAllWarnings(as: .error)] : [])

/// A folder below Sources is a target, so that an import against the flow of the design fails to build.
func folder(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
}

func program(_ name: String, _ path: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, path: "Sources/\(path)", swiftSettings: settings)
}

/// Tests run the programs' release build. Most are not optimised themselves, which takes the compiler a third of the time; those
/// that play a registry, and wait for what it does, are.
func tests(_ name: String, _ dependencies: [Target.Dependency], isOptimized: Bool = false) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, path: "Tests/\(name)",
        swiftSettings: settings + (isOptimized ? [] : [.unsafeFlags(["-Onone"])]))
}

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let nio: [Target.Dependency] = ["NIOCore", "NIOPosix"].map { .product(name: $0, package: "swift-nio") }
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let nioTLS = Target.Dependency.product(name: "NIOTLS", package: "swift-nio")
let nioHTTP = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")

let package = Package(
    name: "aerugo",
    products: [
        .executable(name: "aerugo", targets: ["aerugo"]),
        .executable(name: "aerugo-conformance", targets: ["aerugo-conformance"]),
        .executable(name: "aerugo-load", targets: ["aerugo-load"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .systemLibrary(name: "CLibCrypt", path: "Sources/CLibCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(
            name: "CLibCrypto", path: "Sources/CLibCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(
            name: "CLibCurl", path: "Sources/CLibCurl", pkgConfig: "libcurl",
            providers: [.apt(["libcurl4-openssl-dev"])]),
        // Its pkg-config file has a flag that packages may not set, of which every build would be warned.
        .systemLibrary(name: "CLibHiredis", path: "Sources/CLibHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CLibPQ", path: "Sources/CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CLinux", path: "Sources/CLinux"),
        folder("Vocabulary", "Vocabulary", []),
        folder("Harness", "Harness", []),

        folder("Metrics", "Registry/Metrics", []),
        folder("Model", "Registry/Model", ["Vocabulary"]),
        folder(
            "Access", "Registry/Access",
            ["CLibCrypt", "Metrics", "Model", "Runtime", .product(name: "Crypto", package: "swift-crypto")]),
        folder("Runtime", "Registry/Runtime", ["Metrics", "Model", "CLinux"]),
        folder("Store", "Registry/Store", ["Metrics", "Model", "Runtime", "CLibCrypto"]),
        folder(
            "SQLiteDriver", "Registry/Drivers/SQLite",
            [
                "Metrics", "Runtime", "Store", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
            ]),
        folder("PostgresDriver", "Registry/Drivers/Postgres", ["CLibPQ", "Metrics", "Model", "Runtime", "Store"]),
        folder("RedisDriver", "Registry/Drivers/Redis", ["CLibHiredis", "Metrics", "Runtime", "Store"]),
        folder("FilesDriver", "Registry/Drivers/Files", ["Metrics", "Model", "Runtime", "Store", "CLinux"]),
        folder(
            "S3Driver", "Registry/Drivers/S3",
            [
                "Metrics", "Model", "Runtime", "Store", .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Crypto", package: "swift-crypto"), nioSSL, nioHTTP,
            ] + nio),
        folder("SMTPDriver", "Registry/Drivers/SMTP", ["CLibCurl", "Model", "Runtime", "Store"]),
        folder("MemoryDriver", "Registry/Drivers/Memory", ["FilesDriver", "Model", "Runtime", "Store"]),
        folder(
            "Service", "Registry/Service",
            [
                "Access", "Metrics", "Model", "Runtime", "Store", "Vocabulary", logging,
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        folder("HTTP", "Registry/HTTP", ["Access", "Metrics", "Model", "Service", "Vocabulary", logging]),
        folder(
            "HTTPServer", "Registry/HTTPServer",
            ["HTTP", "Metrics", "Model", "Runtime", "Service", "CLinux", nioSSL, nioTLS] + nio),
        program(
            "aerugo", "Registry/App",
            [
                "HTTP", "HTTPServer", "Service", "Access", "SQLiteDriver", "PostgresDriver", "FilesDriver",
                "S3Driver", "RedisDriver", "SMTPDriver",
                "Metrics", "Store", "Runtime", "CLinux", "CLibCurl", arguments, logging,
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),

        folder(
            "ConformanceKit", "Conformance/Kit",
            [
                "Harness", "Vocabulary", "CLibCurl", .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ]),
        program("aerugo-conformance", "Conformance/Main", ["ConformanceKit", arguments]),
        .target(name: "TestSupport", dependencies: ["CLinux"], path: "Tests/Support", swiftSettings: settings),
        .target(name: "TestServers", dependencies: ["TestSupport"], path: "Tests/Servers", swiftSettings: settings),
        tests(
            "ConformanceTests", ["ConformanceKit", "TestSupport", .product(name: "Crypto", package: "swift-crypto")],
            isOptimized: true),

        folder(
            "LoadKit", "LoadGen/Kit",
            nio + [
                "Harness", "Vocabulary",
                nioSSL,
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Yams", package: "Yams"),
            ]),
        program("aerugo-load", "LoadGen/Main", ["Harness", "LoadKit", arguments]),
        tests(
            "LoadTests",
            ["Harness", "LoadKit", "TestSupport", nioHTTP, .product(name: "Crypto", package: "swift-crypto")] + nio),

        tests(
            "AccessTests",
            ["Access", "Model", "Runtime", .product(name: "Crypto", package: "swift-crypto")]),
        tests("ModelTests", ["Model", "Vocabulary"]),
        tests(
            "StoreTests",
            [
                "Model", "Runtime", "CLinux", "Store", "SQLiteDriver", "PostgresDriver", "FilesDriver", "MemoryDriver",
                "S3Driver", "RedisDriver", "TestServers", "Vocabulary",
                .product(name: "Crypto", package: "swift-crypto"),
            ]),
        tests(
            "SimulationTests", ["Access", "Model", "Runtime", "SQLiteDriver", "Service", "Store", logging],
            isOptimized: true),
        tests(
            "RegistryTests",
            [
                "HTTP", "HTTPServer", "Service", "Access", "SQLiteDriver", "PostgresDriver", "MemoryDriver",
                "S3Driver", "RedisDriver", "Store", "Runtime", "Metrics", "Model", "Vocabulary", "TestServers",
                "TestSupport",
                logging,
                .product(name: "Crypto", package: "swift-crypto"), .product(name: "NIOCore", package: "swift-nio"),
            ]),
    ]
)
