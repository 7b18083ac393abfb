import ArgumentParser
import GateCore
import GatehouseApp

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Add, list and change accounts.",
        subcommands: [Add.self, List.self, Show.self, Verify.self, SetPassword.self, Disable.self, Enable.self, Delete.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add an account. The password is asked for, or read from standard input.")

        @Argument(help: "The e-mail address.") var email: String
        @Option(name: .long, help: "The name.") var name: String?
        @Option(name: .long, help: ArgumentHelp("An organisation to create, with this account as its owner.", valueName: "name")) var org:
            String?
        @Flag(name: .long, help: "Set no password: it cannot sign in with one until it has one.") var noPassword = false
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var members: [JSON.Member] = [.init("email", .string(email))]
            if !noPassword {
                let password = try Terminal.readPassword(prompt: "Password for \(email)")
                members.append(.init("password", .string(String(decoding: password.exposed, as: UTF8.self))))
            }
            if let name { members.append(.init("name", .string(name))) }
            if let org { members.append(.init("org_name", .string(org))) }
            let answer = try await options.operate { try await $0.call("POST", "/admin/users", body: .object(members)) }
            show(answer, output)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List accounts, the oldest first.")

        @Option(name: .long, help: "How many at most, up to 1000.") var limit = 100
        @Option(name: .long, help: ArgumentHelp("Begin after this account.", valueName: "id")) var after: String?
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let query = ["limit": "\(limit)", "after": after].compactMapValues { $0 }
            let answer = try await options.operate { try await $0.call("GET", "/admin/users", query: query) }
            if output.json { return Terminal.say(answer.text) }
            let users = answer["users"]?.array ?? []
            Terminal.table(["ID", "EMAIL", "VERIFIED", "STATE", "CREATED", "NAME"], users.map(Self.row))
        }

        private static func row(_ user: JSON) -> [String] {
            [
                user["id"]?.string ?? "", user["email"]?.string ?? "", user["email_verified"]?.bool == true ? "yes" : "no",
                user["disabled_at"]?.string == nil ? "active" : "disabled", user["created_at"]?.string ?? "", user["name"]?.string ?? "",
            ]
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one account.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            show(try await options.operate { try await $0.call("GET", "/admin/users/\(escaped(user))") }, output)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Mark the e-mail address of an account as verified.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            show(try await options.operate { try await $0.call("POST", "/admin/users/\(escaped(user))/verify") }, output)
        }
    }

    struct SetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set-password",
            abstract: "Set the password of an account and end its sessions. The password is asked for, or read from standard input.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let password = try Terminal.readPassword(prompt: "New password for \(user)")
            let body: JSON = ["password": .string(String(decoding: password.exposed, as: UTF8.self))]
            show(try await options.operate { try await $0.call("PUT", "/admin/users/\(escaped(user))/password", body: body) }, output)
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Disable an account: it is signed out everywhere at once.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            show(try await options.operate { try await $0.call("POST", "/admin/users/\(escaped(user))/disable") }, output)
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Enable an account again.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            show(try await options.operate { try await $0.call("POST", "/admin/users/\(escaped(user))/enable") }, output)
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete an account and everything of it, for good.")

        @Argument(help: "Its id or e-mail address.") var user: String
        @Flag(name: .long, help: "Do not ask.") var yes = false
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            if !yes { try Terminal.confirm("\(user) will be deleted for good.") }
            _ = try await options.operate { try await $0.call("DELETE", "/admin/users/\(escaped(user))") }
            Terminal.say("\(user) is deleted.")
        }
    }
}

/// One account, as JSON or a line for each field.
private func show(_ answer: JSON, _ output: OutputOptions) {
    if output.json { return Terminal.say(answer.text) }
    for member in answer["user"]?.members ?? [] where !member.value.isNull {
        Terminal.say("\(member.name): \(member.value.string ?? member.value.text)")
    }
    for organisation in answer["orgs"]?.array ?? [] {
        Terminal.say(
            "org: \(organisation["name"]?.string ?? "") (\(organisation["role"]?.string ?? ""), \(organisation["id"]?.string ?? ""))")
    }
}
