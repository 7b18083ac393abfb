import GateCore
import Testing

/// Returns once it is so; fails after `limit`.
func eventually(within limit: Duration = .seconds(10), _ isSo: () async throws -> Bool) async throws {
    let end = SystemTime().monotonic() + limit
    while try await !isSo() {
        try #require(SystemTime().monotonic() < end, "not within \(limit)")
        try await Task.sleep(for: .milliseconds(5))
    }
}
