import GateCore
import GatehouseApp
import Glibc
import Logging

extension ConfigurationOptions {
    /// - Parameter installed: whether the packaged configuration is used where none is named. `serve` does not: started in a
    ///   folder, it serves from that folder.
    func sources(_ flags: [(name: String, value: String)] = [], installed: Bool = true) -> Configuration.Sources {
        var flags = flags
        if let dataDir { flags.append(("--data-dir", dataDir)) }
        var environment = ProcessEnvironment.current
        let packaged = installed && access(Installation.configuration, F_OK) == 0 ? Installation.configuration : nil
        let file = Installation.configurationFile(option: config, environment: environment, installed: packaged)
        // What systemd gives the service of it; they are root's alone.
        if installed, file == Installation.configuration, environment["CREDENTIALS_DIRECTORY"] == nil,
            access(Installation.credentials, R_OK | X_OK) == 0
        {
            environment["CREDENTIALS_DIRECTORY"] = Installation.credentials
        }
        return Configuration.Sources(
            flags: flags, environment: environment, environmentFile: envFile, configurationFile: file, cores: ProcessEnvironment.cores)
    }

    /// - Throws: `CommandFailure` 78 with every fault.
    func load(_ sources: Configuration.Sources? = nil) throws -> Configuration.Loaded {
        do {
            return try Configuration.load(sources ?? self.sources()).get()
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Calls the running server, or works on the data folder where none runs.
    func operate<Result>(needsServer: Bool = false, _ work: (AdminConnection) async throws -> Result) async throws -> Result {
        let connection = try await AdminConnection.open(load().configuration, needsServer: needsServer, log: .quiet)
        do {
            let answer = try await work(connection)
            await connection.close()
            return answer
        } catch {
            await connection.close()
            throw error
        }
    }

    func withSchema<Result>(_ work: (Schema) async throws -> Result) async throws -> Result {
        let schema = try await Schema.open(load().configuration, log: .quiet)
        do {
            let result = try await work(schema)
            await schema.close()
            return result
        } catch {
            await schema.close()
            throw error
        }
    }
}

/// A value as a segment of a path.
func escaped(_ text: String) -> String { PercentEncoding.encode(text) }

extension Logger {
    /// Commands say what they have to say themselves.
    static var quiet: Logger { Logger(label: "gatehouse") { _ in SwiftLogNoOpLogHandler() } }
}

extension CommandFailure {
    init(_ error: ConfigurationFaults) {
        let count = error.faults.count == 1 ? "one fault" : "\(error.faults.count) faults"
        self.init(.configuration, "The configuration has \(count):\n\(error)".trimmingNewlines)
    }
}

extension String {
    fileprivate var trimmingNewlines: String { String(reversed().drop { $0 == "\n" }.reversed()) }
}
