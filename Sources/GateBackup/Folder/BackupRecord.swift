package import GateCore

/// What became of the backups of a server, kept beside its data so that a restart does not forget it.
package struct BackupRecord: Hashable, Sendable {
    package struct Success: Hashable, Sendable {
        package var at: Timestamp
        package var file: String
        /// In bytes.
        package var size: Int
        package var duration: Duration

        package init(at: Timestamp, file: String, size: Int, duration: Duration) {
            self.at = at
            self.file = file
            self.size = size
            self.duration = duration
        }
    }

    package struct Failure: Hashable, Sendable {
        package var at: Timestamp
        package var reason: String
    }

    package private(set) var lastSuccess: Success?
    package private(set) var lastFailure: Failure?
    /// When backups were made on schedule first. `nil`: nobody has set up a schedule.
    package private(set) var scheduledSince: Timestamp?
    /// Whether the last one on schedule failed.
    package private(set) var hasFailed = false
    package private(set) var lastScheduledSuccess: Timestamp?
    /// How many failed, ever.
    package private(set) var failures = 0

    package init() {}

    package mutating func note(_ success: Success, isScheduled: Bool) {
        lastSuccess = success
        guard isScheduled else { return }
        scheduledSince = scheduledSince ?? success.at
        lastScheduledSuccess = success.at
        hasFailed = false
    }

    package mutating func note(failure reason: String, at now: Timestamp, isScheduled: Bool) {
        lastFailure = Failure(at: now, reason: reason)
        failures += 1
        guard isScheduled else { return }
        scheduledSince = scheduledSince ?? now
        hasFailed = true
    }

    /// Whether backups are made on schedule, and something is wrong with them: the last one failed, or none was made for longer than
    /// `longest` (zero: however long).
    package func isOverdue(at now: Timestamp, longest: Duration) -> Bool {
        guard let scheduledSince else { return false }
        let last = lastScheduledSuccess ?? scheduledSince
        return hasFailed || (longest > .zero && now - last > longest)
    }
}

extension BackupRecord {
    package var json: JSON {
        [
            "last_success": lastSuccess.map { success in
                [
                    "at": .string(success.at.rfc3339), "file": .string(success.file), "size": .integer(Int64(success.size)),
                    "duration_ms": .integer(success.duration.wholeMilliseconds),
                ]
            } ?? .null,
            "last_failure": lastFailure.map { ["at": .string($0.at.rfc3339), "reason": .string($0.reason)] } ?? .null,
            "scheduled_since": scheduledSince.map { .string($0.rfc3339) } ?? .null,
            "last_scheduled_success": lastScheduledSuccess.map { .string($0.rfc3339) } ?? .null,
            "has_failed": .bool(hasFailed), "failures": .integer(Int64(failures)),
        ]
    }

    /// What cannot be read is as if it were not there: it is a record of backups, not one of them.
    package init(json: JSON) {
        func time(_ value: JSON?) -> Timestamp? { value?.string.flatMap(Timestamp.init(rfc3339:)) }
        if let success = json["last_success"], let at = time(success["at"]), let file = success["file"]?.string {
            lastSuccess = Success(
                at: at, file: file, size: Int(success["size"]?.integer ?? 0),
                duration: .milliseconds(success["duration_ms"]?.integer ?? 0))
        }
        if let failure = json["last_failure"], let at = time(failure["at"]) {
            lastFailure = Failure(at: at, reason: failure["reason"]?.string ?? "")
        }
        scheduledSince = time(json["scheduled_since"])
        lastScheduledSuccess = time(json["last_scheduled_success"])
        hasFailed = json["has_failed"]?.bool ?? false
        failures = Int(json["failures"]?.integer ?? 0)
    }
}
