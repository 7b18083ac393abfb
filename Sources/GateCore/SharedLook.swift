/// Looks at something outside on behalf of many who ask at once.
///
/// Whoever asks gets an answer from a look that began after the question, and shares it with everyone who asked before it began. From one
/// look's beginning to the next there is `interval` at least, whether looks succeed or fail, and one runs at a time: nobody can make
/// the other side work by asking more often.
package actor SharedLook<Value: Sendable> {
    private let interval: Duration
    private let time: any TimeSource
    private let sleep: @Sendable (Duration) async throws -> Void
    private let look: @Sendable () async throws -> Value

    /// Which has not begun: all who ask meanwhile share it.
    private var next: Task<Value, any Error>?
    private var last: Task<Value, any Error>?
    private var lastBegin: MonotonicInstant?

    /// - Parameters:
    ///   - interval: between the beginnings of two looks: what somebody waits at most, besides the looks themselves.
    ///   - sleep: how a while passes.
    package init(
        every interval: Duration, time: any TimeSource,
        sleep: @escaping @Sendable (Duration) async throws -> Void = { try await Task.sleep(for: $0) },
        _ look: @escaping @Sendable () async throws -> Value
    ) {
        self.interval = interval
        self.time = time
        self.sleep = sleep
        self.look = look
    }

    /// What is there at a moment from now on. A caller who is cancelled waits all the same, for the others' sake.
    ///
    /// - Throws: what the look throws.
    package func value() async throws -> Value {
        if let next { return try await next.value }
        let before = last
        let task = Task { try await self.begin(after: before) }
        next = task
        return try await task.value
    }

    private func begin(after before: Task<Value, any Error>?) async throws -> Value {
        _ = await before?.result
        if let lastBegin {
            let rest = interval - time.monotonic().since(lastBegin)
            if rest > .zero { try? await sleep(rest) }
        }
        lastBegin = time.monotonic()
        last = next
        next = nil
        return try await look()
    }
}
