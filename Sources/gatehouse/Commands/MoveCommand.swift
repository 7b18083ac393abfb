import ArgumentParser
import GatehouseApp

struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move",
        abstract: "Copy everything into another database, while no server runs: from SQLite to Postgres, or back.",
        discussion: """
            The database of the configuration is read and left as it is; the other one must be empty. Every row is compared afterwards. Then set \
            database.url to the new address and start the server. The keys that sign tokens and cookies go along: the first start on Postgres takes \
            secrets.toml into the database, and on the way back it is written anew. Everybody stays signed in.

            A password on the command line is seen by everybody on the machine: give it by the variable PGPASSWORD, or by a password file \
            (?passfile=/path).
            """)

    @Option(name: .long, help: ArgumentHelp("Where to: postgres://user@host/database, or sqlite:FILE.", valueName: "address"))
    var to: String

    @OptionGroup var options: ConfigurationOptions

    func run() async throws {
        let outcome = try await Move(options.load().configuration, log: .quiet).run(to: to)
        for count in outcome.counts { Terminal.say("\(count.table): \(count.rows)") }
        Terminal.say("Everything of \(outcome.source) is in \(outcome.target), compared row by row.")
        Terminal.say("Now set database.url = \"\(outcome.target)\" (with its password) and start the server.")
    }
}
