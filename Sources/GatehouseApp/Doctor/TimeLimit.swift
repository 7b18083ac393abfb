/// What `work` returns, or `late` where it takes longer than `limit`. Work that is late is cancelled, and must end then.
func limited<Value: Sendable>(
    to limit: Duration, late: Value, _ work: @escaping @Sendable () async -> Value
) async -> Value {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await work() }
        group.addTask {
            try? await Task.sleep(for: limit)
            return nil
        }
        let first = await group.next()
        group.cancelAll()
        return (first ?? nil) ?? late
    }
}
