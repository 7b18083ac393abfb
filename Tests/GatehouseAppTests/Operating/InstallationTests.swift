import GateTesting
import Glibc
import Testing

@testable import GatehouseApp

@Suite("What commands find by themselves")
struct InstallationTests {
    struct Case: CustomTestStringConvertible {
        let testDescription: String
        var option: String?
        var variable: String?
        var installed: String? = Installation.configuration
        let file: String?
    }

    @Test(
        "The configuration file of a command",
        arguments: [
            Case(testDescription: "the packaged one, where nothing is named", file: "/etc/gatehouse/gatehouse.toml"),
            Case(testDescription: "none, where there is no packaged one", installed: nil, file: nil),
            Case(testDescription: "the variable's before the packaged one", variable: "/b.toml", file: "/b.toml"),
            Case(
                testDescription: "the variable's also where there is no packaged one", variable: "/b.toml", installed: nil, file: "/b.toml"),
            Case(testDescription: "none, where the variable is empty", variable: "", file: nil),
            Case(testDescription: "the option's before all", option: "/a.toml", variable: "/b.toml", file: "/a.toml"),
            Case(testDescription: "the option's, where the variable is empty", option: "/a.toml", variable: "", file: "/a.toml"),
        ])
    func configurationFile(_ scenario: Case) {
        let environment = scenario.variable.map { [Installation.variable: $0] } ?? [:]
        let file = Installation.configurationFile(option: scenario.option, environment: environment, installed: scenario.installed)
        #expect(file == scenario.file)
    }

    @Test("The variable that names the file is no setting")
    func variableIsNoSetting() throws {
        let sources = Configuration.Sources(environment: [Installation.variable: "/etc/other.toml"], cores: 1)
        let loaded = try Configuration.load(sources).get()
        #expect(loaded.origins.isEmpty && loaded.notices.isEmpty)
        let folder = TemporaryFolder()
        let file = folder.write(".env", "\(Installation.variable)=/etc/other.toml\n", mode: 0o600)
        let inFile = Configuration.load(Configuration.Sources(environmentFile: file, cores: 1))
        #expect(throws: ConfigurationFaults.self) { try inFile.get() }
    }

    @Test("A folder that is missing, or this process's own, changes nobody")
    func ownFolder() throws {
        let folder = TemporaryFolder()
        let user = geteuid()
        for path in [folder.path, folder.file("missing")] {
            try DataFolderOwner.become(of: path)
            try DataFolderOwner.refuseRoot(on: path)
        }
        #expect(geteuid() == user)
    }
}
