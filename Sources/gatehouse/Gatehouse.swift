import ArgumentParser
import GatehouseApp
import Glibc
import Logging

/// The command line. Every command but `serve` and `check` acts through the running server, or on the data folder where none runs.
@main
struct Gatehouse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatehouse",
        abstract: "The front door of a small server: HTTPS, accounts, sessions and limits in one process.",
        version: GatehouseVersion.current,
        subcommands: [
            ServeCommand.self, CheckCommand.self, DoctorCommand.self, MigrateCommand.self, MoveCommand.self, UserCommand.self,
            SessionCommand.self,
            LimitCommand.self,
            CertCommand.self, ReloadCommand.self, BackupCommand.self, RestoreCommand.self, SecretCommand.self, VersionCommand.self,
        ])

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            Terminal.complain(failure.message, .error)
            Glibc.exit(failure.code.rawValue)
        } catch {
            exit(withError: error)
        }
    }
}
