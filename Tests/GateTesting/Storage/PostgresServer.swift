package import GateCore
package import GatePostgres
import Glibc
package import Logging
import Synchronization

/// A PostgreSQL server of the tests' own, see `Tests/postgres-server`. It ends with this process, however that ends: its standard input does.
package final class PostgresServer: Sendable {
    /// The one that suites share, each with databases of its own.
    package static let shared = PostgresServer()

    /// Of another version, for what is tested on several.
    @TaskLocal package static var other: PostgresServer?

    /// The one that databases are made on.
    package static var current: PostgresServer { other ?? shared }

    package let folder: String
    package let port: Int
    private let commands: Mutex<Pipe>
    private let numbers = Atomic<Int>(0)

    private struct Pipe {
        let input: Int32
        let output: Int32

        func line() -> String {
            var bytes: [UInt8] = []
            var byte: UInt8 = 0
            while read(output, &byte, 1) == 1, byte != UInt8(ascii: "\n") { bytes.append(byte) }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    /// - Parameter version: another than this Debian's, such as `13`.
    package init(version: String? = nil) {
        // Nothing that is started later may hold on to these, or the server would not end.
        var input: [Int32] = [0, 0]
        var output: [Int32] = [0, 0]
        precondition(pipe(&input) == 0 && pipe(&output) == 0)
        for end in input + output { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        let path = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/postgres-server"
        var arguments: [UnsafeMutablePointer<CChar>?] = [strdup(path), version.map { strdup($0) }, nil]
        var child = pid_t()
        precondition(posix_spawn(&child, path, &actions, nil, &arguments, environ) == 0, "no \(path)")
        posix_spawn_file_actions_destroy(&actions)
        for argument in arguments { free(argument) }
        close(input[0])
        close(output[1])
        let pipe = Pipe(input: input[1], output: output[0])
        let words = pipe.line().split(separator: " ")
        guard words.count == 2, let port = Int(words[1]) else { preconditionFailure("PostgreSQL: \(words.joined(separator: " "))") }
        folder = String(words[0])
        self.port = port
        commands = Mutex(pipe)
    }

    /// - Returns: what it answered, `done` mostly.
    @discardableResult
    package func command(_ text: String) -> String {
        commands.withLock { pipe in
            let line = text + "\n"
            _ = write(pipe.input, line, line.utf8.count)
            return pipe.line()
        }
    }

    /// Over the Unix socket, as a user who needs no password.
    package func url(_ database: String, settings: String = "") -> PostgresURL {
        let socket = folder.split(separator: "/").map { "%2F\($0)" }.joined()
        return makeURL("postgres://gatehouse@\(socket):\(port)/\(database)\(settings)")
    }

    /// Over TCP, with the password.
    package func networkURL(_ database: String, settings: String = "") -> PostgresURL {
        makeURL("postgres://gatehouse:keep-this-unseen@127.0.0.1:\(port)/\(database)\(settings)")
    }

    /// A pooler in front of the server, which hands connections on after each transaction.
    package func startBouncer() -> Int {
        let answer = command("bouncer")
        guard let port = Int(answer) else { preconditionFailure("PgBouncer: \(answer)") }
        return port
    }

    package func url(_ database: String, bouncer port: Int, settings: String = "") -> PostgresURL {
        makeURL("postgres://gatehouse@127.0.0.1:\(port)/\(database)\(settings)")
    }

    private func makeURL(_ text: String) -> PostgresURL {
        do { return try PostgresURL(text) } catch { preconditionFailure("\(text): \(error)") }
    }

    /// Makes a database and returns its name.
    package func newDatabase(like template: String? = nil) -> String {
        let name = "test\(numbers.wrappingAdd(1, ordering: .relaxed).newValue)"
        let outcome = command("database \(name) \(template ?? "")")
        precondition(outcome == "done", outcome)
        return name
    }

    package func open(
        _ url: PostgresURL, options: PostgresOptions = PostgresOptions(), time: any TimeSource = SystemTime(),
        log: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) async throws -> PostgresDatabase {
        try await PostgresDatabase.open(url, options: options, time: time, entropy: SystemEntropy(), logger: log)
    }

    /// Opens a database of its own, and drops it when `body` has returned.
    package func withDatabase<Result>(
        like template: String? = nil, options: PostgresOptions = PostgresOptions(),
        _ body: (PostgresDatabase, _ name: String) async throws -> Result
    ) async throws -> Result {
        let name = newDatabase(like: template)
        let database = try await open(url(name), options: options)
        do {
            let result = try await body(database, name)
            await database.close()
            command("drop \(name)")
            return result
        } catch {
            await database.close()
            command("drop \(name)")
            throw error
        }
    }
}
