import Glibc
package import Logging

/// The journal as standard output or error of a service. It takes the priority of a line from `<N>` in front of it, which it cuts off
/// (sd-daemon(3), `SyslogLevelPrefix=` of systemd.exec(5)).
package enum JournalStream {
    /// Whether the descriptor is the one that the service was started with: what runs within it may have another.
    ///
    /// - Parameter environment: where systemd says `JOURNAL_STREAM=DEVICE:INODE`.
    package static func isBehind(_ descriptor: Int32, environment: [String: String] = ProcessEnvironment.current) -> Bool {
        guard let stream = environment["JOURNAL_STREAM"] else { return false }
        var status = stat()
        return fstat(descriptor, &status) == 0 && stream == "\(status.st_dev):\(status.st_ino)"
    }

    /// With the numbers of syslog(3).
    package static func prefix(_ level: Logger.Level) -> String {
        switch level {
        case .critical: "<2>"
        case .error: "<3>"
        case .warning: "<4>"
        case .notice: "<5>"
        case .info: "<6>"
        case .debug, .trace: "<7>"
        }
    }
}
