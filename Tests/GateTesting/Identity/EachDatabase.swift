package import Testing

/// Runs every test of a suite once on each kind of database: what it opens by ``AccountDatabase`` is of the kind in turn.
package struct EachDatabase: SuiteTrait, TestTrait, TestScoping {
    package var isRecursive: Bool { true }

    package func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        for kind in DatabaseKind.allCases {
            try await DatabaseKind.$current.withValue(kind) { try await function() }
        }
    }
}

extension Trait where Self == EachDatabase {
    package static var onEachDatabase: EachDatabase { EachDatabase() }
}

extension DatabaseKind {
    /// On which the test runs.
    @TaskLocal package static var current = DatabaseKind.sqlite
}
