import GateCore
import GateLimits

/// How many rows were deleted.
package struct PruneReport: Hashable, Sendable {
    package var sessions: Int
    package var revocations: Int
    package var loginFailures: Int
    /// The clock had jumped, and nothing was deleted.
    package var wasPutOff: Bool

    package init(sessions: Int = 0, revocations: Int = 0, loginFailures: Int = 0, wasPutOff: Bool = false) {
        self.sessions = sessions
        self.revocations = revocations
        self.loginFailures = loginFailures
        self.wasPutOff = wasPutOff
    }
}

extension Identity {
    /// How many sessions one transaction deletes: some milliseconds of the writer's time.
    private static let pruneBatch = 500

    /// Deletes what has expired: sessions, revocations, failed log-ins. To be called now and then; hourly is enough.
    ///
    /// Just after a jump of the wall clock nothing is deleted: a clock that is wrong by years would take every session with it, and
    /// the revocations of tokens that are good again when it is set right (CHECKLIST 52).
    ///
    /// - Parameter rows: whether the rows of the database are deleted too, besides what this process remembers: of several instances on one
    ///   database, one does that.
    /// - Throws: `StorageError`; what was deleted until then stays so.
    package func prune(rows: Bool = true) async throws -> PruneReport {
        var report = PruneReport()
        let now = time.now()
        guard jumps.isTrusted(now, at: time.monotonic()) else {
            report.wasPutOff = true
            return report
        }
        let horizon = revocationHorizon(at: now)
        revocations.prune(before: horizon)
        guard rows else { return report }
        var batch = Self.pruneBatch
        while batch == Self.pruneBatch {
            batch = try await sessions.prune(before: now, limit: Self.pruneBatch)
            report.sessions += batch
        }
        report.revocations = try await revocationStore.prune(before: horizon)
        report.loginFailures = try await loginFailures.prune(before: now - rules.loginBackoff.memory)
        return report
    }

    /// Revocations that ended before this have nothing left to refuse, by any clock that we accept.
    func revocationHorizon(at now: Timestamp) -> Timestamp { now - AccessTokenIssuer.maximumLeeway }
}
