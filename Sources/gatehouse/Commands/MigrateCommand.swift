import ArgumentParser
import GateCore
import GateSQL
import GatehouseApp

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Work on the database's schema, while no server runs. `serve` applies what is pending by itself.",
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
            let migrations = try await options.withSchema { try await $0.status() }
            if output.json {
                let list = migrations.map { migration -> JSON in
                    [
                        "version": .integer(Int64(migration.version)), "name": .string(migration.name),
                        "state": .string(migration.state.rawValue),
                        "applied_at": migration.appliedAt.map { .string($0.rfc3339) } ?? .null,
                    ]
                }
                return Terminal.say(JSON.object([.init("migrations", .array(list))]).text)
            }
            Terminal.table(
                ["VERSION", "NAME", "STATE", "APPLIED"],
                migrations.map { ["\($0.version)", $0.name, $0.state.rawValue, $0.appliedAt?.rfc3339 ?? ""] })
        }
    }
}
