package import GateCore
import Glibc
package import Logging

extension LogOutput {
    /// Standard output, in the form that fits it.
    ///
    /// - Parameter log: `nil` where the configuration cannot be read.
    package static func standard(_ log: Configuration.Log? = nil, time: any TimeSource = SystemTime()) -> LogOutput {
        let log = log ?? Configuration.Log()
        let output = LogOutput(
            descriptor: STDOUT_FILENO, style: LogStyle(log.format, descriptor: STDOUT_FILENO),
            tellsPriority: JournalStream.isBehind(STDOUT_FILENO), time: time)
        output.heed(log)
        return output
    }

    /// A logger whose lines go here, those of ``level`` and above.
    package func logger(label: String = "gatehouse") -> Logger { Logger(label: label) { _ in LineLogHandler(output: self) } }
}
