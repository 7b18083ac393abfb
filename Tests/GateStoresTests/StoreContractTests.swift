import GateTesting
import Testing

@Suite("The SQL stores keep their contracts on each database")
struct StoreContractTests {
    @Test("users", arguments: UserStoreContract.cases, DatabaseKind.allCases)
    func users(_ contract: ContractCase, on kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind) { try await contract.run($0.stores) }
    }

    @Test("sessions", arguments: SessionStoreContract.cases, DatabaseKind.allCases)
    func sessions(_ contract: ContractCase, on kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind) { try await contract.run($0.stores) }
    }

    @Test("organisations", arguments: OrganisationStoreContract.cases, DatabaseKind.allCases)
    func organisations(_ contract: ContractCase, on kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind) { try await contract.run($0.stores) }
    }

    @Test("revocations", arguments: RevocationStoreContract.cases, DatabaseKind.allCases)
    func revocations(_ contract: ContractCase, on kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind) { try await contract.run($0.stores) }
    }

    @Test("failed log-ins", arguments: LoginFailureStoreContract.cases, DatabaseKind.allCases)
    func loginFailures(_ contract: ContractCase, on kind: DatabaseKind) async throws {
        try await AccountDatabase.with(kind) { try await contract.run($0.stores) }
    }
}
