import ArgumentParser
import GatehouseApp

/// Where the configuration comes from; the same for every command.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Read the configuration from this TOML file. Default: the variable GATEHOUSE_CONFIG; for every command but serve, then "
                + "/etc/gatehouse/gatehouse.toml where it exists.", valueName: "file"))
    var config: String?

    @Option(name: .long, help: ArgumentHelp("Read environment variables from this file; those that are set win.", valueName: "file"))
    var envFile: String?

    @Option(name: .long, help: ArgumentHelp("Where the database, the secrets and the admin socket are.", valueName: "folder"))
    var dataDir: String?
}

struct OutputOptions: ParsableArguments {
    @Flag(name: .long, help: "Print JSON.")
    var json = false
}
