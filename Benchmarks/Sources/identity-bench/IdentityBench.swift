import GateCore
import GateCrypto
import GateIdentity
import GateSQL
import GateSQLite
import GateStores
import Glibc
import Logging

/// Figures of accounts inside the process, as one line of JSON: nanoseconds for each authentication, durable refreshes a second.
/// Takes the folder for its database as argument, on the disk that is to be measured. Run the release build, on an idle machine.
@main
enum IdentityBench {
    static let time = SystemTime()

    static func main() async throws {
        let folder = CommandLine.arguments.dropFirst().first ?? "identity-bench-data"
        let bench = try await Accounts(folder: folder)
        var writer = JSONWriter()
        writer.beginObject()
        try await authentication(bench, &writer)
        try await doorkeeping(bench, &writer)
        try await refreshes(bench, &writer)
        writer.endObject()
        print(String(decoding: writer.bytes, as: UTF8.self))
        await bench.close()
    }

    private static func authentication(_ bench: Accounts, _ writer: inout JSONWriter) async throws {
        let identity = bench.identity
        let signIns = try await bench.register(1000)
        let tokens = signIns.map { String(decoding: $0.accessToken.exposed, as: UTF8.self) }
        let cookies = signIns.map { String(decoding: $0.cookieToken.exposed, as: UTF8.self) }
        for cookie in cookies { _ = try await identity.authenticate(cookie: cookie) }
        writer.name("ns")
        writer.beginObject()
        writer.member("clock_read", nanoseconds { _ in _ = time.now() })
        writer.member("bearer_first_time", nanoseconds(1000) { _ = try? identity.authenticate(bearer: tokens[$0]) })
        writer.member("bearer_again", nanoseconds { _ in _ = try? identity.authenticate(bearer: tokens[0]) })
        writer.member("bearer_again_of_1000", nanoseconds { _ = try? identity.authenticate(bearer: tokens[$0 % 1000]) })
        for number in 0..<100_000 {
            let id = Session.ID(high: UInt64(number), low: UInt64(number) &* 0x9E37_79B9_7F4A_7C15)
            identity.revocations.insert(Revocation(subject: .session(id), expiresAt: time.now() + .seconds(900)))
        }
        writer.member(
            "bearer_again_of_1000_with_100k_revocations", nanoseconds { _ = try? identity.authenticate(bearer: tokens[$0 % 1000]) })
        let principals = try tokens.map { try identity.authenticate(bearer: $0) }
        writer.member(
            "revocation_check_of_100k",
            nanoseconds {
                _ = identity.revocations.isRevoked(token: principals[$0 % 1000].tokenID!, session: principals[$0 % 1000].sessionID)
            })
        writer.member("cookie_again_of_1000", nanoseconds { _ = identity.authenticateInPlace(cookie: cookies[$0 % 1000]) })
        writer.member("profile_again_of_1000", nanoseconds { _ = identity.profileInPlace(of: principals[$0 % 1000]) })
        writer.endObject()
    }

    /// Each client refreshes its own session, one after the other.
    private static func refreshes(_ bench: Accounts, _ writer: inout JSONWriter) async throws {
        writer.name("durable_refreshes_per_second")
        writer.beginObject()
        for clients in [1, 64, 256, 1024] {
            let signIns = try await bench.register(clients)
            let start = time.monotonic()
            let end = start + .seconds(3)
            let done = try await withThrowingTaskGroup(of: Int.self) { group in
                for signIn in signIns {
                    group.addTask {
                        var token = signIn.refreshToken
                        var count = 0
                        while time.monotonic() < end {
                            token = try await bench.identity.refresh(token: token, device: Accounts.device).refreshToken
                            count += 1
                        }
                        return count
                    }
                }
                return try await group.reduce(0, +)
            }
            let seconds = Double(time.monotonic().since(start).wholeMilliseconds) / 1000
            writer.member("\(clients)_clients", Int64(Double(done) / seconds))
        }
        writer.endObject()
    }

    /// The median of five rounds.
    static func nanoseconds(_ count: Int = 200_000, _ body: (Int) -> Void) -> Int64 {
        var rounds: [Int64] = []
        for _ in 0..<(count == 1000 ? 1 : 5) {
            let start = time.monotonic()
            for step in 0..<count { body(step) }
            rounds.append(time.monotonic().since(start).wholeNanoseconds / Int64(count))
        }
        return rounds.sorted()[rounds.count / 2]
    }
}

/// The accounts as the server has them, on a database in a folder.
struct Accounts {
    let identity: Identity
    private let database: SQLiteDatabase

    static let device = Device(userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", address: "192.0.2.1")

    init(folder: String) async throws {
        let entropy = SystemEntropy()
        let time = SystemTime()
        database = try await SQLiteDatabase.open(path: folder + "/bench.db", time: time, logger: Logger(label: "bench"))
        _ = try await MigrationPlan(AccountMigrations.sqlite).up(database, time: time)
        identity = Identity(
            users: SQLUserStore(database), sessions: SQLSessionStore(database), organisations: SQLOrganisationStore(database),
            revocationStore: SQLRevocationStore(database), loginFailures: SQLLoginFailureStore(database),
            passwords: PasswordHasher(cost: 4, threads: 2, queueLimit: 100_000, entropy: entropy),
            accessTokens: AccessTokenIssuer(
                issuer: "https://app.example.com", audience: "https://app.example.com",
                keys: SigningKeyRing(current: try SigningKey.generate(.hs256, id: "bench", entropy: entropy))),
            accountHashKey: Secret([UInt8](repeating: 5, count: 32)), sessionTokens: SessionTokenIssuer(key: Secret(entropy.bytes(32))),
            time: time, entropy: entropy)
    }

    func register(_ count: Int) async throws -> [SignIn] {
        try await withThrowingTaskGroup(of: SignIn.self) { group in
            for _ in 0..<count {
                group.addTask {
                    let form = RegistrationForm(
                        email: "user\(identity.entropy.uint64())@example.com", password: Secret("correct horse battery"),
                        organisationName: "Analytical Engines", device: Self.device)
                    return try await identity.register(form)
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    func close() async {
        await identity.passwords.shutdown()
        await database.close()
    }
}
