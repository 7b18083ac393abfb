import ArgumentParser
import GateCore
import GateSQL
import GatehouseApp

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "See and change the database's schema, the latter while no server runs. `serve` applies what is pending by itself.",
        subcommands: [Up.self, Down.self, Status.self])

    struct Up: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Apply every migration that is pending, after a backup of the database.")

        @Flag(name: .long, help: "Make no backup before.") var withoutBackup = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let applied = try await options.withSchema { try await $0.up(withBackup: !withoutBackup) }
            for migration in applied { Terminal.say("applied \(migration.version) \(migration.name)") }
            if applied.isEmpty { Terminal.say("Nothing is pending.") }
        }
    }

    struct Down: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Undo the newest migration, after a backup of the database. What it had made is gone, with the data in it.")

        @Flag(name: .long, help: "Make no backup before.") var withoutBackup = false

        @Flag(name: .long, help: "Do not ask.") var yes = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            if !yes { try Terminal.confirm("The newest migration will be undone, and its data lost.") }
            if let undone = try await options.withSchema({ try await $0.down(withBackup: !withoutBackup) }) {
                Terminal.say("undone \(undone.version) \(undone.name)")
            } else {
                Terminal.say("No migration is applied.")
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the migrations.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            // Of all that is done to the schema this alone is harmless under a running server: it is asked.
            let ofServer = try await Schema.statusOfServer(options.load().configuration)
            let migrations = if let ofServer { ofServer } else { try await options.withSchema { try await $0.status() } }
            if output.json { return Terminal.say(JSON.object([.init("migrations", migrations)]).text) }
            Terminal.table(
                ["VERSION", "NAME", "STATE", "APPLIED"],
                (migrations.array ?? []).map { migration in
                    [
                        "\(migration["version"]?.integer ?? 0)", migration["name"]?.string ?? "", migration["state"]?.string ?? "",
                        migration["applied_at"]?.string ?? "",
                    ]
                })
        }
    }
}
