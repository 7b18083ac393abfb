import GateTesting
import Testing

@Suite("The SQL stores over SQLite keep their contracts")
struct SQLiteContractTests {
    @Test("users", arguments: UserStoreContract.cases)
    func users(_ contract: ContractCase) async throws {
        try await AccountDatabase.with { try await contract.run($0.stores) }
    }

    @Test("sessions", arguments: SessionStoreContract.cases)
    func sessions(_ contract: ContractCase) async throws {
        try await AccountDatabase.with { try await contract.run($0.stores) }
    }

    @Test("organisations", arguments: OrganisationStoreContract.cases)
    func organisations(_ contract: ContractCase) async throws {
        try await AccountDatabase.with { try await contract.run($0.stores) }
    }

    @Test("revocations", arguments: RevocationStoreContract.cases)
    func revocations(_ contract: ContractCase) async throws {
        try await AccountDatabase.with { try await contract.run($0.stores) }
    }

    @Test("failed log-ins", arguments: LoginFailureStoreContract.cases)
    func loginFailures(_ contract: ContractCase) async throws {
        try await AccountDatabase.with { try await contract.run($0.stores) }
    }
}
