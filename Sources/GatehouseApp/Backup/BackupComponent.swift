import GateAPI
import GateBackup
import GateCore

/// The backups' health: degraded where those on schedule have failed or stopped. What failed was logged when it did.
struct BackupComponent: HealthComponent {
    let name = "backup"
    let failure = "Backup overdue"
    let history: BackupHistory
    /// Zero: however old.
    let maxAge: Duration
    let time: any TimeSource

    func check() async -> ComponentHealth {
        let isOverdue = history.current.isOverdue(at: time.now(), longest: maxAge)
        return ComponentHealth(status: isOverdue ? .degraded : .healthy, latency: .zero)
    }

    /// Only what is set up is told of.
    var isListed: Bool { history.current.scheduledSince != nil }
}

extension MetricsRegistry {
    func register(_ history: BackupHistory) {
        gauge(
            "gatehouse_backup_last_success_timestamp_seconds", "When the last backup was made, in seconds since 1970."
        ) { history.current.lastSuccess.map { Double($0.at.seconds) } }
        gauge("gatehouse_backup_last_duration_seconds", "How long the last backup took.") {
            history.current.lastSuccess.map { Double($0.duration.wholeMilliseconds) / 1000 }
        }
        gauge("gatehouse_backup_last_size_bytes", "The size of the last backup.") { history.current.lastSuccess.map { Double($0.size) } }
        counter("gatehouse_backup_failures_total", "Backups that failed, since the first start.") { Double(history.current.failures) }
    }
}
