import GateCore
import GateSQL
import Testing

@Suite struct MigrationTests {
    @Test(
        "The checksum is FNV-1a of 64 bits (RFC 9923, appendix C)",
        arguments: [("", "cbf29ce484222325"), ("a", "af63dc4c8601ec8c"), ("foobar", "85944171f73967e8")])
    func checksum(_ text: String, _ expected: String) {
        #expect(Migration(version: 1, name: "", up: text, down: "").checksum == expected)
    }

    @Test("Steps are put in the order of their versions")
    func order() throws {
        let plan = try MigrationPlan([3, 1, 2].map { Migration(version: $0, name: "", up: "", down: "") })
        #expect(plan.migrations.map(\.version) == [1, 2, 3])
    }

    @Test("Two steps of one version, and versions below one, are refused", arguments: [[1, 1], [0], [-1, 2], [2, 3, 2]])
    func versions(_ versions: [Int]) {
        #expect(throws: StorageError.self) {
            try MigrationPlan(versions.map { Migration(version: $0, name: "", up: "", down: "") })
        }
    }
}
