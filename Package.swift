// swift-tools-version:6.2
import PackageDescription

// The modules, from the ground floor up. An import may only go down: the Makefile builds with
// `--explicit-target-dependency-import-check error`, so what a target may import is exactly what is listed here.

let strict: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    // With whole-module optimisation, Swift 6.3 believes that the members of C's timespec come from SwiftOverlayShims, so this is checked
    // in debug builds only.
    .enableUpcomingFeature("MemberImportVisibility", .when(configuration: .debug)),
]

/// One module under `Sources`.
func module(
    _ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = [], links: [LinkerSetting] = []
) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict, linkerSettings: links)
}

/// Links the static library although a shared one stands beside it: `-lNAME` would take that.
func staticLibrary(_ name: String) -> LinkerSetting { .unsafeFlags(["-Xlinker", "-l:lib\(name).a"]) }

/// The tests of one module, under `Tests`.
func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies + ["GateTesting"], exclude: exclude, swiftSettings: strict)
}

/// A program that measures one module, under `Benchmarks/Sources`.
func benchmark(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .executableTarget(
        name: name, dependencies: dependencies, path: "Benchmarks/Sources/\(name)", exclude: exclude, swiftSettings: strict)
}

let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioHTTP2 = Target.Dependency.product(name: "NIOHTTP2", package: "swift-nio-http2")
let nioHPACK = Target.Dependency.product(name: "NIOHPACK", package: "swift-nio-http2")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let serviceLifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "gatehouse",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "gatehouse", targets: ["gatehouse"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-http2.git", from: "1.46.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
    ],
    targets: [
        // Floor 0: C libraries. No `link` line in the module maps: how each is linked is said here, once.
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        .systemLibrary(name: "COpenSSL", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CCrypt", providers: [.apt(["libcrypt-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CTimex"),
        // Not linked: opened at run time by whoever asks for Postgres.
        .systemLibrary(name: "CPostgres"),
        .systemLibrary(name: "CMalloc"),
        // System calls that Swift does not import.
        .target(name: "CFiles"),

        // Floor 1
        module("GateCore", ["CFiles"]),
        module("GateCompression", ["CZlib"], links: [.linkedLibrary("z")]),

        // Floor 2
        module(
            "GateCrypto", ["GateCore", "COpenSSL", "CCrypt"],
            links: [staticLibrary("crypt"), .linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        module("GateHTTP", ["GateCore", nioCore, nioHTTP1]),
        module("GateSQL", ["GateCore"]),
        module("GateLimits", ["GateCore"]),

        // Floor 3
        module(
            "GateNet",
            ["GateCore", "GateCompression", "GateCrypto", "GateHTTP", nioCore, nioPosix, nioHTTP1, nioHTTP2, nioHPACK, logging]),
        module("GateACME", ["GateCore", "GateCrypto", "GateHTTP", nioCore, nioHTTP1, logging]),
        module(
            "GateSQLite", ["GateCore", "GateSQL", "CSQLite", logging],
            links: [staticLibrary("sqlite3"), .linkedLibrary("m")]),
        module("GatePostgres", ["GateCore", "GateSQL", "CPostgres", logging]),
        module("GateIdentity", ["GateCore", "GateCrypto", "GateLimits"]),
        module("GateBackup", ["GateCore", "GateCompression", "GateCrypto"]),

        // Floor 4
        module("GateStores", ["GateCore", "GateCrypto", "GateSQL", "GateIdentity", "GateACME"], resources: [.embedInCode("Migrations")]),
        module(
            "GateAccess", ["GateCore", "GateCrypto", "GateHTTP", "GateIdentity", "GateLimits", nioCore, nioHTTP1, logging]),

        module(
            "GateRedis",
            ["GateCore", "GateCrypto", "GateHTTP", "GateLimits", "GateNet", "GateIdentity", nioCore, nioPosix, logging]),

        // Floor 5
        module("GateAPI", ["GateCore", "GateHTTP", "GateIdentity", "GateLimits", "GateAccess", nioCore, nioHTTP1, logging]),
        module(
            "GateProxy",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateIdentity", "GateLimits", "GateNet", "GateAccess", nioCore, nioPosix, nioHTTP1,
                logging,
            ]),

        // Floor 6
        module(
            "GatehouseApp",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateSQL", "GateLimits", "GateNet", "GateSQLite", "GatePostgres", "GateIdentity",
                "GateBackup", "GateACME", "GateStores", "GateRedis", "GateAccess", "GateAPI", "GateProxy", "CTimex", "CMalloc", nioCore,
                nioPosix, nioHTTP1, logging,
                serviceLifecycle, unixSignals,
            ]),

        // Floor 7
        .executableTarget(
            name: "gatehouse",
            dependencies: ["GateCore", "GateSQL", "GateBackup", "GatehouseApp", argumentParser, logging],
            swiftSettings: strict),

        // What `make bench` runs inside one process. Never shipped.
        benchmark("limits-bench", ["GateCore", "GateLimits", "GateNet", "GateRedis", logging]),
        benchmark("net-bench", ["GateCore", "GateCrypto", "GateHTTP", "GateNet", nioCore, nioPosix, nioHTTP1]),
        benchmark("storage-bench", ["GateCore", "GateSQL", "GateSQLite", logging], exclude: ["storage-baseline.c"]),
        benchmark("crypto-bench", ["GateCore", "GateCrypto", "CCrypt"]),
        benchmark(
            "identity-bench",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateLimits", "GateSQL", "GateSQLite", "GateIdentity", "GateStores", "GateAccess",
                nioHTTP1, logging,
            ]),

        // What the tests share: test clock, seeded entropy, conformance suites. Never shipped.
        .target(
            name: "GateTesting",
            dependencies: [
                "GateCore", "GateCrypto", "GateHTTP", "GateSQL", "GateSQLite", "GatePostgres", "GateLimits", "GateIdentity", "GateACME",
                "GateStores", nioCore, nioHTTP1, logging,
            ],
            path: "Tests/GateTesting", swiftSettings: strict),

        // A file layer for SQLite that fails on demand and cuts the power. Never shipped.
        .target(name: "CFaultVFS", path: "Tests/CFaultVFS"),

        tests("GateCoreTests", ["GateCore"]),
        tests("GateCryptoTests", ["GateCore", "GateCrypto"]),
        tests("GateHTTPTests", ["GateCore", "GateHTTP", nioCore, nioHTTP1]),
        tests("GateLimitsTests", ["GateCore", "GateLimits"]),
        tests(
            "GateNetTests",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateNet", "CZlib", nioCore, nioPosix, nioEmbedded, nioHTTP1, nioHTTP2, nioHPACK,
                logging,
            ]),
        tests("GateBackupTests", ["GateCore", "GateCompression", "GateCrypto", "GateBackup"]),
        tests("GateACMETests", ["GateCore", "GateCrypto", "GateHTTP", "GateACME", nioCore, nioHTTP1, logging]),
        tests("GateSQLTests", ["GateCore", "GateSQL"]),
        tests("GateSQLiteTests", ["GateCore", "GateSQL", "GateSQLite", "CFaultVFS", logging]),
        tests("GatePostgresTests", ["GateCore", "GateSQL", "GatePostgres", logging]),
        tests(
            "GateIdentityTests",
            ["GateCore", "GateCrypto", "GateSQL", "GateSQLite", "GateLimits", "GateIdentity", "GateStores", logging]),
        tests(
            "GateStoresTests", ["GateCore", "GateCrypto", "GateSQL", "GateSQLite", "GateIdentity", "GateACME", "GateStores", logging]),
        tests(
            "GateAccessTests",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateIdentity", "GateLimits", "GateSQL", "GateSQLite", "GateStores", "GateAccess",
                nioCore, nioHTTP1, logging,
            ]),
        tests(
            "GateRedisTests",
            [
                "GateCore", "GateCrypto", "GateLimits", "GateNet", "GateIdentity", "GateRedis", nioCore, nioPosix, nioEmbedded, logging,
            ]),
        tests(
            "GateProxyTests",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateIdentity", "GateLimits", "GateNet", "GateAccess", "GateProxy", nioCore, nioPosix,
                nioHTTP1, logging,
            ]),
        tests(
            "GateAPITests",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateIdentity", "GateLimits", "GateSQL", "GateSQLite", "GateStores", "GateAccess",
                "GateAPI",
                nioCore, nioHTTP1, logging,
            ]),
        tests(
            "GatehouseAppTests",
            [
                "GateCore", "GateCrypto", "GateHTTP", "GateSQL", "GateSQLite", "GatePostgres", "GateIdentity", "GateACME", "GateBackup",
                "GateLimits", "GateNet", "GateAccess", "GateAPI", "GateProxy", "GateStores", "GatehouseApp", nioCore,
                nioPosix, nioHTTP1,
                logging,
            ]),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzzers need libFuzzer's instrumentation and its main function: only `scripts/fuzz` asks for them.
if Context.environment["GATEHOUSE_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "gate-fuzz",
            dependencies: [
                "GateCore", "GateCrypto", "GateHTTP", "GateNet", "GateIdentity", "GateACME", "GateBackup", "GateRedis", "GateAccess",
                "GateAPI",
                "GateProxy", "GatehouseApp", nioCore, nioHTTP1, nioHPACK,
            ],
            path: "Fuzzing/Sources", swiftSettings: strict + [.unsafeFlags(["-parse-as-library"])],
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer"])]))
}
